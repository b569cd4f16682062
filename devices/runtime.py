"""`Runtime`: one way to run artifacts. Each module of devices/runtimes/ holds one, found by the module's name."""

import importlib
import pkgutil
import time
from collections.abc import Callable
from dataclasses import dataclass

import devices.runtimes
from devices.options import Options, read_options
from devices.profilers.operators import Profiler
from devices.session import Session
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError


def as_many_as_fit(target: Target) -> int | None:
    """None: only this machine's memory limits the sessions."""
    return None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a module of devices/runtimes/ gives as `RUNTIME`.

    `absence` says why a target can't run here, or None where it can. `open_session` loads an artifact; it raises
    UserError where it would run elsewhere than the target says. `open_profiler` loads it with its operators timed.
    `options` is the struct of what the runtime understands, or gives it where that depends on the target.
    `sessions_at_once` is how many sessions the device holds, None where only this machine's memory limits them.
    `now_s` is the clock that budgets are counted by, in seconds. Sessions of a runtime that is `in_process` run in
    the sweep's own process; each of any other has a process of its own. Networks that lie `elsewhere`, such as on a
    phone, take no memory of this machine.
    """

    absence: Callable[[Target], str | None]
    open_session: Callable[[Artifact, Target], Session]
    options: type[Options] | Callable[[Target], type[Options]] = Options
    open_profiler: Callable[[Artifact, Target], Profiler] | None = None
    sessions_at_once: Callable[[Target], int | None] = as_many_as_fit
    now_s: Callable[[], float] = time.monotonic
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
    known = [module.name for module in pkgutil.iter_modules(devices.runtimes.__path__)]
    if target.runtime not in known:
        raise UserError(f"target {target.name} has no runtime", found=target.runtime, fix=f"it may be {_or(known)}")
    module = importlib.import_module(f"devices.runtimes.{target.runtime}")
    runtime = vars(module).get("RUNTIME")
    if not isinstance(runtime, Runtime):
        found = "no RUNTIME" if runtime is None else f"RUNTIME is a {type(runtime).__name__}"
        raise UserError(
            f"devices/runtimes/{target.runtime}.py is no runtime", found=found, fix="give it RUNTIME = Runtime(…)"
        )
    return runtime


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
