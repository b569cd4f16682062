import os
import signal
import sys
import venv
from pathlib import Path

import pytest

from devices.other_python import OtherPythonSession, describe
from devices.targets import find_targets
from devices.worker import SessionLost
from exporters.cache import Cache
from models import find
from system.errors import UserError

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"
HERE = Path(sys.executable)


@pytest.fixture
def target():
    return find_targets("cpu")[0]


@pytest.fixture
def session(target, tmp_path):
    artifact = Cache(tmp_path).obtain(target.job(find(TINY)[0]))
    session = OtherPythonSession(HERE, artifact, target, timeout_s=60)
    yield session
    session.close()


def test_a_session_under_another_python_is_like_any_other(session, target):
    samples = session.run(5)
    assert len(samples.seconds) == 5
    assert all(len(values) == 5 for values in samples.evidence.values())
    assert session.ran_on["provider"] == target.options["provider"]
    session.close()
    session.close()
    assert session._process.exitcode == 0


def test_one_that_is_killed_is_a_lost_session(session):
    session._process.kill()
    with pytest.raises(SessionLost, match="killed, most likely out of memory"):
        session.run(1)


def test_ctrl_c_is_the_parent_s_business(session):
    os.kill(session._process._popen.pid, signal.SIGINT)
    assert len(session.run(1).seconds) == 1


def test_a_python_that_ends_at_once_is_a_lost_session(target, tmp_path):
    artifact = Cache(tmp_path).obtain(find_targets("fake")[0].job(find(TINY)[0]))
    with pytest.raises(SessionLost, match="exit code 1"):
        OtherPythonSession(Path("/bin/false"), artifact, target, timeout_s=60)


def test_it_sees_this_suite_whatever_lies_in_the_working_directory(target, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert "onnxruntime" in describe(HERE, target)["versions"]


def test_an_environment_without_the_suite_s_packages_is_one_line(target, tmp_path):
    venv.create(tmp_path / "bare", symlinks=True)
    with pytest.raises(UserError, match=r"can't run this suite: ModuleNotFoundError.*; install there") as refused:
        describe(tmp_path / "bare" / "bin" / "python", target)
    assert "\n" not in str(refused.value)


def test_an_environment_that_lacks_the_runtime_says_so(target, monkeypatch, tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho \'{"absence": "no onnxruntime", "machine": {}}\'\n')
    python.chmod(0o755)
    with pytest.raises(UserError, match=r"can't run under .*: no onnxruntime"):
        describe(python, target)
