"""The measuring loop and a bare loop over the same ONNX Runtime session: it must add less than 1 %."""

import time
from statistics import median

import msgspec
import pytest

from bench.measure import visit
from bench.protocol import Protocol
from bench.trust.reference import Reference
from devices.host.clock import time_each
from devices.runtimes.ort import OrtSession
from devices.targets import find_targets
from exporters.cache import Cache
from models import find

COUNT = 50


@pytest.fixture(scope="module")
def session(artifacts):
    (target,) = find_targets("cpu")
    (model,) = find("*flops400M*")
    session = OrtSession(Cache(artifacts).obtain(target.job(model)), target)
    session.run(20)
    yield session
    session.close()


def bare(session: OrtSession) -> None:
    for _ in range(COUNT):
        session.network.infer()


def test_bare_loop(benchmark, session):
    benchmark.group = "50 inferences of flops400M"
    benchmark.pedantic(bare, args=(session,), rounds=20, warmup_rounds=1)


def test_measuring_loop(benchmark, session):
    benchmark.group = "50 inferences of flops400M"
    protocol = Protocol(settle_samples=0, visit_samples=COUNT, visit_s=0)
    benchmark.pedantic(visit, args=(session, protocol, time.monotonic, Reference()), rounds=20, warmup_rounds=1)


def test_the_loop_adds_less_than_one_percent(session):
    """Both loops alternate, under the same conditions; the ratio is of the medians of their faster halves."""
    bare_s, ours_s = [], []
    for _ in range(40):
        for taken, loop in ((bare_s, lambda: bare(session)), (ours_s, lambda: session.run(COUNT))):
            begun = time.perf_counter()
            loop()
            taken.append(time.perf_counter() - begun)
    ratio = median(sorted(ours_s)[:20]) / median(sorted(bare_s)[:20])
    print(f"measuring loop / bare loop = {ratio:.4f}")
    assert ratio < 1.01


def test_the_stopwatch_itself(benchmark):
    benchmark.group = "stopwatch"
    benchmark.pedantic(time_each, args=(lambda: None, 1000), rounds=20)


def test_a_record_to_json_and_back(benchmark, record):
    benchmark.group = "record"
    benchmark(lambda: msgspec.json.decode(msgspec.json.encode(record), type=type(record)))
