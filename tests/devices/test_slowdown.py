"""A planted slowdown: on any session, within the timed region where the host's clock takes the seconds."""

import time
from types import SimpleNamespace

import msgspec
import pytest

from devices.host.clock import NAME, time_each
from devices.slowdown import slowed
from devices.targets import find_targets
from devices.worker import open_session
from exporters.cache import Cache
from models import find
from system.errors import UserError

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)SuperResK3K3(8,8,1,8,1)@32"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("artifacts"))


def host_session():
    def busy():
        end_ns = time.perf_counter_ns() + 2_000_000
        while time.perf_counter_ns() < end_ns:
            pass

    return SimpleNamespace(
        ran_on={"device": "cpu"}, clock=NAME, aggregates=False, run=lambda n: time_each(busy, n), close=lambda: None
    )


def test_the_host_spins_within_the_timed_region():
    session = host_session()
    samples = slowed(session, 1.5).run(4)
    assert min(samples.seconds) >= 2.5 * 2e-3
    assert all(len(values) == 4 for values in samples.evidence.values())
    assert sum(samples.evidence["cpu_s"]) >= 4 * 2.5 * 2e-3 * 0.5
    assert min(session.run(4).seconds) < 2.5 * 2e-3


def opened(cache, name, share):
    (target,) = find_targets(name)
    options = target.options | {"planted_slowdown": share}
    if "threads" in options:  # one waits for no other that has no core, beside other tests
        options["threads"] = 1
    target = msgspec.structs.replace(target, options=options)
    return open_session(cache.obtain(target.job(find(TINY)[0])), target, timeout_s=60)


@pytest.mark.parametrize("name", ["cpu", "cpu-torch"])
def test_any_runtime_on_this_machine_is_slowed_in_its_worker(cache, name):
    seconds = []
    for share in (0.0, 9.0):
        session = opened(cache, name, share)
        seconds.append(min(session.run(30).seconds))
        assert session.clock == NAME
        session.close()
    assert seconds[1] > 4 * seconds[0]


def test_the_fake_device_reports_longer_seconds(cache):
    (plain,) = opened(cache, "fake", 0.0).run(1).seconds
    assert opened(cache, "fake", 0.5).run(1).seconds == pytest.approx([1.5 * plain])


def test_another_clock_is_one_error():
    session = SimpleNamespace(clock="GPU: CUDA events", ran_on={}, aggregates=False)
    with pytest.raises(UserError, match="no slowdown can be planted: GPU: CUDA events; leave planted_slowdown out"):
        slowed(session, 0.1)
