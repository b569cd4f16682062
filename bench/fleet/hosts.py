"""`Hosts`: where a fleet's programs run: the hosts of a Ray cluster, or made-up ones in studies and tests."""

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.fleet.process import Process
from system.cluster import Demand, Line, Node
from system.cluster_connection import Cluster


class Hosts(Protocol):
    """Hosts that programs can be started on."""

    def nodes(self) -> Sequence[Node]:
        """The hosts that are there now."""

    def hold(self, demand: Demand, environment: str, *, name: str, stop: threading.Event) -> Line:
        """A server (`bench.fleet.server`) under an environment's Python on a host, with what it holds there.

        Raises UserError where there is none, or `stop` is set meanwhile.
        """


@dataclass(frozen=True)
class RayHosts:
    """The hosts of a cluster; `wait_s` is how long a host is waited for that the cluster doesn't have."""

    cluster: Cluster
    wait_s: float

    def nodes(self) -> list[Node]:
        return self.cluster.nodes()

    def hold(self, demand: Demand, environment: str, *, name: str, stop: threading.Event) -> Line:
        start = functools.partial(Process, environment)
        return self.cluster.hold(demand, start, name=name, stop=stop, limit_s=self.wait_s)
