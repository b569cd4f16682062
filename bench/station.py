"""`Station`: a device while a sweep holds it: its sessions, its reference workloads and the clock of its budget."""

import functools
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

import msgspec

from bench.measure import visit
from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.network_run import NetworkRun
from bench.sessions import Sessions
from bench.trust.reference import Reference, reference_for
from bench.trust.visit import Visit
from devices.runtime import Held, runtime_of
from exporters.artifact import Artifact


class Station:
    """Visits networks on one device; a context that ends every session it has loaded.

    Its clock begins with the first visit, at `elapsed_s`. Where there isn't room for all sessions they are loaded again
    and again, and a phone cools before a visit: the budget is of sampling, and its clock leaves both aside.
    """

    def __init__(
        self, held: Held, protocol: Protocol, workloads: Mapping[str, Artifact], elapsed_s: float = 0.0
    ) -> None:
        target = held.target
        self._target, self._device, self._protocol, self._workloads = target, held.device, protocol, workloads
        self._opened: list[Opened] = []
        self._sessions = Sessions(target, protocol, self._opened.append)
        self._clock_s = functools.partial(runtime_of(target).now_s, target)
        self._begun_at_s, self._origin_s, self._waited_s = elapsed_s, float("nan"), 0.0
        self._running = False
        self._closing = ExitStack()
        self._reference = Reference()

    def __enter__(self) -> "Station":
        """Start the reference workloads. Raises UserError where one can't be run."""
        protocol = self._protocol
        with ExitStack() as closing:
            self._reference = closing.enter_context(
                reference_for(
                    self._target, self._workloads, timeout_s=protocol.timeout_s, gather_share=protocol.gather_share
                )
            )
            closing.callback(self._sessions.close_all)
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def elapsed_s(self) -> float:
        """Seconds of the sweep so far, loading and waiting left aside."""
        if not self._running:
            return self._begun_at_s
        return self._clock_s() - self._origin_s - self.loading_s - self._waited_s

    @property
    def loading_s(self) -> float:
        """What loading and warming up took so far."""
        return self._sessions.loading_s

    def opened(self) -> list[Opened]:
        """The sessions that were loaded since this was last asked."""
        opened, self._opened[:] = list(self._opened), []
        return opened

    def open_first(self, runs: Sequence[NetworkRun]) -> list[NetworkRun]:
        """The networks in the same order, those with an open session first."""
        return self._sessions.open_first(runs)

    def open_ahead(self, runs: Sequence[NetworkRun]) -> None:
        """Open the sessions of several networks at once, as far as the device allows it."""
        self._sessions.open_ahead(runs)

    def load(self, run: NetworkRun) -> None:
        """Load and warm up a network, if there is room beside those that are open.

        Raises SessionLost where it can't be loaded or fails in its warm-up.
        """
        if self._sessions.has_room(run):
            self._sessions.of(run)

    def visit(self, run: NetworkRun) -> Visit:
        """One visit of a network, loaded first if it isn't. Raises SessionLost where it can't go on."""
        if not self._running:
            self._origin_s = self._clock_s() - self._begun_at_s - self.loading_s
            self._running = True
        done = visit(self._sessions.of(run), self._protocol, lambda: self.elapsed_s, self._reference)
        self._waited_s += done.waited_s
        return msgspec.structs.replace(done, device=self._device)

    def close(self, run: NetworkRun) -> None:
        """End a network's session, if it has one."""
        self._sessions.close(run)
