"""What `--weights` finds: a file, a file of a folder, or that there is none."""

import pytest

from models import UserError, find
from models.checkpoints import OFFICIAL, checkpoint_for, checkpoints_for
from models.official import official_of
from system.names import file_name

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"
ZENNET = "zennet_imagenet1k_latency01ms_res224"


@pytest.fixture
def tiny():
    return find(TINY)[0]


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "x.pth"
    path.touch()
    return path


def test_nothing_given_is_seeded(tiny):
    assert checkpoint_for(None, tiny) is None
    assert checkpoints_for(None, [tiny]) == {}


def test_a_file_is_for_one_network(tiny, checkpoint):
    assert checkpoints_for(str(checkpoint), [tiny]) == {tiny: checkpoint}
    with pytest.raises(UserError, match="--weights fits one network: 2 networks and one file; name one, or give a fo"):
        checkpoints_for(str(checkpoint), [tiny, find(ZENNET)[0]])


@pytest.mark.parametrize("name", [ZENNET, "EfficientNet-B3", TINY])
def test_one_file_serves_a_network_at_every_resolution(checkpoint, name):
    model = find(name)[0]
    models = [model, model.at_resolution(64), model.at_resolution(96)]
    assert checkpoints_for(str(checkpoint), models) == dict.fromkeys(models, checkpoint)


@pytest.mark.parametrize("name", [ZENNET, "EfficientNet-B3"])
def test_at_another_resolution_the_published_weights_are_the_same(name):
    model = find(name)[0]
    assert official_of(model.at_resolution(96)) == official_of(model) is not None


def test_in_a_folder_a_file_of_the_resolution_comes_before_that_of_the_network(tmp_path):
    model = find(ZENNET)[0]
    small = model.at_resolution(96)
    (tmp_path / f"{ZENNET}.pth").touch()
    assert checkpoints_for(str(tmp_path), [model, small]) == dict.fromkeys([model, small], tmp_path / f"{ZENNET}.pth")
    (tmp_path / f"{file_name(small.name)}.pth").touch()
    assert checkpoint_for(str(tmp_path), small) == tmp_path / f"{file_name(small.name)}.pth"


@pytest.mark.parametrize("given", ["absent.pth", "absent/x.pth", "x\0y", "y" * 300])
def test_what_is_not_there_is_one_error(tiny, given):
    with pytest.raises(UserError, match=r"can't read checkpoint .*; give an existing file or folder, or official"):
        checkpoint_for(given, tiny)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_a_folder_holds_a_file_of_each_network_s_name(tmp_path, suffix):
    models = [find(name)[0] for name in (TINY, ZENNET, "EfficientNet-B3")]
    for model in models:
        (tmp_path / f"{file_name(model.name)}{suffix}").touch()
    found = checkpoints_for(str(tmp_path), models)
    assert [path.stem for path in found.values()] == [file_name(model.name) for model in models]
    assert (tmp_path / f"EfficientNet-B3{suffix}") in found.values()


@pytest.mark.parametrize("name", [ZENNET, "EfficientNet-B3"])
@pytest.mark.parametrize("which", ["file", "also"])
def test_a_folder_may_hold_published_files_under_their_own_names(tmp_path, name, which):
    (model,) = find(name)
    path = tmp_path / getattr(official_of(model), which)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert checkpoint_for(str(tmp_path), model) == path


def test_the_one_name_of_all_published_zennets_alone_says_of_no_network(tmp_path):
    (tmp_path / "student_best-params_rank0.pth").touch()
    with pytest.raises(UserError, match="no checkpoint of"):
        checkpoint_for(str(tmp_path), find(ZENNET)[0])


def test_what_a_folder_lacks_or_has_twice_is_named(tmp_path, tiny):
    stem = file_name(TINY)
    with pytest.raises(UserError) as refused:
        checkpoint_for(str(tmp_path), tiny)
    missing = f"no checkpoint of {TINY} in {tmp_path}: no {stem} with .pth, .pt, .bin, .safetensors; name it {stem}.pth"
    assert str(refused.value) == missing
    (tmp_path / f"{stem}.pt").touch()
    (tmp_path / f"{stem}.bin").touch()
    with pytest.raises(UserError, match=rf"several checkpoints .*: {stem}\.pt, {stem}\.bin; leave one"):
        checkpoint_for(str(tmp_path), tiny)


def test_a_network_without_one_says_so():
    with pytest.raises(UserError, match=r"no published checkpoint of zennet:.*; give a file, or leave --weights out"):
        checkpoint_for(OFFICIAL, find(TINY)[0])
