"""`Runtime`: one way to run artifacts. Each module of devices/runtimes/ holds one, found by the module's name."""

import importlib
import pkgutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import devices.runtimes
from devices.options import Options, read_options
from devices.predictor import Predictor
from devices.profilers.operators import Profiler
from devices.session import Session
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError

# What is called with an artifact and its target before the first session is opened.
Preparation = Callable[[Artifact, Target], None]


def no_memory_of_its_own(target: Target) -> int | None:
    """None: sessions live in this machine's memory."""
    return None


def nothing_to_prepare(target: Target) -> None:
    """None: sessions need their file alone."""
    return


def as_on_a_host(target: Target) -> Mapping[str, float]:
    """No field of the protocol is another than a host's processor needs."""
    return {}


def host_clock_s(target: Target) -> float:
    """The host's own clock, in seconds."""
    return time.monotonic()


@dataclass(frozen=True)
class Held:
    """A device that is held: the target, its options naming that device, and the device's name for records.

    `device` is None where the runtime has no devices that are held.
    """

    target: Target
    device: str | None


@contextmanager
def nothing_to_hold(target: Target) -> Iterator[Held]:
    """The target as it is: nothing of it is exclusive."""
    yield Held(target, None)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a module of devices/runtimes/ gives as `RUNTIME`.

    `absence` says why a target can't run here, or None where it can. `open_session` loads an artifact; it raises
    UserError where it would run elsewhere than the target says. `open_profiler` loads it with its operators timed.
    `open_predictor` loads it to be asked for logits, by the same provider, precision and options; None where the
    runtime can't.
    `options` is the struct of what the runtime understands, or gives it where that depends on the target.
    `preparation` gives what is called with each artifact in the export step, None where sessions need the file alone.
    `free_bytes` is what is free of the device's own memory, None where sessions live in this machine's.
    `protocol` gives the fields of the protocol (bench/protocol.py) that are others on the device than on a host.
    `now_s` is the clock that budgets of a target are counted by, in seconds. `hold` gives exclusive use of a device
    while its context is open; it raises UserError where there is none, or all are held. Sessions of a runtime that is
    `in_process` run in the sweep's own process; each of any other has a process of its own. Networks that lie
    `elsewhere`, such as on a phone, take no memory of this machine.
    """

    absence: Callable[[Target], str | None]
    open_session: Callable[[Artifact, Target], Session]
    options: type[Options] | Callable[[Target], type[Options]] = Options
    open_profiler: Callable[[Artifact, Target], Profiler] | None = None
    open_predictor: Callable[[Artifact, Target], Predictor] | None = None
    preparation: Callable[[Target], Preparation | None] = nothing_to_prepare
    free_bytes: Callable[[Target], int | None] = no_memory_of_its_own
    protocol: Callable[[Target], Mapping[str, float]] = as_on_a_host
    now_s: Callable[[Target], float] = host_clock_s
    hold: Callable[[Target], AbstractContextManager[Held]] = nothing_to_hold
    in_process: bool = False
    elsewhere: bool = False

    def options_of(self, target: Target) -> type[Options]:
        """The struct that reads a target's options."""
        return self.options if isinstance(self.options, type) else self.options(target)

    def read_options(self, target: Target) -> Options:
        """A target's options. Raises UserError where one isn't understood, or out of its range."""
        return read_options(target, self.options_of(target))


def runtime_of(target: Target) -> Runtime:
    """What runs a target. Raises UserError where targets.toml names a runtime that isn't there or is none."""
    name = f"devices.runtimes.{target.runtime}"
    if name not in sys.modules:  # the folder is listed for a new name only: a session asks several times
        known = [module.name for module in pkgutil.iter_modules(devices.runtimes.__path__)]
        if target.runtime not in known:
            raise UserError(f"target {target.name} has no runtime", found=target.runtime, fix=f"it may be {_or(known)}")
    module = importlib.import_module(name)
    runtime = vars(module).get("RUNTIME")
    if not isinstance(runtime, Runtime):
        found = "no RUNTIME" if runtime is None else f"RUNTIME is a {type(runtime).__name__}"
        raise UserError(
            f"devices/runtimes/{target.runtime}.py is no runtime", found=found, fix="give it RUNTIME = Runtime(…)"
        )
    return runtime


def protocol_of(target: Target) -> dict[str, int | float]:
    """The fields of the protocol that a target measures by: its device's, or its own where it has them."""
    return {**runtime_of(target).protocol(target), **target.protocol}


def absence_of(target: Target) -> str | None:
    """Why a target can't run here, or is asked for what its runtime doesn't understand; None where it can run."""
    try:
        runtime = runtime_of(target)
        runtime.read_options(target)
        return runtime.absence(target)
    except UserError as error:
        return str(error)


def _or(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1]))
