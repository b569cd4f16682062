"""What `--against` says: how the old side of a duet differs from the target as asked.

option:KEY=VALUE   the same with another option; may be given several times
weights:PATH       the same with other weights, as --weights takes them: a file, a folder, or `official`
artifact:PATH      an exported file of the same format, for one network
target:NAME        another target on the same device
python:PATH        the same under another environment's Python, and thus its versions
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.options import read_option
from devices.runtime import host_clock_s, runtime_of
from devices.targets import Target, find_targets
from exporters.artifact import Artifact
from exporters.formats import find_format
from system.digest import sha256_of
from system.errors import UserError
from system.unreadable import UNREADABLE

KINDS = {
    "option": "option:KEY=VALUE",
    "weights": "weights:PATH",
    "artifact": "artifact:PATH",
    "target": "target:NAME",
    "python": "python:PATH",
}
# Where a device is reached doesn't depend on the side.
_ADDRESS = ("serial", "adb_host", "adb_port", "benchmark_model")


class Against(msgspec.Struct, frozen=True, kw_only=True):
    """The old side, as far as it differs."""

    options: dict[str, Any] = {}
    weights: str | None = None
    artifact: Path | None = None
    target: str | None = None
    python: Path | None = None


def parse_against(texts: Sequence[str]) -> Against:
    """Read every --against together. Raises UserError where one can't be read, or two contradict each other."""
    options: dict[str, Any] = {}
    single: dict[str, str] = {}
    for text in texts:
        kind, colon, value = text.partition(":")
        if kind not in KINDS or not colon or not value:
            raise UserError("unreadable --against", found=repr(text), fix=f"give {' or '.join(KINDS.values())}")
        if kind == "option":
            name, option = read_option(value, "--against option")
            _refuse_second("option " + name, options.get(name), name in options)
            options[name] = option
        else:
            _refuse_second(kind, single.get(kind), kind in single)
            single[kind] = value
    if "artifact" in single and "weights" in single:
        raise UserError("--against has two files", found="artifact: and weights:", fix="give one of them")
    return Against(
        options=options,
        weights=single.get("weights"),
        artifact=Path(single["artifact"]) if "artifact" in single else None,
        target=single.get("target"),
        python=_python(single["python"]) if "python" in single else None,
    )


def old_target(against: Against, new: Target, more_targets: Path | None) -> Target:
    """The target of the old side. Raises UserError where none or several are so named, or it doesn't go with `new`."""
    old = new
    if against.target is not None:
        named = find_targets(against.target, more_targets)
        if len(named) > 1:
            found = ", ".join(target.name for target in named)
            raise UserError("--against names several targets", found=found, fix="name one")
        (old,) = named
        if (old.device, old.batch) != (new.device, new.batch):
            found = f"{old.device}, batch {old.batch} and {new.device}, batch {new.batch}"
            raise UserError("a duet needs one device and one batch", found=found, fix="choose another target")
        address = {name: value for name, value in new.options.items() if name in _ADDRESS}
        old = msgspec.structs.replace(old, options=old.options | address)
    clocks = (runtime_of(old).now_s, runtime_of(new).now_s)
    # A clock that is not the host's is another one for each target.
    if any(clock is not host_clock_s for clock in clocks) and old.name != new.name:
        raise UserError("a duet needs one clock", found=f"{old.name} has its own", fix="choose another target")
    if against.python is not None and runtime_of(old).now_s is not host_clock_s:
        found = f"{old.runtime} has its own, which another process can't move"
        raise UserError("python: needs the host's clock", found=found, fix="choose another target")
    return msgspec.structs.replace(old, options=old.options | against.options)


def old_artifact(path: Path, new: Artifact, target: Target) -> Artifact:
    """The file of `artifact:PATH`, with what lies beside it, as the cache writes it, where that is there.

    Raises UserError where it can't be read or is of another format than `target` loads.
    """
    suffix = find_format(target.format).suffix
    if path.suffix != suffix:
        raise UserError(
            f"{path} is no file for {target.name}", found=path.suffix or "no suffix", fix=f"give a {suffix}"
        )
    try:
        sha256, size_bytes = sha256_of(path), path.stat().st_size
    except OSError as error:
        raise UserError(
            f"can't read {path}", found=error.strerror or str(error), fix="give an existing file"
        ) from error
    try:
        known = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Artifact)
    except (OSError, *UNREADABLE):
        known = None
    if known is not None and known.sha256 == sha256:
        return msgspec.structs.replace(known, path=str(path))
    unknown = msgspec.structs.replace(new, weights="unknown", calibration=None, made_by={}, fidelity=None)
    return msgspec.structs.replace(unknown, path=str(path), sha256=sha256, size_bytes=size_bytes)


def _refuse_second(what: str, first: object, given: bool) -> None:
    if given:
        raise UserError(f"--against has {what} twice", found=f"first {first!r}", fix="give it once")


def _python(text: str) -> Path:
    """The executable, absolute; a virtual environment's is a link, and following it would leave the environment."""
    found = shutil.which(text)
    if found is None or not os.access(found, os.X_OK):
        raise UserError("--against has no such Python", found=repr(text), fix="give an environment's bin/python")
    return Path(found).absolute()
