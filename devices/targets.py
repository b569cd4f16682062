"""The targets: each a device, a runtime and how it is driven, read from targets.toml."""

import functools
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec

from exporters.artifact import Job
from exporters.formats import chain, find_format
from models.given.factory import NetworkError
from models.model import Model
from system.errors import UserError, one_line
from system.names import select, split_at

_FILE = Path(__file__).with_name("targets.toml")
BATCHES = range(1, 65537)  # the images of the largest take 39 GB at 224 px in FP32


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the table; the comments of targets.toml say what each field means.

    A record may hold fields of a later version, which are ignored; targets.toml may not. What `options` may hold is up
    to the runtime (`devices.runtime`).
    """

    name: str
    title: str
    runtime: str
    format: str
    precision: str
    batch: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
    device: str
    compute_capabilities: tuple[str, ...] = ()
    note: str = ""
    options: dict[str, Any] = {}
    protocol: dict[str, int | float] = {}

    def at_batch(self, batch: int) -> "Target":
        """The same target with another batch; itself where that is its own."""
        if batch == self.batch:
            return self
        return msgspec.structs.replace(self, name=f"{self.name}@{batch}", batch=batch)

    def job(self, model: Model, weights: Path | None = None, calibration: Path | None = None) -> Job:
        """The file of `model` that this target loads; `calibration` matters to integer formats alone.

        Raises NetworkError, which names the targets that can, where no such file can be made of a network that came as
        a file, or where it takes another batch.
        """
        job = self._job(model, weights, calibration)
        if model.file is not None and (wrong := _refusal(self, job)):
            able = [other.at_batch(model.batch or other.batch) for other in find_targets("*")]
            names = [other.name for other in able if not _refusal(other, other._job(model))]
            fix = f"choose {' or '.join(names)}" if names else "no target runs it"
            raise NetworkError(f"target {self.name} can't run {model.name}", found=wrong, fix=fix)
        return job

    def _job(self, model: Model, weights: Path | None = None, calibration: Path | None = None) -> Job:
        # Where the runtime fixes the batch when it loads the file, one file serves every batch.
        batch = None if find_format(self.format).dynamic_batch else self.batch
        return Job(
            model=model,
            format=self.format,
            precision=self.precision,
            batch=batch,
            weights=weights,
            calibration=calibration,
            compute_capabilities=self.compute_capabilities,
        )


def _refusal(target: Target, job: Job) -> str:
    """Why a target can't run the network of `job`, which came as a file; "" where it can."""
    if job.model.batch not in {None, target.batch}:
        return f"it takes batches of {job.model.batch}, not of {target.batch}"
    try:
        chain(job)
    except NetworkError as error:
        return str(error)
    except UserError:  # what makes it isn't here, which the file isn't to blame for
        return ""
    return ""


def find_targets(pattern: str, extra: Path | None = None) -> list[Target]:
    """The targets that a name or a glob matches, which a batch may follow, such as `cpu@8` or `cpu*@8`.

    `extra` is a TOML file of more targets, or of other ones by the same name. Raises UserError naming the nearest
    names, or what is wrong with the batch or in a file.
    """
    targets = read_targets(_FILE) | (read_targets(extra) if extra else {})
    pattern, batch = split_at(pattern)
    if batch is not None and batch not in BATCHES:
        raise UserError("batch out of range", found=f"@{batch}", fix=f"expected 1 to {BATCHES[-1]} images")
    found = [targets[name] for name in select(pattern, targets, "target")]
    return found if batch is None else [target.at_batch(batch) for target in found]


@functools.cache
def read_targets(path: Path) -> dict[str, Target]:
    """Every target of a TOML file by name. Raises UserError naming the table and field that are wrong."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: _read(name, table) for name, table in tables.items()}
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"unreadable targets in {path}", found=one_line(error), fix="mend that file") from error


def _read(name: str, table: object) -> Target:
    try:
        if not isinstance(table, dict):
            raise msgspec.ValidationError("expected a table")
        if split_at(name)[1] is not None:
            raise msgspec.ValidationError("a name can't end in @ and a number, which is a batch")
        # What make installs for a target is no condition of a measurement, so records don't hold it.
        fields = {field: value for field, value in table.items() if field != "environment"}
        if unknown := ", ".join(sorted(fields.keys() - set(Target.__struct_fields__))):
            raise msgspec.ValidationError(f"unknown field {unknown}")
        return msgspec.convert(fields | {"name": name}, Target)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"[{name}] {error}") from error
