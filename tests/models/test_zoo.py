import json
import subprocess
import sys

import pytest
import torch

from models import UserError, find
from models.counts import count, counts
from models.groups import DEFAULT
from models.published import published
from models.zoo import find_one, zoo

# Counting takes about half a second a network: of the families without a published network, the first.
UNPUBLISHED = [model for model in zoo().values() if model.name not in published()]
ONE_A_FAMILY = {model.family: model.name for model in reversed(UNPUBLISHED)}.values()


def test_the_zoo_holds_the_published_table_in_its_order():
    assert [name for name in zoo() if name in published()] == list(published())
    assert [zoo()[f"EfficientNet-B{size}"].resolution_px for size in (3, 5, 6)] == [300, 456, 528]


def test_names_and_globs_find_models_whatever_the_case():
    assert [model.name for model in find("efficientnet-b3")] == ["EfficientNet-B3"]
    assert len(find("*latency0*")) == 5
    assert find("*") == list(zoo().values())
    assert len(published()) == len(find(DEFAULT)) == 12


def test_one_model_is_never_several():
    assert [find_one("EfficientNet-B3")] == find("EfficientNet-B3")
    with pytest.raises(UserError, match=r"one model is wanted: EfficientNet-B\*, which stands for \d; name one"):
        find_one("EfficientNet-B*")


def test_an_unknown_model_names_the_near_ones():
    with pytest.raises(UserError, match=r"did you mean EfficientNet-B\d"):
        find("EfficientNet-B9")


def test_structure_strings_and_timm_networks_are_models_too():
    (model,) = find("zennet:SuperConvK3BNRELU(3,8,2,1)@64")
    assert (model.family, model.resolution_px, model.top1_percent) == ("custom", 64, None)
    assert count(model).macs == 32 * 32 * 8 * 27 + 8 * 1000
    (model,) = find("timm:resnet18@128")
    assert count(model).params == 11_689_512
    with pytest.raises(UserError, match="timm has no such network"):
        find("timm:resnet1800000")[0].architecture()
    for source in ("timm:resnet18.no_such_tag", "timm:resnet18.@64"):
        with pytest.raises(UserError, match=r"timm has no such weights: 'resnet18\..*'; did you mean resnet18\.\w+ or"):
            find(source)[0].architecture()
    with pytest.raises(UserError, match="resolution out of range"):
        find("timm:resnet18@99999")
    with pytest.raises(UserError, match="unreadable structure"):
        find("zennet:SuperNothing(1)")


def test_a_transformer_is_built_for_the_resolution_that_is_asked_for():
    (small,), (large,) = find("timm:test_vit@160"), find("timm:test_vit@224")
    positions = [dict(model.architecture().named_parameters())["pos_embed"].shape[1] for model in (small, large)]
    assert positions == [(160 // 16) ** 2 + 1, (224 // 16) ** 2 + 1]
    with pytest.raises(UserError, match="takes no images of 8 px"):
        count(find("timm:test_vit@8")[0])


def test_a_transformer_of_one_resolution_does_not_resize_its_positions():
    module = find("timm:test_vit@32")[0].architecture()
    traced = torch.export.export(module, (torch.empty(1, 3, 32, 32, device="meta"),))
    assert not [node for node in traced.graph.nodes if "upsample" in str(node.target)]
    assert any("scaled_dot_product" in str(node.target) for node in traced.graph.nodes)


@pytest.mark.parametrize("name", [*published(), *ONE_A_FAMILY])
def test_committed_counts_are_what_torch_counts(name):
    assert counts(zoo()[name]) == count(zoo()[name])


@pytest.mark.parametrize("name", published())
def test_computed_counts_explain_the_printed_ones(name):
    model, printed = zoo()[name], published()[name]
    params = float(printed.params.rstrip("M")) * 1e6
    macs = float(printed.flops[:-1]) * {"M": 1e6, "B": 1e9}[printed.flops[-1]]
    leaves_out = "leave squeeze-excite out" in printed.counts_note
    assert counts(model).params == pytest.approx(params, rel=0.6 if leaves_out else 0.03)
    assert counts(model).macs == pytest.approx(macs, rel=0.04)


def test_without_squeeze_excite_the_printed_parameters_come_out():
    for name, printed in (("*flops400M*", 5.7e6), ("*flops600M*", 7.1e6)):
        structure = find(name)[0].source.removeprefix("zennet-se:")
        (plain,) = find(f"zennet:{structure}")
        assert count(plain).params == pytest.approx(printed, rel=0.01)


def test_the_command_prints_json_to_stdout():
    command = [sys.executable, "-m", "models", "--json", "*latency12ms*"]
    (found,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    expected = {"name", "family", "resolution_px", "params", "macs", "top1_percent", "published"}
    assert expected <= set(found)
    assert found["published"]["latency_ms"] == {"v100": 1.2, "t4": 0.85, "pixel2": 2051.0}


def test_the_command_ends_an_error_in_one_line():
    command = [sys.executable, "-m", "models", "EfficientNet-B9"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
