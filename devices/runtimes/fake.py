"""Runtime `fake`: takes exactly the seconds that its target's table says, by a virtual clock, and makes up logits."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
from msgspec import Meta

from devices.lease import first_free
from devices.options import Options, read_options
from devices.predictor import LoadedPredictor
from devices.runtime import Held, Runtime
from devices.samples import Samples
from devices.session import VIRTUAL_CLOCK, DeviceFull
from devices.targets import Target
from exporters.artifact import Artifact
from models.photographs.classes import CLASSES
from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Value = TypeVar("Value")
_RAN_ON: dict[str, str | int] = {"device": "fake"}


class FakeOptions(Options, frozen=True, kw_only=True):
    """What it takes, and which models fail; of several globs that match a model the first counts."""

    seconds: Annotated[
        dict[str, float | list[float]],
        Meta(description="by glob of models: seconds of an inference, or a list of them that repeats"),
    ] = msgspec.field(default_factory=dict)
    load_s: Annotated[dict[str, float], Meta(description="by glob of models: seconds to open a session")] = (
        msgspec.field(default_factory=dict)
    )
    memory_bytes: Annotated[int, Meta(ge=0, description="memory of the device's own; 0: it has none")] = 0
    session_bytes: Annotated[dict[str, int], Meta(description="by glob of models: what a session takes of it")] = (
        msgspec.field(default_factory=dict)
    )
    fail: Annotated[dict[str, str], Meta(description="by glob of models: why opening one fails")] = msgspec.field(
        default_factory=dict
    )
    devices: Annotated[list[str], Meta(description="names of equal devices, of which one is held at a time")] = (
        msgspec.field(default_factory=list)
    )
    device_factors: Annotated[
        dict[str, float], Meta(description="by device: how many times the seconds an inference takes on it")
    ] = msgspec.field(default_factory=dict)

    @property
    def device(self) -> str:
        """The one device that is named; "" where none or several are."""
        return self.devices[0] if len(self.devices) == 1 else ""


def absence(target: Target) -> str | None:
    """None: it needs nothing."""
    return None


@contextmanager
def hold(target: Target) -> Iterator[Held]:
    """Exclusive use of one of the devices that the options name, if they name any.

    Raises UserError where all of them are held.
    """
    names = read_options(target, FakeOptions).devices
    if not names:
        yield Held(target, None)
        return
    wrong = f"every device of target {target.name} is in use"
    with first_free(names, of=f"fake {target.name}", wrong=wrong, fix="wait until one is free") as name:
        yield Held(msgspec.structs.replace(target, options=target.options | {"devices": [name]}), name)


def now_s(target: Target) -> float:
    """The virtual clock of a target's device, in seconds: it moves only while a session is opened or runs there."""
    return _device(target).now_s


def free_bytes(target: Target) -> int | None:
    """What open sessions leave of the device's memory; None where it has none of its own."""
    memory_bytes = read_options(target, FakeOptions).memory_bytes
    return memory_bytes - _device(target).taken_bytes if memory_bytes else None


def open_session(artifact: Artifact, target: Target) -> "FakeSession":
    """A session for the model that the artifact names.

    Raises UserError where the target's table says that it fails, or says nothing of the model; DeviceFull where it
    takes more memory than is free.
    """
    options = _unless_failing(artifact, target)
    seconds = _look_up(options.seconds, artifact.model)
    if seconds is None:
        raise UserError(f"fake device has no seconds for {artifact.model}", found="no glob matches", fix='add "*"')
    each_s = seconds if isinstance(seconds, list) else [seconds]
    if not each_s or not all(second > 0 for second in each_s):
        raise UserError(
            f"fake device can't take {artifact.model} so long", found=f"{seconds}", fix="give seconds above 0"
        )
    factor = options.device_factors.get(options.device, 1.0)
    return FakeSession([each * factor for each in each_s], _loaded_bytes(artifact, target, options), _device(target))


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """Made-up logits for the model that the artifact names.

    Raises UserError where the target's table says that it fails; DeviceFull where it takes more memory than is free.
    """
    options = _unless_failing(artifact, target)
    network = FakeNetwork(_loaded_bytes(artifact, target, options), _device(target))
    return LoadedPredictor(network, artifact, target)


def _unless_failing(artifact: Artifact, target: Target) -> FakeOptions:
    options = read_options(target, FakeOptions)
    failure = _look_up(options.fail, artifact.model)
    if failure is not None:
        raise UserError(f"fake device fails {artifact.model}", found=failure, fix="as its table says")
    return options


class FakeDevice:
    """One device's virtual clock and what is taken of its memory."""

    def __init__(self) -> None:
        self.now_s, self.taken_bytes = 0.0, 0


# By the name of the target, and of the device where it names one.
_devices: dict[tuple[str, str], FakeDevice] = {}


def _device(target: Target) -> FakeDevice:
    return _devices.setdefault((target.name, read_options(target, FakeOptions).device), FakeDevice())


def _loaded_bytes(artifact: Artifact, target: Target, options: FakeOptions) -> int:
    """The device's memory that the model takes, once the time to load it has passed."""
    device = _device(target)
    device.now_s += _look_up(options.load_s, artifact.model) or 0.0
    takes_bytes = _look_up(options.session_bytes, artifact.model) or 0
    if options.memory_bytes and takes_bytes > options.memory_bytes - device.taken_bytes:
        raise DeviceFull("the fake device is full", found=f"{takes_bytes} bytes to take", fix="as its table says")
    return takes_bytes


class _Memory:
    """Some of the device's memory, until it is freed."""

    def __init__(self, device: FakeDevice, taken_bytes: int) -> None:
        self._device, self._taken_bytes = device, taken_bytes
        device.taken_bytes += taken_bytes

    def free(self) -> None:
        """A second call does nothing."""
        self._device.taken_bytes -= self._taken_bytes
        self._taken_bytes = 0


class FakeNetwork:
    """Logits of 1000 classes that depend on the values of an image alone, the same on every machine."""

    def __init__(self, takes_bytes: int = 0, device: FakeDevice | None = None) -> None:
        """Without `device` it has one of its own."""
        self.ran_on, self._memory = dict(_RAN_ON), _Memory(device or FakeDevice(), takes_bytes)

    def logits(self, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Random numbers, those of each image seeded by a digest of its values."""
        import numpy as np

        seeds = [int.from_bytes(hashlib.sha256(image.tobytes()).digest()) for image in images]
        rows = [np.random.Generator(np.random.PCG64(seed)).standard_normal(CLASSES, np.float32) for seed in seeds]
        return np.stack(rows)

    def close(self) -> None:
        """Free the device's memory."""
        self._memory.free()


class FakeSession:
    """Inferences that take the given seconds in turn, over and over."""

    clock = VIRTUAL_CLOCK
    aggregates = False

    def __init__(self, seconds: list[float], takes_bytes: int = 0, device: FakeDevice | None = None) -> None:
        """Without `device` it has one of its own."""
        self.ran_on, self._device = dict(_RAN_ON), device or FakeDevice()
        self._memory = _Memory(self._device, takes_bytes)
        self._seconds = itertools.cycle(seconds)

    def run(self, count: int) -> Samples:
        """The table's seconds; only the virtual clock moves."""
        seconds = list(itertools.islice(self._seconds, count))
        self._device.now_s += sum(seconds)
        return Samples(seconds=seconds)

    def close(self) -> None:
        """Free the device's memory; a second call does nothing."""
        self._memory.free()


def _look_up(table: Mapping[str, Value], model: str) -> Value | None:
    return next((value for glob, value in table.items() if fnmatchcase(model, glob)), None)


RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=FakeOptions,
    open_predictor=open_predictor,
    free_bytes=free_bytes,
    now_s=now_s,
    hold=hold,
    in_process=True,
)
