import json
import re
import subprocess
import sys

import msgspec
import pytest

from devices.runtime import Runtime, absence_of, runtime_of
from devices.targets import find_targets, read_targets
from models import UserError, find


def test_the_targets_of_the_mission_are_declared():
    declared = {target.name: target for target in find_targets("*")}
    assert {"cpu", "cpu-torch", "v100", "t4", "pixel2", "fake"} <= set(declared)
    assert (declared["v100"].batch, declared["v100"].precision) == (64, "fp16")
    assert (declared["t4"].batch, declared["t4"].precision, declared["t4"].runtime) == (64, "int8", "trt")
    assert (declared["pixel2"].batch, declared["pixel2"].device) == (1, "Pixel 2")


@pytest.mark.parametrize("target", find_targets("*"), ids=lambda target: target.name)
def test_every_target_has_a_runtime_and_a_format(target):
    assert isinstance(runtime_of(target), Runtime)
    assert target.job(find("EfficientNet-B3")[0]).precision == target.precision


def test_the_plans_of_a_target_are_for_the_cards_that_it_names():
    (model,) = find("EfficientNet-B3")
    named = {target.name: target.job(model).compute_capabilities for target in find_targets("*rtx*")}
    any_card, one = ("8.6", "8.9", "12.0"), ("8.9",)
    assert named == {
        **{"rtx": any_card, "rtx-int8": any_card, "t4-rtx": ("7.5",)},
        **{"rtx4090": one, "rtx4090-int8": one},
    }
    assert find_targets("t4")[0].job(model).compute_capabilities == ()


def test_a_file_of_more_targets_adds_and_replaces(tmp_path):
    more = tmp_path / "more.toml"
    more.write_text(
        '[mine]\ntitle="Mine"\nruntime="fake"\nformat="fake"\nprecision="fp32"\nbatch=2\ndevice="none"\n'
        '[fake]\ntitle="Other"\nruntime="fake"\nformat="fake"\nprecision="fp32"\nbatch=1\ndevice="none"\n'
    )
    (mine,) = find_targets("mine", more)
    assert (mine.name, mine.batch) == ("mine", 2)
    assert find_targets("fake", more)[0].title == "Other"
    assert len(find_targets("*", more)) == len(find_targets("*")) + 1


def test_an_unknown_target_names_the_near_ones():
    for name in ("v10", "v10@8"):
        with pytest.raises(UserError, match="no such target: 'v10'; did you mean v100"):
            find_targets(name)


def test_a_batch_behind_a_name_makes_another_target_of_the_same_table():
    (cpu,) = find_targets("cpu")
    assert find_targets("cpu@8") == [msgspec.structs.replace(cpu, name="cpu@8", batch=8)]
    assert find_targets("cpu@1") == [cpu]
    assert [target.name for target in find_targets("V100*@64")] == ["v100", "v100-torch", "v100-tensorrt"]
    assert {target.batch for target in find_targets("cpu*@8")} == {8}
    for text in ("cpu@0", "cpu@65537"):
        with pytest.raises(UserError, match=r"batch out of range: @.* expected 1 to 65536 images"):
            find_targets(text)


def test_a_file_has_the_batch_of_its_target_where_its_format_fixes_one():
    (model,) = find("EfficientNet-B3")
    batches = {name: find_targets(name)[0].job(model).batch for name in ("cpu@8", "cpu-tflite@8", "t4@8", "rtx@8")}
    assert batches == {"cpu@8": None, "cpu-tflite@8": 8, "t4@8": 8, "rtx@8": 8}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[mine", "unreadable targets"),
        ("mine = 3", r"\[mine\] expected a table"),
        ('[mine]\ntitle = "x"', r"\[mine\] .*runtime"),
        ('["mine@2"]\ntitle = "x"', r"\[mine@2\] a name can't end in @ and a number"),
        ('[mine]\ntitel = "x"', r"\[mine\] unknown field titel"),
        (
            '[mine]\ntitle="x"\nruntime="fake"\nformat="fake"\nprecision="fp32"\nbatch=0\ndevice="none"',
            r"\[mine\] .*>= 1.*batch",
        ),
    ],
)
def test_a_wrong_file_names_table_and_field(tmp_path, text, says):
    path = tmp_path / "targets.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        read_targets(path)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("cpu", {"thread": 2}, "no such option: 'thread'.*threads"),
        ("cpu", {"threads": "many"}, "option threads: 'many'; give a whole number from 1 on or physical cores"),
        ("cpu", {"threads": 0}, "option threads: 0; give a whole number from 1 on"),
        ("cpu-torch", {"threads": True, "graph": 1}, "'graph'"),
        ("pixel2", {"afinity": "80"}, "'afinity'.*affinity"),
        ("v100-torch", {"graph": True}, "'graph'.*cuda_graph"),
        ("v100-tensorrt", {"fp16": True}, "'fp16'"),
        ("cpu", {"pad": 0.1}, "no such option: 'pad'.*planted_slowdown"),
        ("cpu", {"planted_slowdown": -0.1}, "option planted_slowdown: -0.1; give a number from 0"),
        ("cpu", {"planted_slowdown": float("nan")}, "option planted_slowdown: nan"),
        ("openvino", {"precision": "int8"}, "option precision: 'int8'; give bf16 or f16 or f32"),
        ("coreml", {"compute_units": "GPU"}, "option compute_units: 'GPU'; give ALL or CPUAndGPU or"),
        ("qnn", {"backend_path": "x"}, "no such option: 'backend_path'.*backend"),
        ("cpu-torch", {"channels_last": "yes"}, "option channels_last: 'yes'; give true or false"),
        ("pixel2", {"runs": 0}, "option runs: 0; give a whole number from 1 on"),
        ("fake", {"seconds": 0.1}, "option seconds: 0.1; give a table"),
    ],
)
def test_an_option_that_nothing_reads_is_refused(name, options, says):
    (target,) = find_targets(name)
    assert re.search(says, absence_of(msgspec.structs.replace(target, options=target.options | options)))


@pytest.mark.parametrize("target", find_targets("*"), ids=lambda target: target.name)
def test_every_declared_option_is_understood(target):
    assert "no such option" not in (absence_of(target) or "")


def test_a_runtime_of_ort_needs_a_provider():
    (target,) = find_targets("cpu")
    assert "names no provider" in absence_of(msgspec.structs.replace(target, options={}))


@pytest.mark.parametrize("name", ["v100", "v100-torch", "t4", "t4-onnxruntime", "pixel2", "pixel2-gpu"])
def test_a_slowdown_is_refused_before_a_run_where_the_clock_is_not_the_hosts(name):
    (target,) = find_targets(name)
    slowed = msgspec.structs.replace(target, options=target.options | {"planted_slowdown": 0.03})
    assert re.search(r"option planted_slowdown: 0\.03; give 0 alone \(planted only where the clock", absence_of(slowed))


@pytest.mark.parametrize("runtime", ["targets", "session", "nowhere"])
def test_a_module_that_runs_nothing_is_no_runtime(runtime):
    (target,) = find_targets("fake")
    with pytest.raises(UserError, match="has no runtime"):
        runtime_of(msgspec.structs.replace(target, runtime=runtime))


def test_a_target_of_no_runtime_says_so(tmp_path):
    path = tmp_path / "targets.toml"
    path.write_text('[mine]\ntitle="x"\nruntime="abacus"\nformat="fake"\nprecision="fp32"\nbatch=1\ndevice="none"\n')
    assert "abacus" in (absence_of(find_targets("mine", path)[0]) or "")


def test_the_command_says_of_each_target_why_it_is_not_here():
    command = [sys.executable, "-m", "devices", "--json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    found = {target["name"]: target for target in listed}
    assert all(found[name]["available"] for name in ("cpu", "cpu-torch", "fake"))
    assert all(bool(target["absence"]) != target["available"] for target in listed)


def test_of_one_target_the_command_lists_the_options_with_default_and_help():
    command = [sys.executable, "-m", "devices"]
    listed = subprocess.run([*command, "pixel2"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^affinity +80 +text or a whole number from 0 on, such as f0 +hexadecimal mask", listed, re.M)
    assert re.search(r"^max_s +150\.0 +a number above 0 +seconds", listed, re.M)
    assert re.search(r"^planted_slowdown ", listed, re.M)
    several = subprocess.run([*command, "pixel2", "cpu"], capture_output=True, text=True, check=True).stdout
    assert "affinity" not in several


def test_the_json_of_a_target_has_its_options():
    command = [sys.executable, "-m", "devices", "v100", "cpu-torch", "--json"]
    v100, torch = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    understood = {option["name"]: option for option in torch["understands"]}
    assert understood["channels_last"] | {"help": ""} == {
        "name": "channels_last",
        "default": False,
        "takes": "true or false",
        "help": "",
    }
    assert all(option["help"] for option in torch["understands"] + v100["understands"])
    assert {option["name"] for option in v100["understands"]} >= {"provider", "planted_slowdown"}
