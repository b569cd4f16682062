"""`Session`, `Samples`, and how the modules of this package are found by a runtime's name."""

import importlib
import pkgutil
import time
from collections.abc import Callable, Collection
from typing import Protocol, cast

import devices.runtimes
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError


class Session(Protocol):
    """An artifact loaded on a target, its input already there."""

    ran_on: dict[str, str | int]  # where it truly runs: provider, threads, delegate
    clock: str  # which clock takes the seconds
    aggregates: bool  # whether one `run` gives one sample, a tool's median after its own warm-up

    def run(self, count: int) -> Samples:
        """Run `count` inferences; average nothing."""

    def close(self) -> None:
        """Free the device."""


class Runtime(Protocol):
    """What a module `devices/RUNTIME.py` holds."""

    IN_PROCESS: bool  # whether sessions run in the sweep's own process; each has one of its own elsewhere

    def absence(self, target: Target) -> str | None:
        """Why the target can't run here, or None where it can."""

    def open_session(self, artifact: Artifact, target: Target) -> Session:
        """Load the artifact; raises UserError where it would run elsewhere than the target says."""


def runtime_of(target: Target) -> Runtime:
    """The module that runs a target. Raises UserError where targets.toml names one that isn't there."""
    known = [module.name for module in pkgutil.iter_modules(devices.runtimes.__path__)]
    module = importlib.import_module(f"devices.runtimes.{target.runtime}") if target.runtime in known else None
    if not hasattr(module, "open_session"):
        raise UserError(f"target {target.name} has no runtime", found=target.runtime, fix="see devices/runtimes/")
    return cast(Runtime, module)


def absence_of(target: Target) -> str | None:
    """Why a target can't run here, or is asked for what its runtime doesn't understand; None where it can run."""
    try:
        _refuse_unknown_options(target)
        return runtime_of(target).absence(target)
    except UserError as error:
        return str(error)


def _refuse_unknown_options(target: Target) -> None:
    """A misspelt option would be recorded and change nothing. A runtime without `options` understands any."""
    understood: Callable[[Target], Collection[str] | None] = getattr(runtime_of(target), "options", lambda target: None)
    known = understood(target)
    unknown = [name for name in target.options if known is not None and name not in known]
    if unknown:
        fix = f"it understands {', '.join(sorted(known or ()))}"
        raise UserError(f"target {target.name} has no such option", found=", ".join(map(repr, unknown)), fix=fix)


def sessions_at_once(target: Target) -> int | None:
    """How many sessions a target's device holds at once; None where only this machine's memory limits them."""
    limit: Callable[[Target], int | None] = getattr(runtime_of(target), "sessions_at_once", lambda target: None)
    return limit(target)


def clock_of(target: Target) -> Callable[[], float]:
    """The clock that budgets are counted by, in seconds: the host's, but for a device with a virtual one."""
    clock: Callable[[], float] = getattr(runtime_of(target), "now_s", time.monotonic)
    return clock
