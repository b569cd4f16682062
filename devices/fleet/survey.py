"""Every host of a cluster asked at once, as the one who asks sees it: whatever goes wrong costs that host's answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from typing import NamedTuple, Protocol

import msgspec

from devices.fleet.inspection import Asked, Inspected, Wanted
from devices.fleet.inspector import LIMIT_S, Inspector
from system.cluster import Answerer, Demand, Line, LineLost, Node
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

PROGRAM = "devices --ray"  # what other users of the cluster see of it
_START_S = 60.0  # for Ray to start a process, or to make the environment of --runtime-env
_MOST_AT_ONCE = 32

_inspected = msgspec.json.Decoder(Inspected)


class Hosts(Protocol):
    """The part of `system.cluster_connection.Cluster` that is used."""

    def nodes(self) -> list[Node]: ...

    def hold(
        self, demand: Demand, start: type[Answerer], *, name: str, stop: threading.Event, limit_s: float
    ) -> Line: ...


class Surveyed(NamedTuple):
    """A host, and what it answered, or in one line why it didn't."""

    node: Node
    said: Inspected | None
    error: str


def survey(cluster: Hosts, wanted: Sequence[Wanted], *, start_s: float = _START_S) -> list[Surveyed]:
    """What each host is and can run, sorted by their names."""
    nodes = sorted(cluster.nodes(), key=lambda node: (node.host, node.name))
    question = msgspec.json.encode(Asked(wanted=list(wanted)))
    with ThreadPoolExecutor(_MOST_AT_ONCE) as pool:
        return list(pool.map(lambda node: _ask(cluster, node, question, start_s), nodes))


def _ask(cluster: Hosts, node: Node, question: bytes, start_s: float) -> Surveyed:
    late = threading.Event()
    timer = threading.Timer(start_s, late.set)
    timer.daemon = True
    timer.start()
    try:
        line = cluster.hold(Demand({}, node=node.name), Inspector, name=PROGRAM, stop=late, limit_s=0.0)
    except UserError as error:
        return Surveyed(node, None, f"no program started within {start_s:g} s" if late.is_set() else str(error))
    finally:
        timer.cancel()
    try:
        return Surveyed(node, _read(line.ask(question).result(timeout=LIMIT_S + start_s)), "")
    except TooLong:
        return Surveyed(node, None, f"no answer within {LIMIT_S + start_s:g} s")
    except (LineLost, UserError) as error:
        return Surveyed(node, None, str(error))
    finally:
        line.close()


def _read(answer: bytes) -> Inspected:
    try:
        return _inspected.decode(answer)
    except UNREADABLE as error:
        fix = "install the same version of the suite there"
        raise UserError("its answer can't be read", found=one_line(error, 160), fix=fix) from error
