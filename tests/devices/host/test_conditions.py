import importlib.util
import json
import platform

import msgspec
import pytest

from devices.host import conditions
from devices.host.conditions import machine, moment


def test_what_the_machine_is_goes_into_json_with_every_version():
    found = json.loads(msgspec.json.encode(machine()))
    assert found["cpu"]
    assert found["usable_cores"] >= 1
    assert found["memory_bytes"] > 2**28
    assert found["kernel"] == platform.release()
    assert {"torch", "onnxruntime", "timm", "numpy"} <= set(found["versions"])
    assert ("ai-edge-litert" in found["versions"]) == (importlib.util.find_spec("ai_edge_litert") is not None)
    assert "governor" in found


def test_a_moment_has_time_load_and_resources():
    found = json.loads(msgspec.json.encode(moment()))
    assert found["time"].endswith("Z")
    assert found["load_1min"] >= 0
    assert found["available_bytes"] > 0
    assert found["busy_s"] > 0


X86 = "processor : 0\nvendor_id : GenuineIntel\ncpu family : 6\nmodel : 143\nmodel name : Xeon\nstepping : 8\n"
ARM = "processor : 0\nCPU implementer : 0x41\nCPU architecture: 8\nCPU part : 0xd0c\nCPU revision : 1\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (X86, "GenuineIntel family 6 model 143 stepping 8"),
        (ARM, "0x41 part 0xd0c revision 1"),
        (X86.replace("cpu family", "family"), None),
        ("", None),
    ],
)
def test_generations_of_one_name_are_told_apart(monkeypatch, text, told):
    monkeypatch.setattr(conditions, "_read", lambda path: text)
    assert conditions.cpu_id() == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{X86}flags : fpu hypervisor lahf_lm\n", True),
        (f"{X86}flags : fpu lahf_lm\n", False),
        (f"{ARM}Features : fp asimd\n", None),
        ("", None),
    ],
)
def test_whether_a_machine_is_virtual_is_none_where_its_processor_does_not_say(monkeypatch, text, told):
    monkeypatch.setattr(conditions, "_read", lambda path: text)
    assert machine().virtualized is told
