"""A runtime's options: a typed struct, read from the open table that targets.toml, `--option` and records hold."""

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from devices.option_help import wanted_by
from devices.targets import Target
from system.errors import UserError, one_line
from system.machine import usable_cores

# The field of `OpenOptions` that holds what is handed on; no option by itself.
REST = "rest"

Read = TypeVar("Read", bound="Options")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every runtime understands; a runtime's own options derive from it.

    A field's default, range and help (the `description` of its Meta) stand there and nowhere else.
    """

    planted_slowdown: Annotated[
        float,
        Meta(ge=0, le=100, description="share by which every inference is made longer, to test what finds slowdowns"),
    ] = 0.0


class DeviceClockOptions(Options, frozen=True, kw_only=True):
    """The options of a runtime whose seconds a device or a tool takes: nothing can be added within those."""

    planted_slowdown: Annotated[
        float, Meta(ge=0, le=0, description="planted only where the clock is the host's, or the fake device's")
    ] = 0.0


class OpenOptions(DeviceClockOptions, frozen=True, kw_only=True):
    """The options of a runtime that hands those which it doesn't know itself to what it drives."""

    rest: Annotated[dict[str, Any], Meta(description="handed on as it is; what takes it refuses what it doesn't know")]


class ThreadOptions(Options, frozen=True, kw_only=True):
    """The options of a runtime on this machine's processor."""

    threads: Annotated[
        Annotated[int, Meta(ge=1)] | Literal["physical cores"],
        Meta(description="threads of an inference; physical cores are all that this process may use"),
    ] = "physical cores"

    @property
    def thread_count(self) -> int:
        """The threads as a number."""
        return usable_cores() if self.threads == "physical cores" else self.threads


def read_options(target: Target, kind: type[Read]) -> Read:
    """The options of a target as a struct; numbers and true or false may be written as text.

    Raises UserError that names the option and what it, or the target, understands.
    """
    given: dict[str, Any] = dict(target.options)
    known = [name for name in kind.__struct_fields__ if name != REST]
    unknown = {name: given.pop(name) for name in target.options if name not in known}
    if issubclass(kind, OpenOptions):
        given[REST] = unknown
    elif unknown:
        found, fix = ", ".join(map(repr, unknown)), f"it understands {', '.join(sorted(known))}"
        raise UserError(f"target {target.name} has no such option", found=found, fix=fix)
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong(target, kind, one_line(error)) from error


def _wrong(target: Target, kind: type[Options], said: str) -> UserError:
    match = re.search(r"(?:required field `|at `\$\.)(\w+)", said)
    assert match is not None, said
    name = match[1]
    wanted = wanted_by(kind, name)
    if name not in target.options:
        return UserError(f"target {target.name} names no {name}", found=f"no option {name}", fix=f"give {wanted}")
    found = repr(target.options[name])
    return UserError(f"target {target.name} can't take such an option {name}", found=found, fix=f"give {wanted}")
