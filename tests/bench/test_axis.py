import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.axis import at_batches, at_resolutions, parse_axis
from bench.protocol import Protocol
from bench.records.store import read_records, read_results
from bench.sweep import SweepRequest, sweep
from devices.targets import find_targets
from models import find
from system.errors import UserError
from tests.bench.test_command import bench
from tests.onnx_files import onnx_file

WITHIN = range(1, 1000)


def parse(text):
    return parse_axis(text, flag="--batch", within=WITHIN)


@given(st.lists(st.integers(1, 999), min_size=1, max_size=100))
def test_a_list_is_read_ascending_and_each_number_once(numbers):
    assert parse(",".join(map(str, numbers))) == sorted(set(numbers))


@given(st.integers(1, 500), st.integers(1, 50), st.integers(1, 9), st.integers(0, 49))
def test_a_range_ends_at_its_last_number_or_at_the_step_before(first, step, count, beyond):
    last = first + step * (count - 1)
    text = f"{first}..{last + min(beyond, step - 1)}/{step}"
    assert parse(text) == [first + step * at for at in range(count)]
    assert parse(f"{text}, {first}") == parse(text)


@given(st.text("0123456789.,/ -x\n٣", max_size=30) | st.text(max_size=30))
@example("")
@example("1..2/0")
@example("9" * 5000)
@example("1..999999999/1")
def test_any_text_is_read_or_is_one_line(text):
    try:
        numbers = parse(text)
    except UserError as error:
        assert "--batch" in str(error)
        assert len(str(error).splitlines()) == 1
    else:
        assert numbers == sorted(set(numbers))
        assert set(numbers) <= set(WITHIN)
        assert 1 <= len(numbers) <= 100


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1,x", "unreadable --batch: 'x' in '1,x'; give numbers and ranges such as"),
        ("1..8", "unreadable --batch"),
        ("-1", "unreadable --batch"),
        ("8..1/1", "--batch has an empty range"),
        ("1..8/0", "--batch has an empty range"),
        ("1,0", "--batch is out of range: 0 in '1,0'; expected 1 to 999"),
        ("1..1000/999", "out of range: 1000"),
        ("1..500/1", "--batch is too long: 500 points"),
    ],
)
def test_a_wrong_axis_says_what_is_wrong(text, says):
    with pytest.raises(UserError, match=says):
        parse(text)


def test_targets_and_networks_are_named_by_what_is_not_their_own():
    batches = at_batches(find_targets("cpu"), [1, 8])
    assert [(target.name, target.batch) for target in batches] == [("cpu", 1), ("cpu@8", 8)]
    models = at_resolutions(find("*t-B[35]"), [224, 300])
    names = ["EfficientNet-B3@224", "EfficientNet-B3", "EfficientNet-B5@224", "EfficientNet-B5@300"]
    assert [model.name for model in models] == names
    assert at_batches(find_targets("cpu"), None) == find_targets("cpu")
    assert at_resolutions(find("*"), None) == find("*")


def test_what_is_given_twice_is_refused():
    with pytest.raises(UserError, match="--batch is given twice: cpu@8 and --batch; leave one out"):
        at_batches(find_targets("cpu@8"), [1])
    with pytest.raises(UserError, match="--resolution is given twice: timm:resnet18@160 and"):
        at_resolutions(find("timm:resnet18@160"), [224])


def test_a_file_of_one_resolution_is_refused_at_another(tmp_path):
    (free,) = find(f"onnx:{onnx_file(tmp_path / 'free.onnx', side_px='side')}")
    assert [model.resolution_px for model in at_resolutions([free], [160, 224])] == [160, 224]
    (fixed,) = find(f"onnx:{onnx_file(tmp_path / 'fixed.onnx', side_px=16)}")
    assert at_resolutions([fixed], [16]) == [fixed]
    with pytest.raises(UserError, match="takes images of one size: 16 px"):
        at_resolutions([fixed], [16, 32])


def test_a_sweep_of_each_batch_has_every_resolution(tmp_path, artifacts):
    folders = ["--results", tmp_path, "--artifacts", artifacts]
    axes = ["--batch", "1,8", "--resolution", "160,224"]
    ended = bench("fake", "--model", "*latency01ms*", *axes, "--repeat", "2", *folders)
    assert (ended.returncode, ended.stdout.count("fake@8 ")) == (0, 2)
    for name, batch in (("fake", 1), ("fake@8", 8)):
        records = read_records(tmp_path / f"{name}.jsonl")
        assert {(record.target.name, record.target.batch) for record in records} == {(name, batch)}
        assert len({record.sweep for record in records}) == 2
        assert {(record.model.name.partition("@")[2], record.model.resolution_px) for record in records} == {
            ("160", 160),
            ("", 224),
        }
        assert all(record.protocol.budget_s == Protocol().budget_s for record in records)
    ends = sorted((record.conditions.end.time, record.target.name) for record in read_results(tmp_path))
    assert [name for _, name in ends[:2]] == ["fake", "fake"]


def test_a_batch_is_resumed_in_its_own_file(tmp_path, artifacts):
    def request(models, *, resume):
        return SweepRequest(
            target=find_targets("fake@4")[0],
            models=find(models),
            protocol=Protocol(),
            results=tmp_path,
            artifacts=artifacts,
            resume=resume,
        )

    (first,) = sweep(request("*t-B3", resume=False))
    sweeps = {record.sweep for record in sweep(request("*B[35]", resume=True))}
    assert sweeps == {first.sweep}
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["fake@4.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fake", "--batch", "0"], "--batch is out of range"),
        (["fake", "--resolution", "160..320"], "unreadable --resolution"),
        (["fake@2", "--batch", "1,2"], "--batch is given twice"),
        (["fake@0"], "batch out of range"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(tmp_path, arguments, says):
    ended = bench(*arguments, "--results", tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("error: ")
    assert says in ended.stderr
