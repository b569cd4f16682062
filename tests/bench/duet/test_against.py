import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.duet.against import KINDS, Against, old_artifact, old_target, parse_against
from devices.targets import find_targets
from exporters.cache import Cache
from models import find
from system.errors import UserError

NAMES = st.text(st.characters(categories=["L", "N"], include_characters="_-."), min_size=1, max_size=20)
PATHS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


@given(st.dictionaries(NAMES, st.integers() | st.booleans(), max_size=5))
def test_options_come_back_as_they_were_given(options):
    texts = [f"option:{name}={str(value).lower()}" for name, value in options.items()]
    assert parse_against(texts) == Against(options=options)


@given(PATHS)
def test_a_path_is_everything_behind_the_first_colon(path):
    assert parse_against([f"weights:{path}"]).weights == path
    assert parse_against([f"artifact:{path}"]).artifact == Path(path)
    assert parse_against([f"target:{path}"]).target == path


@given(st.lists(st.text(max_size=30), max_size=4))
def test_whatever_is_given_is_read_or_refused_in_one_line(texts):
    try:
        parse_against(texts)
    except UserError as error:
        assert "\n" not in str(error)


@given(st.text(max_size=30).filter(lambda text: text.partition(":")[0] not in KINDS))
def test_what_is_of_no_known_kind_is_refused_with_all_that_there_are(text):
    with pytest.raises(UserError) as refused:
        parse_against([text])
    assert all(form in str(refused.value) for form in KINDS.values())


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["option:"], "unreadable --against"),
        (["option:threads"], "unreadable --against option"),
        (["threads=1"], "option:KEY=VALUE"),
        (["option:threads=1", "option:threads=2"], "option threads twice"),
        (["weights:a", "weights:a"], "weights twice"),
        (["weights:a.pth", "artifact:b.onnx"], "two files"),
        (["python:/nowhere/python"], "no such Python"),
        (["python:."], "no such Python"),
    ],
)
def test_what_can_not_be_meant_is_refused(texts, says):
    with pytest.raises(UserError, match=says):
        parse_against(texts)


def test_a_virtual_environment_s_python_stays_in_it(tmp_path):
    (tmp_path / "python").symlink_to(sys.executable)
    assert parse_against([f"python:{tmp_path}/python"]).python == tmp_path / "python"


def target(name: str, **options):
    (found,) = find_targets(name)
    return msgspec.structs.replace(found, options=found.options | options)


def test_the_old_target_has_the_other_options_and_keeps_the_rest():
    new = target("cpu", threads=2)
    assert old_target(Against(options={"threads": 1}), new, None).options == new.options | {"threads": 1}
    assert old_target(Against(), new, None) == new


def test_another_target_has_its_own_options_but_is_reached_in_the_same_way():
    new = target("pixel2", serial="X", runs=99)
    old = old_target(Against(target="pixel2-4threads"), new, None)
    assert (old.options["serial"], old.options["runs"], old.options["threads"]) == ("X", 10, 4)


@pytest.mark.parametrize(
    ("new", "old", "says"),
    [
        ("cpu", "cpu*", "several targets"),
        ("cpu", "v100", "one device"),
        ("cpu", "cpus", "did you mean cpu"),
    ],
)
def test_a_target_that_does_not_go_with_it_is_refused(new, old, says):
    with pytest.raises(UserError, match=says):
        old_target(Against(target=old), target(new), None)


def test_a_virtual_clock_can_not_be_moved_by_another_python():
    with pytest.raises(UserError, match="needs the host's clock"):
        old_target(Against(python=Path(sys.executable)), target("fake"), None)


def test_two_targets_of_virtual_clocks_have_no_clock_in_common(tmp_path):
    more = tmp_path / "more.toml"
    more.write_text(
        '[fake-2]\ntitle = "t"\nruntime = "fake"\nformat = "fake"\nprecision = "fp32"\nbatch = 1\ndevice = "none"\n'
    )
    with pytest.raises(UserError, match="a duet needs one clock: fake-2 has its own"):
        old_target(Against(target="fake-2"), target("fake"), more)


def test_a_given_file_is_described_by_what_lies_beside_it_or_not_at_all(tmp_path, artifacts):
    fake = target("fake")
    made = Cache(artifacts).obtain(fake.job(find("*t-B3")[0]))
    assert old_artifact(Path(made.path), made, fake) == made
    other = tmp_path / "other.txt"
    other.write_text("other")
    found = old_artifact(other, made, fake)
    assert (found.path, found.size_bytes, found.weights, found.fidelity) == (str(other), 5, "unknown", None)
    assert found.sha256 != made.sha256


@pytest.mark.parametrize(("name", "says"), [("file.onnx", "give a .txt"), ("absent.txt", "can't read")])
def test_a_file_that_can_not_be_the_target_s_is_refused(tmp_path, artifacts, name, says):
    fake = target("fake")
    made = Cache(artifacts).obtain(fake.job(find("*t-B3")[0]))
    with pytest.raises(UserError, match=says):
        old_artifact(tmp_path / name, made, fake)
