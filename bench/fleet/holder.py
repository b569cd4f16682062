"""`Holder`: gets hold of a target's devices for one sweep, each by a program on its host that is ready to visit."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench.fleet.hosts import Hosts
from bench.fleet.placement import demand_of, devices_of
from bench.fleet.remote import Remote
from bench.protocol import Protocol
from bench.records.resume import other_machine
from devices.host.conditions import Machine
from devices.targets import Target
from system.cluster import Demand, Line, LineLost
from system.errors import UserError
from system.stop import AnyStop

# What is done with a program before it may visit anything.
Preparation = Callable[[Remote], None]


class Holder:
    """Holds devices of `target`, whose programs run under the Python of an environment.

    `machine` is what is measured, once that is known; who goes on with an earlier sweep sets it to that sweep's.
    `several` is whether the target has several devices, which is known once one is held.
    """

    def __init__(
        self, hosts: Hosts, target: Target, protocol: Protocol, *, environment: str, artifacts: Path, stop: AnyStop
    ) -> None:
        self._hosts, self._target, self._protocol = hosts, target, protocol
        self._environment, self._artifacts, self._stop = environment, artifacts, stop
        self.machine: Machine | None = None
        self.several = False
        self._warned: set[str] = set()

    def demand(self) -> Demand:
        """What a device of the target takes of a host."""
        return demand_of(self._target, self._hosts.nodes())

    def devices(self, demand: Demand) -> int:
        """How many devices the cluster has that a demand is for."""
        return devices_of(demand, self._hosts.nodes())

    def offered(self, demand: Demand) -> bool:
        """Whether any host of the cluster offers it, free or not."""
        return any(node.offers(demand) for node in self._hosts.nodes())

    def further(self, prepare: Preparation, near: str | None, without: str | None) -> Remote:
        """A further device, ready to visit: of node `near` if that serves, of none that is `without`."""
        demand = self.demand()
        if near is not None and self.offered(demand._replace(node=near)):
            try:
                return self.hold(demand._replace(node=near), prepare)
            except (UserError, LineLost):
                without = near
                if self._stop.is_set() or not self.offered(demand.without(near)):
                    raise
        return self.hold(demand if without is None else demand.without(without), prepare)

    def hold(self, demand: Demand, prepare: Preparation | None = None) -> Remote:
        """A device of the first host that neither refuses nor is lost before it is ready; each host is asked once.

        Of a target with several devices one host is asked: the other devices are held by programs of their own. Raises
        the UserError or LineLost of the host that was asked last.
        """
        while True:
            line = self._hosts.hold(demand, self._environment, name=self._target.name, stop=self._stop)
            try:
                return self._ready(line, prepare)
            except (UserError, LineLost):
                demand = demand.without(line.node)
                if self.several or self._stop.is_set() or not self.offered(demand):
                    raise

    def _ready(self, line: Line, prepare: Preparation | None) -> Remote:
        try:
            remote = Remote(line, self._artifacts, self._stop)
            self._refuse_another(remote)
            self._warn_of(remote)
            remote.begin(self._target, self._protocol)
            self.machine = self.machine or remote.machine
            if prepare is not None:
                prepare(remote)
        except BaseException:
            line.close()
            raise
        return remote

    def _warn_of(self, remote: Remote) -> None:
        if remote.niceness > os.nice(0) and remote.host not in self._warned:
            self._warned.add(remote.host)
            what = f"{remote.host} measures {self._target.name} at niceness {remote.niceness}"
            print(f"warning: {what}: start Ray there with RAY_worker_niceness=0", file=sys.stderr)  # noqa: T201

    def _refuse_another(self, remote: Remote) -> None:
        """A sweep's numbers are of one machine."""
        if self.machine and (differing := other_machine(self._target, self.machine, remote.machine)):
            fix = "go on with --resume on the same machine, or begin again"
            raise UserError(f"{remote.host} is not the machine it was", found=", ".join(differing), fix=fix)
