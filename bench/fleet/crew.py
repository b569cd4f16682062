"""`Crew`: the programs that hold a target's devices for one sweep; one that is lost is replaced."""

import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from time import monotonic

from bench.fleet.holder import Holder, Preparation
from bench.fleet.remote import Remote
from devices.host.conditions import Machine
from system.child import reason_of
from system.cluster import LineLost
from system.errors import UserError
from system.stop import AnyStop

_MOST_TRIES = 3  # programs that may be lost one after the other before they could visit anything


class Crew:
    """The devices that are held for one sweep.

    Those that join later do so in threads of their own, and are met by `members`.
    """

    def __init__(self, holder: Holder, stop: AnyStop) -> None:
        self._holder, self._stop = holder, stop
        self._members: list[Remote] = []
        self._joining: list[threading.Thread] = []
        self._joined: SimpleQueue[Remote | str] = SimpleQueue()
        self._built = False  # whether the first device's host made the files
        self.why = "no host"  # why nobody joined, the last time

    def go_on_with(self, machine: Machine | None) -> None:
        """Hold devices of the machine that an earlier sweep measured alone."""
        self._holder.machine = machine

    def first(self, *, builds: bool) -> Remote:
        """Hold a first device, no member yet; with all cores of its host where it `builds` files.

        Raises UserError or LineLost where it can't be held.
        """
        demand = self._holder.demand()
        return self._holder.hold(demand._replace(whole_host=True) if builds and demand.resources.get("CPU") else demand)

    def begin(self, first: Remote, prepare: Preparation, *, built: bool) -> None:
        """Make the first device a member, and let the others join that the cluster has of it.

        Where it `built` files it gives all cores of its host but one back. One that is lost meanwhile is replaced, and
        where there is one device only also one that refuses, by one of another host. Raises UserError where `stop` is
        set meanwhile.
        """
        demand = self._holder.demand()
        self._holder.several, self._built = first.device is not None, built
        try:
            if built and demand.resources.get("CPU") and not demand.whole_host:
                first.end()
                first = self._holder.hold(demand._replace(node=first.line.node))
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
            if not self._holder.several and self._holder.offered(demand.without(first.line.node)):
                self._join(prepare, without=first.line.node)
        if self._holder.several:
            for _ in range(self._holder.devices(demand) - 1):
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
                came = self._holder.further(prepare, near, without)
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
