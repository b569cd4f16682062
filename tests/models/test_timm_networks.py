import pytest
import torch

from models import UserError, find, timm_networks
from models.counts import count

BRANCHED = "timm:mobileone_s0@32"


@pytest.fixture
def model():
    return find(BRANCHED)[0]


def same(found, expected) -> bool:
    return bool((found - expected).abs().max() <= 1e-4 * expected.abs().max())


def images(model):
    return torch.rand(2, 3, model.resolution_px, model.resolution_px)


def test_parallel_branches_are_merged_and_compute_the_same(model):
    trained = model.architecture("cpu")
    used = timm_networks.merged(trained, model.resolution_px)
    assert len(used.state_dict()) < len(trained.state_dict())
    shown = images(model)
    assert same(used(shown), trained(shown))
    assert model.build().state_dict().keys() == used.state_dict().keys()
    assert count(model).params == sum(parameter.numel() for parameter in used.parameters())


@pytest.mark.parametrize("form", ["as trained", "merged"])
def test_a_checkpoint_may_be_of_either_form(model, tmp_path, form):
    torch.manual_seed(0)
    trained = model.architecture("cpu")
    used = timm_networks.merged(trained, model.resolution_px)
    torch.save((trained if form == "as trained" else used).state_dict(), tmp_path / "a.pth")
    shown = images(model)
    assert same(model.build(tmp_path / "a.pth")(shown), used(shown))


def test_what_a_network_caches_of_its_weights_is_of_those_of_the_checkpoint(tmp_path):
    """LeViT keeps its attention's biases as it first uses them."""
    (model,) = find("timm:levit_128s@64")
    built = model.build()
    torch.save(built.state_dict(), tmp_path / "a.pth")
    shown = images(model)
    assert torch.equal(model.build(tmp_path / "a.pth")(shown), built(shown))


def test_a_checkpoint_of_another_network_is_of_neither_form(model, tmp_path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "a.pth")
    with pytest.raises(UserError, match="is not a checkpoint of this network"):
        model.build(tmp_path / "a.pth")


def test_a_network_without_branches_is_left_as_it_is():
    assert not timm_networks.has_branches(find("timm:test_resnet@32")[0].architecture())


def test_a_merging_that_changes_the_logits_is_refused(model, monkeypatch):
    import timm.utils

    exact = timm.utils.reparameterize_model

    def wrong(module):
        found = exact(module)
        with torch.no_grad():
            next(found.parameters()).mul_(1.01)
        return found

    monkeypatch.setattr(timm.utils, "reparameterize_model", wrong)
    with pytest.raises(UserError, match="timm's merging of branches changes this network: logits that differ by"):
        model.build()
