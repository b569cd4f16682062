"""`python -m bench TARGET ... --ray ADDRESS`: the sweeps of several targets at once, on the hosts of a Ray cluster."""

import argparse
import gc
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple

from bench.fleet.board import Board
from bench.fleet.crew import Crew
from bench.fleet.exports import Exports, portable_of
from bench.fleet.holder import Holder
from bench.fleet.hosts import Hosts, RayHosts
from bench.fleet.stations import FleetStations
from bench.options import sweep_request
from bench.protocol import Protocol
from bench.records.record import Record
from bench.sweep import Kept, SweepRequest, sweep_at
from bench.table import print_rows, rows_of
from devices.environment import environment_of
from devices.targets import Target
from models.model import Model
from system.cluster_connection import connected
from system.cluster_options import address_of, read_runtime_env
from system.errors import UserError
from system.stop import AnyStop

Sweeps = Sequence[SweepRequest]

# Its lock, the file that it appends to, and its connection to the host; and what any program and Ray have open.
_FILES_A_SWEEP, _FILES_BESIDE = 4, 1024
_OBJECTS_A_VISIT = 100  # about so many live until its answer is there, of those that the garbage collector knows


def run_fleet(
    arguments: argparse.Namespace,
    targets: Sequence[tuple[Target, Protocol]],
    models: Sequence[Model],
    checkpoints: Mapping[Model, Path],
) -> int:
    """Measure on a cluster; exit 1 where a network has no number."""
    runtime_env = read_runtime_env(arguments.runtime_env)
    complete = True
    with connected(address_of(arguments.ray), runtime_env) as cluster:
        hosts = RayHosts(cluster, arguments.host_wait)
        for repetition in range(arguments.repeat):
            requests = [
                sweep_request(arguments, target, protocol, models, checkpoints, repetition)
                for target, protocol in targets
            ]
            outcomes = run_all(hosts, requests, _Table.of, targets_file=arguments.targets)
            for request, outcome in zip(requests, outcomes, strict=True):
                complete = _print(request, outcome) and complete
    return 0 if complete else 1


def run_all(
    hosts: Hosts,
    requests: Sweeps,
    keep: Callable[[SweepRequest, list[Record]], Kept],
    *,
    targets_file: Path | None = None,
) -> list[Kept | UserError]:
    """Sweep every target at once, each on devices of its own; what `keep` makes of its records, or why there are none.

    Only that is held until all have ended: the records of 1,000 devices would fill the memory, and are on disk. One
    target's trouble is no other's. Ctrl-C ends all; every visit so far is kept.
    """
    _allow_files(_FILES_A_SWEEP * len(requests) + _FILES_BESIDE)
    stop = threading.Event()
    with (
        _collecting_rarely(len(requests)),
        Exports(hosts, requests[0].artifacts, stop) as exports,
        Board([request.target.name for request in requests]) as board,
        ThreadPoolExecutor(len(requests)) as pool,
    ):
        exports.begin([job for request in requests for job in filter(None, map(portable_of, request.jobs()))])
        sweeper = _Sweep(hosts, exports, stop, board, keep)
        # Asked for here: every thread would read the same file of targets at once.
        environments = [environment_of(request.target.name, targets_file) for request in requests]
        running = [pool.submit(sweeper, *each) for each in zip(requests, environments, strict=True)]
        try:
            return [each.result() for each in running]
        except BaseException:
            stop.set()
            raise


def _allow_files(count: int) -> None:
    """Let this process have so many files open, as far as the system lets it: the usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextmanager
def _collecting_rarely(sweeps: int) -> Iterator[None]:
    """Let the garbage collector leave the newest objects alone until so many sweeps may have made a visit each.

    While one sweep waits for an answer the others make objects. Were it to begin after 700, as it does unless it is
    told, what a waiting sweep holds would count as old, and the more sweeps, the more often all old objects are
    searched.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _OBJECTS_A_VISIT * sweeps), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(frozen=True)
class _Sweep(Generic[Kept]):
    hosts: Hosts
    exports: Exports
    stop: threading.Event
    board: Board
    keep: Callable[[SweepRequest, list[Record]], Kept]

    def __call__(self, request: SweepRequest, environment: str) -> Kept | UserError:
        watch = self.board.watch(request.target.name)
        request = replace(request, stage=watch.stage)
        try:
            stop = AnyStop(self.stop)
            holder = Holder(
                self.hosts,
                request.target,
                request.protocol,
                environment=environment,
                artifacts=request.artifacts,
                stop=stop,
            )
            stations = FleetStations(request, Crew(holder, stop), self.exports, self.stop, watch)
            return sweep_at(stations, request, partial(self.keep, request))
        except UserError as error:
            return error
        finally:
            watch.end()


class _Table(NamedTuple):
    """What is printed of a sweep at the end, and whether every network has a number."""

    rows: list[list[str]]
    complete: bool

    @classmethod
    def of(cls, request: SweepRequest, records: list[Record]) -> "_Table":
        return cls(rows_of(request.target, records), all(record.measurement for record in records))


def _print(request: SweepRequest, outcome: _Table | UserError) -> bool:
    """Print what came of a sweep; whether every network has a number."""
    if isinstance(outcome, UserError):
        print(f"error: target {request.target.name}: {outcome}", file=sys.stderr)  # noqa: T201
        return False
    print_rows(request.target, outcome.rows)
    return outcome.complete
