"""`Crew`: the programs that hold a target's devices for one sweep; one that is lost is replaced."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

from bench.fleet.hosts import Hosts
from bench.fleet.placement import demand_of, devices_of
from bench.fleet.remote import Remote
from bench.protocol import Protocol
from bench.records.resume import other_machine
from devices.host.conditions import Machine
from devices.targets import Target
from system.child import reason_of
from system.cluster import Demand, Line, LineLost
from system.errors import UserError
from system.stop import AnyStop

_MOST_TRIES = 3  # programs that may be lost one after the other before they could visit anything
# What is done with a program before it may visit anything.
Preparation = Callable[[Remote], None]


class Crew:
    """The devices of `target`, whose programs run under the Python of an environment.

    Those that join later do so in threads of their own, and are met by `members`. `machine` is what is measured, once
    that is known; who goes on with an earlier sweep sets it to that sweep's.
    """

    def __init__(
        self,
        hosts: Hosts,
        target: Target,
        protocol: Protocol,
        *,
        environment: str,
        artifacts: Path,
        stop: threading.Event,
    ) -> None:
        self._hosts, self._target, self._protocol = hosts, target, protocol
        self._artifacts, self._stop = artifacts, AnyStop(stop)
        self._environment = environment
        self._members: list[Remote] = []
        self._joining: list[threading.Thread] = []
        self._joined: SimpleQueue[Remote | str] = SimpleQueue()
        self.machine: Machine | None = None
        self._warned: set[str] = set()
        self._several = self._built = False  # once it has begun
        self.why = "no host"  # why nobody joined, the last time

    def first(self, *, builds: bool) -> Remote:
        """Hold a first device, no member yet; with all cores of its host where it `builds` files.

        Raises UserError or LineLost where it can't be held.
        """
        demand = self._demand()
        return self._hold(demand._replace(whole_host=True) if builds and demand.resources.get("CPU") else demand)

    def begin(self, first: Remote, prepare: Preparation, *, built: bool) -> None:
        """Make the first device a member, and let the others join that the cluster has of it.

        Where it `built` files it gives all cores of its host but one back. One that is lost meanwhile is replaced, and
        where there is one device only also one that refuses, by one of another host. Raises UserError where `stop` is
        set meanwhile.
        """
        demand = self._demand()
        self._several, self._built = first.device is not None, built
        try:
            if built and demand.resources.get("CPU") and not demand.whole_host:
                first.end()
                first = self._hold(demand._replace(node=first.line.node))
            self._members.append(first)
            prepare(first)
        except LineLost:
            self.lose(first, prepare)
            if not self._joining:
                self._join(prepare)
        except UserError as error:
            if self._stop.is_set():
                raise
            self._refuse(first, str(error))
            if not self._several and self._offered(demand.without(first.line.node)):
                self._join(prepare, without=first.line.node)
        if self._several:
            for _ in range(devices_of(demand, self._hosts.nodes()) - 1):
                self._join(prepare)

    def members(self, *, wait_s: float = 0.0) -> Sequence[Remote]:
        """Those who are there now; waits so long for the first of those who are joining, where there is none."""
        end_s = monotonic() + wait_s
        while True:
            try:
                came = self._joined.get(timeout=max(0.0, end_s - monotonic()) if not self._members else 0)
            except Empty:
                return self._members
            if isinstance(came, Remote):
                self._members.append(came)
            else:
                self.why = came

    @property
    def hopeless(self) -> bool:
        """Whether nobody is there and nobody is joining."""
        self._joining = [thread for thread in self._joining if thread.is_alive()]
        return not self._members and not self._joining and self._joined.empty()

    def lose(self, remote: Remote, prepare: Preparation) -> None:
        """Part with one who is lost, and hold a device in place of the one that it held.

        Where files are bound to their host that is one of the same host, if it is still there: another host would
        measure anew.
        """
        remote.close()
        if remote in self._members:
            self._members.remove(remote)
            self._join(prepare, near=remote.line.node if self._built else None)

    def close(self) -> None:
        """Give everything back, and wait for nothing that isn't held yet."""
        self._stop.set()
        for thread in self._joining:
            thread.join()
        for remote in self.members():
            remote.end()

    def _demand(self) -> Demand:
        return demand_of(self._target, self._hosts.nodes())

    def _offered(self, demand: Demand) -> bool:
        return any(node.offers(demand) for node in self._hosts.nodes())

    def _refuse(self, remote: Remote, why: str) -> None:
        remote.close()
        self.why = why
        self._members[:] = [each for each in self._members if each is not remote]

    def _join(self, prepare: Preparation, *, near: str | None = None, without: str | None = None) -> None:
        thread = threading.Thread(target=self._new_member, args=(prepare, near, without), daemon=True)
        self._joining.append(thread)
        thread.start()

    def _new_member(self, prepare: Preparation, near: str | None, without: str | None) -> None:
        """Put a further device, ready to visit, among those that joined, or the reason why there is none."""
        came: Remote | str = ""
        for _ in range(_MOST_TRIES):
            try:
                came = self._further(prepare, near, without)
                break
            except UserError as error:
                came = str(error)
                break
            except LineLost as lost:
                came = str(lost)
            except Exception as error:  # a bug: the sweep must not wait for a thread that is gone
                came = reason_of(error)
                break
        self._joined.put(came)

    def _further(self, prepare: Preparation, near: str | None, without: str | None) -> Remote:
        """A further device, ready to visit: of node `near` if that serves, of none that is `without`."""
        demand = self._demand()
        if near is not None and self._offered(demand._replace(node=near)):
            try:
                return self._hold(demand._replace(node=near), prepare)
            except (UserError, LineLost):
                without = near
                if self._stop.is_set() or not self._offered(demand.without(near)):
                    raise
        return self._hold(demand if without is None else demand.without(without), prepare)

    def _hold(self, demand: Demand, prepare: Preparation | None = None) -> Remote:
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
                if self._several or self._stop.is_set() or not self._offered(demand):
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
