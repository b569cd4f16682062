import argparse

import msgspec
import pytest

from bench.options import add_options, with_options
from bench.protocol import Protocol
from devices.runtime import protocol_of
from devices.targets import find_targets
from system.errors import UserError


def changed(*arguments):
    parser = argparse.ArgumentParser()
    add_options(parser)
    (target,) = find_targets("pixel2")
    return with_options(target, parser.parse_args(arguments)).options


def test_options_are_added_to_those_of_the_target():
    options = changed("--device", "X", "--benchmark-model", "tool", "-H", "lab", "-P", "5038")
    assert (options["serial"], options["benchmark_model"], options["adb_host"], options["adb_port"]) == (
        "X",
        "tool",
        "lab",
        5038,
    )
    assert options["affinity"] == "80"


def test_an_option_s_value_is_read_as_toml_and_else_as_text():
    options = changed("--option", "threads=2", "--option", 'affinity="f0"', "--option", "name=a b", "--option", "x=a=b")
    assert (options["threads"], options["affinity"], options["name"], options["x"]) == (2, "f0", "a b", "a=b")


@pytest.mark.parametrize("text", ["threads", "=2", ""])
def test_an_option_without_a_name_or_value_is_refused(text):
    with pytest.raises(UserError, match="give KEY=VALUE"):
        changed("--option", text)


def test_a_target_s_own_protocol_may_say_how_many_rounds(tmp_path):
    from bench.__main__ import _parser
    from bench.command import protocol_for

    path = tmp_path / "targets.toml"
    head = 'title="M"\nruntime="fake"\nformat="fake"\nprecision="fp32"\nbatch=1\ndevice="none"\n'
    path.write_text(f"[mine]\n{head}protocol = {{ min_visits = 3, budget_s = 7 }}\n")
    (target,) = find_targets("mine", path)
    protocol = protocol_for(_parser().parse_args(["mine"]), target, 12)
    assert (protocol.min_visits, protocol.budget_s) == (3, 7.0)


@pytest.mark.parametrize(
    ("networks", "arguments", "budget_s"),
    [(1, [], 60.0), (12, [], 60.0), (13, [], 65.0), (48, [], 240.0), (48, ["--budget", "50"], 50.0)],
)
def test_a_target_s_budget_grows_with_the_networks_unless_one_is_given(networks, arguments, budget_s):
    from bench.__main__ import _parser
    from bench.command import protocol_for

    target = msgspec.structs.replace(find_targets("cpu")[0], protocol={"budget_s": 60.0})
    assert protocol_for(_parser().parse_args(["cpu", *arguments]), target, networks).budget_s == budget_s


def test_a_target_s_own_protocol_names_fields_of_the_protocol():
    for target in find_targets("*"):
        assert protocol_of(target).keys() <= set(Protocol.__struct_fields__)
    (pixel2,) = find_targets("pixel2")
    assert pixel2.protocol["budget_s"] > Protocol().budget_s


@pytest.mark.parametrize(("arguments", "sustained"), [([], False), (["--sustained"], True)])
def test_a_gpu_is_warmed_up_as_its_runtime_says_and_soaked_where_that_is_asked(arguments, sustained):
    from bench.__main__ import _parser
    from bench.command import protocol_for

    (gpu,) = find_targets("gpu")
    protocol = protocol_for(_parser().parse_args(["gpu", "--warmup-max", "20", *arguments]), gpu, 12)
    assert (protocol.warmup_s, protocol.warmup_max_s, protocol.visit_s, protocol.sustained) == (3, 20, 1, sustained)
