"""One trial: the sweeps of a fleet of made-up devices, as `python -m bench TARGET ... --ray` makes them.

`python -m studies.fleet_scale.trial DEVICES NETWORKS VISITS WORK` prints its figures as a line of JSON.
"""

import argparse
import contextlib
import os
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.fleet.command import run_all
from bench.protocol import Protocol
from bench.records.record import Record
from bench.records.store import read_lines
from bench.sweep import SweepRequest
from devices.host.conditions import machine
from devices.targets import Target, read_targets
from exporters.parallel import obtain_all
from models.model import Model
from models.zoo import zoo
from studies.fleet_scale.figures import Figures, Spent
from studies.fleet_scale.hosts import MadeUpHosts
from system.child import Failure

_RESOLUTIONS_PX = (64, 96, 128, 160)
_SECONDS = 0.03  # of an inference: ten samples a visit and its warm-up
_LOOK_S = 0.02
_TABLE = """[fake-{number:04}]
title = "Made-up device {number}"
runtime = "fake"
format = "fake"
precision = "fp32"
batch = 1
device = "none"
options.seconds."*" = {seconds}
"""


class _Header(msgspec.Struct):
    model: "_Model"


class _Model(msgspec.Struct):
    name: str


class _Most:
    value = 0


def targets(devices: int, file: Path) -> list[Target]:
    """So many made-up devices, each a target of its own; they are written into `file`."""
    tables = [_TABLE.format(number=number, seconds=_SECONDS) for number in range(devices)]
    file.write_text("".join(tables), encoding="utf-8")
    return list(read_targets(file).values())


def models(networks: int) -> list[Model]:
    """So many networks: those of the suite at several resolutions. Raises ValueError where it hasn't that many."""
    found = [model.at_resolution(px) for px in _RESOLUTIONS_PX for model in zoo().values()]
    if networks > len(found):
        raise ValueError(f"{networks} networks, at most {len(found)}")
    return found[:networks]


def protocol(visits: int) -> Protocol:
    """So many visits of each network, whatever they show; the time of a sweep is virtual, so it is not bounded."""
    return Protocol(budget_s=1e9, min_visits=visits, max_visits=visits)


def trial(devices: int, networks: int, visits: int, work: Path) -> Figures:
    """Sweep a fleet, with results in the empty folder `work/results`, and say what it took."""
    artifacts, results = work / "artifacts", work / "results"
    work.mkdir(parents=True, exist_ok=True)
    file = work / "targets.toml"
    fleet, chosen, asked = targets(devices, file), models(networks), protocol(visits)
    _export(fleet[0], chosen, artifacts)
    requests = [
        SweepRequest(target=target, models=chosen, protocol=asked, results=results, artifacts=artifacts)
        for target in fleet
    ]
    load = os.getloadavg()[0]
    counted, spent = _sweep(requests, file)
    made = sum(each.visits for each in counted)
    names = [_names(results / f"{target.name}.jsonl") for target in fleet]
    count = sum(map(len, names))
    return Figures(
        devices=devices,
        networks=networks,
        visits_each=visits,
        samples_each=counted[0].samples_each if counted else 0,
        visits=made,
        records=count,
        twice=sum(number - 1 for each in names for number in Counter(each).values()),
        lines=made + count + sum(each.measured for each in counted) + devices,
        load_average=load,
        cpu=str(machine().cpu),
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **msgspec.structs.asdict(spent),
    )


def _sweep(requests: list[SweepRequest], targets_file: Path) -> tuple[list["_Counted"], Spent]:
    """Sweep all targets at once on made-up hosts."""
    with MadeUpHosts([request.target.name for request in requests]) as hosts:
        hosts.cpu_s()  # its process has begun then
        before_bytes = _resident_bytes()
        hosts_cpu_s, cpu_s, wall_s = hosts.cpu_s(), time.process_time(), time.perf_counter()
        with _most_threads() as threads:
            outcomes = run_all(hosts, requests, lambda _, records: _count(records), targets_file=targets_file)
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        hosts_cpu_s = hosts.cpu_s() - hosts_cpu_s
    # Linux counts a thread's pages by the batch, so the two readings may differ where nothing grew.
    peak_bytes = max(before_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    counted = [outcome for outcome in outcomes if isinstance(outcome, _Counted)]
    return counted, Spent(
        wall_s=wall_s,
        driver_cpu_s=cpu_s,
        hosts_cpu_s=hosts_cpu_s,
        before_bytes=before_bytes,
        peak_bytes=peak_bytes,
        threads=threads.value,
    )


class _Counted(NamedTuple):
    """What is kept of a sweep's records."""

    visits: int
    measured: int
    samples_each: int


def _count(records: list[Record]) -> _Counted:
    visits = [visit for record in records if record.measurement for visit in record.measurement.visits]
    measured = sum(1 for record in records if record.measurement)
    return _Counted(len(visits), measured, len(visits[0].samples.seconds) if visits else 0)


def _export(target: Target, chosen: list[Model], artifacts: Path) -> None:
    """The files that all devices share, made before the time is taken."""
    for _, outcome in obtain_all([target.job(model) for model in chosen], artifacts):
        if isinstance(outcome, Failure):
            raise RuntimeError(outcome.reason)


def _names(file: Path) -> list[str]:
    decoder = msgspec.json.Decoder(_Header)
    return [decoder.decode(line).model.name for _, line in read_lines(file)]


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize()


@contextlib.contextmanager
def _most_threads() -> Iterator[_Most]:
    """The most threads that this process has while the block runs, but for the one that counts them."""
    most, ended = _Most(), threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_S):
            most.value = max(most.value, threading.active_count() - 1)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("devices", "networks", "visits"):
        parser.add_argument(name, type=int)
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    said = trial(arguments.devices, arguments.networks, arguments.visits, arguments.work)
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")


if __name__ == "__main__":
    main()
