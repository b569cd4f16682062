"""What OpenVINO is told and says of itself; test_sessions and test_predictors have the contract of all runtimes."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from devices.runtime import absence_of
from devices.runtimes.openvino import open_session
from devices.targets import find_targets
from exporters.cache import Cache
from models import UserError, find

ROOT = Path(__file__).parents[3]
TINY = "zennet:SuperConvK3BNRELU(3,16,2,1)SuperResK3K3(16,16,1,16,1)@32"


def target_named(name, **changes):
    (target,) = find_targets(name)
    return msgspec.structs.replace(target, **changes)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def test_a_session_says_device_threads_streams_and_the_precision_of_its_layers(cache):
    target = target_named("openvino", options={"threads": 1})
    session = open_session(cache.obtain(target.job(find(TINY)[0])), target)
    layers = session.ran_on.pop("layers")
    assert layers.endswith(" in f32")
    assert session.ran_on == {"device": "CPU", "threads": 1, "streams": 1, "precision": "f32"}
    session.close()


def test_an_integer_file_runs_in_integers(cache):
    target = target_named("openvino-int8")
    session = open_session(cache.obtain(target.job(find(TINY)[0])), target)
    assert " in u8" in session.ran_on["layers"]
    assert "f32" not in session.ran_on["layers"]
    session.close()


def test_an_integer_target_that_would_run_in_floating_point_is_one_error(cache):
    fp32 = cache.obtain(target_named("openvino").job(find(TINY)[0]))
    with pytest.raises(UserError, match="openvino-int8 must run in integers: f32; measure target openvino instead"):
        open_session(fp32, target_named("openvino-int8"))


def test_another_batch_is_another_shape_of_the_same_file(cache):
    artifact = cache.obtain(target_named("openvino").job(find(TINY)[0]))
    session = open_session(artifact, target_named("openvino", batch=3))
    assert len(session.run(2).seconds) == 2
    session.close()


def test_a_damaged_file_is_one_line(cache, tmp_path):
    artifact = cache.obtain(target_named("openvino").job(find(TINY)[0]))
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"none")
    with pytest.raises(UserError, match=r"OpenVINO can't load the network: .+; export it again") as raised:
        open_session(msgspec.structs.replace(artifact, path=str(damaged)), target_named("openvino"))
    assert "\n" not in str(raised.value)


def test_without_it_the_target_says_what_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert absence_of(target_named("openvino")) == "no openvino; `make bench-openvino` installs it"


_IMPORTING = """
import sys
from pathlib import Path

def refuse(event, arguments):
    assert event != "socket.getaddrinfo" and event != "socket.connect", arguments

sys.addaudithook(refuse)
from devices.runtimes.openvino import _library
print(_library().__version__)
"""


def test_nothing_is_reported_and_nothing_written_where_it_is_imported(tmp_path):
    environment = {"HOME": str(tmp_path), "PATH": ""}
    command = [sys.executable, "-c", _IMPORTING]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
    assert list(tmp_path.iterdir()) == []


_SIGNALLED = """
import signal, sys
import msgspec
from devices.runtimes.openvino import open_predictor
from devices.targets import find_targets
from exporters.artifact import Artifact

artifact = msgspec.json.decode(sys.stdin.read(), type=Artifact)
(target,) = find_targets("openvino")
first = open_predictor(artifact, target)
second = open_predictor(artifact, target)
first.close()
second.close()
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
signal.raise_signal(signal.SIGUSR1)
"""


def test_a_signal_is_handled_after_networks_were_closed_in_the_order_in_which_they_were_opened(cache):
    artifact = cache.obtain(target_named("openvino").job(find(TINY)[0]))
    command = [sys.executable, "-X", "faulthandler", "-c", _SIGNALLED]
    told = msgspec.json.encode(artifact).decode()
    done = subprocess.run(command, cwd=ROOT, input=told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
