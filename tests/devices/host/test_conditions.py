import json
import platform

import msgspec

from devices.host.conditions import machine, moment


def test_what_the_machine_is_goes_into_json_with_every_version():
    found = json.loads(msgspec.json.encode(machine()))
    assert found["cpu"]
    assert found["usable_cores"] >= 1
    assert found["memory_bytes"] > 2**28
    assert found["kernel"] == platform.release()
    assert {"torch", "onnxruntime", "timm", "numpy"} <= set(found["versions"])
    assert "governor" in found


def test_a_moment_has_time_load_and_resources():
    found = json.loads(msgspec.json.encode(moment()))
    assert found["time"].endswith("Z")
    assert found["load_1min"] >= 0
    assert found["available_bytes"] > 0
    assert found["busy_s"] > 0
