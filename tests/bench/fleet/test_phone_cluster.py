"""Phones on the hosts of a real Ray cluster, with the real adb server and fake phones: one sweep on both."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest

from bench.fleet.hosts import RayHosts
from bench.protocol import Protocol
from bench.sweep import SweepRequest
from devices.lease import owner_of
from devices.targets import find_targets
from exporters.artifact import Artifact
from exporters.parallel import obtain_all
from models import find
from tests.bench.fleet.in_threads import sweep_all
from tests.bench.fleet.test_sweeps import nothing_doubled
from tests.fake_phone.networks import FIRST, SECOND
from tests.fake_phone.phone import tool_for_this_machine, wait_for

pytestmark = pytest.mark.ray
QUICK = {"runs": 3, "min_s": 0.05, "airplane": "always", "cool_down_poll_s": 0.1}
VISITS = 6


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A folder with both networks' files, converted in other processes: JAX warns where its own forks, as Ray does."""
    folder = tmp_path_factory.mktemp("artifacts")
    (pixel2,) = find_targets("pixel2")
    made = obtain_all([pixel2.job(*find(name)) for name in (FIRST, SECOND)], folder)
    assert all(isinstance(outcome, Artifact) for _, outcome in made)
    return folder


@pytest.fixture
def both(phones, node):
    """Two phones, and a host for each; on this machine their hosts have one adb server, so each may take either."""
    made = [phones(), phones()]
    for phone in made:
        phone.path("settings/stay_on_while_plugged_in").write_text("3\n")
        node(pixel2=1)
    return made


@pytest.fixture
def request_of_both(tmp_path, server, artifacts):
    (pixel2,) = find_targets("pixel2")
    options = QUICK | {"adb_port": server.port, "benchmark_model": str(tool_for_this_machine(tmp_path))}
    return SweepRequest(
        target=msgspec.structs.replace(pixel2, options=pixel2.options | options),
        models=[*find(FIRST), *find(SECOND)],
        protocol=Protocol(min_visits=VISITS, max_visits=VISITS),
        results=tmp_path / "results",
        artifacts=artifacts,
    )


@contextmanager
def while_both_measure(cluster, request, both):
    """The block runs once both phones measure; what came of the sweep is appended to the list."""
    came = []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sweep_all, RayHosts(cluster, 1.0), [request])
        wait_for(lambda: running.done() or all(phone.tools_running() for phone in both), 50)
        assert not running.done()
        yield came
        came.extend(running.result(timeout=100))


def as_they_were(both):
    """Whether the phones have their settings again."""
    names = ("airplane_mode_on", "stay_on_while_plugged_in", "screen_brightness", "screen_brightness_mode")
    return [[phone.setting(name) for name in names] for phone in both] == [["0", "3", "180", "1"]] * len(both)


def test_two_phones_measure_at_once_and_share_the_visits_of_each_network(cluster, both, request_of_both):
    with while_both_measure(cluster, request_of_both, both) as came:
        assert not as_they_were(both)
    (records,) = came
    assert [record.model.name for record in records] == [FIRST, SECOND]
    for record in records:
        devices = [visit.device for visit in record.measurement.visits]
        assert len(devices) == VISITS
        assert set(devices) == {phone.serial for phone in both}
    nothing_doubled(request_of_both)
    assert as_they_were(both)


def test_a_killed_program_s_phone_gets_its_settings_back_from_its_next_owner(cluster, both, request_of_both, server):
    with while_both_measure(cluster, request_of_both, both) as came:
        owner = owner_of(f"adb localhost:{server.port}", both[0].serial)
        os.kill(owner.pid, signal.SIGKILL)
    (records,) = came
    assert [len(record.measurement.visits) for record in records] == [VISITS, VISITS]
    nothing_doubled(request_of_both)
    assert as_they_were(both)
    assert not any(phone.path("data/local/tmp/zennet-latency/state").exists() for phone in both)
