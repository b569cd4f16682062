"""What a sweep's driver and the program on a host say to each other, as MessagePack.

Both ends take what comes from the other for foreign data: a message that isn't one of these, or holds another type
than it should, is refused.
"""

from typing import TypeVar

import msgspec

from bench.fleet.wanted import WantedFile
from bench.protocol import Protocol
from bench.records.journal import Opened
from bench.records.record import Network
from bench.trust.visit import Visit
from devices.host.conditions import Machine, Moment
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE


class Hello(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Say what machine this is. `artifacts` is the driver's folder, `token` the content of a file in it: a host that
    finds it there shares that folder."""

    artifacts: str
    token: str


class Begin(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Take a target's device."""

    target: Target
    protocol: Protocol


class Clock(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Start the reference workloads, and the clock at so many seconds; before anything is loaded."""

    elapsed_s: float


class Make(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Make these files, each after its source."""

    jobs: list[WantedFile]


class Fetch(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Send a part of a file that was made here, from `offset` on."""

    sha256: str
    offset: int


class Offer(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A file that will be needed: say how many bytes of it are here."""

    artifact: Artifact


class Part(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The next part of a file that was offered."""

    sha256: str
    offset: int
    content: bytes


class Source(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A file that was offered is that of `job`, from which others are derived."""

    job: WantedFile
    artifact: Artifact


class Load(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Load and warm up a network, if there is room."""

    network: Network
    artifact: Artifact


class Go(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Visit a network."""

    network: Network
    artifact: Artifact


class Close(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """End a network's session."""

    network: Network


class End(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """End every session, and give the device back as it was."""


class Now(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Say how the machine is."""


Question = Hello | Begin | Clock | Make | Fetch | Offer | Part | Source | Load | Go | Close | End | Now


class Hosted(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The machine, and whether it shares the driver's folder of artifacts. `niceness` is that of its processes."""

    machine: Machine
    shares_artifacts: bool
    niceness: int


class Begun(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The reference workloads' files, and the device that is held, where it is one of several."""

    workloads: dict[str, Artifact]
    device: str | None


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one job: its file, or the reason why there is none."""

    artifact: Artifact | None = None
    reason: str = "it was not made"


class Made(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What came of each job, in their order."""

    outcomes: list[Came]


class Content(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A part of a file; the last one is empty."""

    content: bytes


class Held(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How many bytes of a file are here; `whole` once its content was found to be what its sha256 says."""

    size_bytes: int
    whole: bool


class Happened(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What happened to a network: it was loaded, visited, or can't go on; and the station's clock then."""

    opened: list[Opened]
    visit: Visit | None
    lost: str | None
    elapsed_s: float
    loading_s: float


class Ended(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Nothing is held any more."""


class Told(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How the machine is."""

    moment: Moment


class Refused(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Why the program can't do what it was asked; it goes on. `gone`: it has ended."""

    reason: str
    gone: bool = False


Answer = Hosted | Begun | Made | Content | Held | Happened | Ended | Told | Refused

_questions: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
encode = msgspec.msgpack.Encoder().encode

Kind = TypeVar("Kind", bound=msgspec.Struct)


def read_question(message: bytes) -> Question:
    """The question of a driver. Raises UserError where it is none."""
    try:
        return _questions.decode(message)
    except UNREADABLE as error:
        fix = "install the same version of the suite on both"
        raise UserError("a driver's message can't be read", found=one_line(error, 160), fix=fix) from error


def read_answer(message: bytes, kind: type[Kind]) -> Kind | Refused:
    """The answer of a host, of the kind that was asked for, or why there is none.

    Raises UserError where it is neither.
    """
    try:
        answer = _answers.decode(message)
    except UNREADABLE as error:
        raise _wrong(one_line(error, 160)) from error
    if isinstance(answer, kind | Refused):
        return answer
    raise _wrong(f"{type(answer).__name__} in place of {kind.__name__}")


def _wrong(found: str) -> UserError:
    return UserError("a host's answer can't be read", found=found, fix="install the same version of the suite there")
