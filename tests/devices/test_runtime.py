"""A runtime is a value: found by its module's name, checked by mypy, or refused in one line."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import devices.runtimes
from devices.runtime import Runtime, absence_of, protocol_of, runtime_of
from devices.targets import find_targets
from system.errors import UserError

ROOT = Path(__file__).parents[2]


def target_of(runtime):
    return msgspec.structs.replace(find_targets("fake")[0], runtime=runtime)


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(devices.runtimes.__path__)])
def test_every_module_of_the_folder_is_a_runtime(name):
    assert isinstance(runtime_of(target_of(name)), Runtime)


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "no RUNTIME"), ("RUNTIME = 7\n", "RUNTIME is a int"), ("def open_session(): ...\n", "no RUNTIME")],
)
def test_a_module_of_the_folder_that_is_none_is_one_error(tmp_path, monkeypatch, text, found):
    (tmp_path / "abacus.py").write_text(text)
    monkeypatch.setattr(devices.runtimes, "__path__", [*devices.runtimes.__path__, str(tmp_path)])
    try:
        with pytest.raises(UserError, match=f"devices/runtimes/abacus.py is no runtime: {found}; give it RUNTIME"):
            runtime_of(target_of("abacus"))
        assert "is no runtime" in absence_of(target_of("abacus"))
    finally:
        sys.modules.pop("devices.runtimes.abacus", None)


WRONG = """
from devices.runtime import Runtime
from devices.runtimes.fake import FakeSession, absence
from devices.targets import Target
from exporters.artifact import Artifact


def open_session(artifact: Artifact, target: Target) -> FakeSession:
    return FakeSession([0.1])


def silent(artifact: Artifact, target: Target) -> str:
    return "no session"


RIGHT = Runtime(absence=absence, open_session=open_session)
MISSPELT = Runtime(absence=absence, open_session=open_session, session_at_once=absence)
MISSING = Runtime(absence=absence)
WRONG = Runtime(absence=absence, open_session=silent)
"""


def test_mypy_refuses_a_runtime_with_a_misspelt_missing_or_wrong_member(tmp_path):
    module = tmp_path / "wrong.py"
    module.write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--strict", str(module)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300).stdout
    lines = {text: number for number, text in enumerate(WRONG.splitlines(), start=1)}
    wrong = [next(number for text, number in lines.items() if text.startswith(name)) for name in ("MISS", "MISSING")]
    assert 'Unexpected keyword argument "session_at_once"' in said
    assert 'Missing named argument "open_session"' in said
    assert 'Argument "open_session" to "Runtime" has incompatible type' in said
    assert "Found 3 errors in 1 file" in said, said
    assert all(f"wrong.py:{number}:" in said for number in wrong)


def test_outside_scripts_find_the_parser_by_its_old_name():
    from devices.android import parse_benchmark_model
    from devices.phone import benchmark_model

    assert parse_benchmark_model is benchmark_model.parse_benchmark_model


def test_every_target_on_a_gpu_is_warmed_up_longer_and_no_other_one_and_its_own_table_has_the_last_word():
    targets = {target.name: target for target in find_targets("*")}
    longer = {name for name, target in targets.items() if protocol_of(target).get("warmup_s", 0.0) >= 3}
    assert longer == {
        name for name in targets if name.startswith(("v100", "t4", "gpu", "rtx", "h100", "a100", "l4", "jetson"))
    }
    assert all(protocol_of(targets[name])["visit_s"] >= 1 for name in longer)
    own = msgspec.structs.replace(targets["gpu"], protocol={"warmup_s": 20.0})
    assert protocol_of(own) == protocol_of(targets["gpu"]) | {"warmup_s": 20.0}
