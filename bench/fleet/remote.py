"""`Remote`: one program on a host, as the driver talks to it: every answer read as foreign data, every wait limited."""

import threading
from collections import Counter
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TypeVar

import msgspec

from bench.fleet.depot import PART_BYTES, token_in
from bench.fleet.messages import (
    Begin,
    Begun,
    Came,
    Clock,
    Close,
    Content,
    End,
    Ended,
    Fetch,
    Go,
    Happened,
    Held,
    Hello,
    Hosted,
    Load,
    Made,
    Make,
    Now,
    Offer,
    Part,
    Question,
    Refused,
    Source,
    Told,
    encode,
    read_answer,
)
from bench.fleet.wanted import WantedFile
from bench.protocol import Protocol
from bench.records.network_run import NetworkRun
from devices.host.conditions import Moment
from devices.targets import Target
from exporters.artifact import Artifact
from system.cluster import Line, LineLost
from system.errors import UserError

_TALK_S = 300.0  # for what takes a host seconds at most; the first one imports libraries
_END_S = 10.0  # for sessions to end and a phone to be as it was
_LOOK_S = 1.0  # how often it is looked whether the sweep was interrupted
_EXPORT_S = 6 * 3600.0  # for files: an engine of a large network takes its builder minutes

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Remote:
    """A program on a host.

    Everything raises LineLost where the program or its host is gone or doesn't answer in time, and UserError where it
    refuses, what it says can't be read or can't be, or `stop` is set meanwhile.
    """

    def __init__(self, line: Line, artifacts: Path, stop: threading.Event | None = None) -> None:
        self.line, self.host = line, line.host
        self._stop = stop or threading.Event()
        self.device: str | None = None
        self.workloads: dict[str, Artifact] = {}
        self.made: dict[str, Artifact] = {}  # files that are bound to its host, by network
        self.elapsed_s = self.loading_s = 0.0
        self.visits: Counter[str] = Counter()
        said = self._ask(Hello(artifacts=str(artifacts.absolute()), token=token_in(artifacts)), Hosted, _TALK_S)
        self.machine, self.shares_artifacts, self.niceness = said.machine, said.shares_artifacts, said.niceness

    def begin(self, target: Target, protocol: Protocol) -> None:
        """Take the device of a target."""
        begun = self._ask(Begin(target=target, protocol=protocol), Begun, _EXPORT_S)
        self.workloads, self.device = begun.workloads, begun.device

    def clock(self, elapsed_s: float) -> None:
        """Start its clock at so many seconds."""
        happened = self._ask(Clock(elapsed_s=elapsed_s), Happened, _TALK_S)
        self.elapsed_s = happened.elapsed_s

    def moment(self) -> Moment:
        """How the host is now."""
        return self._ask(Now(), Told, _TALK_S).moment

    def make(self, jobs: list[WantedFile]) -> list[Came]:
        """What comes of each job there, in their order."""
        outcomes = self._ask(Make(jobs=jobs), Made, _EXPORT_S).outcomes
        if len(outcomes) != len(jobs):
            raise UserError("a host made other files", found=f"{len(outcomes)} of {len(jobs)}", fix="see that host")
        return outcomes

    def deliver(self, artifact: Artifact) -> None:
        """Bring a file there whole, as far as it isn't there yet."""
        held = self._ask(Offer(artifact=artifact), Held, _TALK_S)
        if held.whole:
            return
        with Path(artifact.path).open("rb") as file:
            file.seek(held.size_bytes)
            while part := file.read(PART_BYTES):
                offset = file.tell() - len(part)
                self._ask(Part(sha256=artifact.sha256, offset=offset, content=part), Held, _TALK_S)
        if not self._ask(Offer(artifact=artifact), Held, _TALK_S).whole:
            what = f"the file of {artifact.model} did not arrive whole on {self.host}"
            raise UserError(what, found="another sha256", fix="go on with --resume")

    def deliver_source(self, job: WantedFile, artifact: Artifact) -> None:
        """Bring a file there of which others will be made."""
        self.deliver(artifact)
        self._ask(Source(job=job, artifact=artifact), Held, _TALK_S)

    def fetch(self, artifact: Artifact, path: Path) -> None:
        """Write a file that was made there to `path`; whether it is whole is for the caller to check."""
        with path.open("wb") as file:
            while part := self._ask(Fetch(sha256=artifact.sha256, offset=file.tell()), Content, _TALK_S).content:
                if file.tell() + len(part) > artifact.size_bytes:
                    break  # it is another file then
                file.write(part)

    def file_of(self, run: NetworkRun) -> Artifact:
        """The file of a network that it loads: its host's own, or the one that all hosts load."""
        artifact = self.made.get(run.name, run.artifact)
        assert artifact is not None
        return artifact

    def load(self, run: NetworkRun) -> "Future[bytes]":
        """Ask it to load a network; `happened` reads the answer."""
        return self.line.ask(encode(Load(network=run.network, artifact=self.file_of(run))))

    def go(self, run: NetworkRun) -> "Future[bytes]":
        """Ask it to visit a network; `happened` reads the answer."""
        self.visits[run.name] += 1
        return self.line.ask(encode(Go(network=run.network, artifact=self.file_of(run))))

    def close_network(self, run: NetworkRun) -> None:
        """Ask it to end a network's session, whenever it comes to that."""
        self.line.ask(encode(Close(network=run.network)))

    def happened(self, answered: "Future[bytes]") -> Happened:
        """What happened, by an answer that is there."""
        happened = self._read(answered.result(), Happened)
        if not (0 <= happened.elapsed_s < float("inf") and 0 <= happened.loading_s < float("inf")):
            found = f"{happened.elapsed_s} s, {happened.loading_s} s"
            raise UserError(f"the clock of {self.host} is impossible", found=found, fix="see that host")
        self.elapsed_s, self.loading_s = happened.elapsed_s, happened.loading_s
        return happened

    def end(self) -> None:
        """End its sessions, give the device back as it was, and end it; at once where it doesn't answer soon."""
        with suppress(Exception):  # it is ended all the same
            self._read(self.line.ask(encode(End())).result(timeout=_END_S), Ended)
        self.close()

    def close(self) -> None:
        """End it at once."""
        self.line.close()

    def _ask(self, question: Question, kind: type[Kind], limit_s: float) -> Kind:
        answered, end_s = self.line.ask(encode(question)), monotonic() + limit_s
        while (left_s := end_s - monotonic()) > 0:
            with suppress(TooLong):
                return self._read(answered.result(timeout=min(left_s, _LOOK_S)), kind)
            if self._stop.is_set():
                raise UserError(f"{self.host} was not waited for", found="an interruption", fix="go on with --resume")
        self.close()
        raise LineLost(f"no answer from {self.host} within {limit_s:g} s")

    def _read(self, message: bytes, kind: type[Kind]) -> Kind:
        answer = read_answer(message, kind)
        if not isinstance(answer, Refused):
            return answer
        if answer.gone:
            raise LineLost(answer.reason)
        raise UserError(f"host {self.host} refuses", found=answer.reason, fix="see that host")
