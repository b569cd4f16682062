"""The artifact cache: every file is made once, checked by its sha256 ever after, and made again when damaged."""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import msgspec

from exporters.artifact import Artifact, Job, sha256_of, versions
from exporters.formats import exporter
from exporters.int8.calibration import calibration_name, is_calibrated
from models.weights import SEEDED
from system.errors import UserError
from system.names import file_name

# Part of every key: raise it when the files that the same tools make, or what is kept of them, change.
_RECIPE = 1


class Cache:
    """The artifacts below one folder: `ROOT/MODEL/PRECISION-bBATCH-KEY.SUFFIX`, each with a JSON file beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open_folder(self) -> None:
        """Make the folder where it is missing. Raises UserError where nothing can be written into it."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()
        except OSError as error:
            raise UserError(
                f"can't write artifacts into {self.root}",
                found=error.strerror or str(error),
                fix="free or choose another folder",
            ) from error

    def path(self, job: Job) -> Path:
        """Where the file of `job` lies, made or not. Raises UserError where its checkpoint can't be read."""
        batch = "dynamic" if job.batch is None else str(job.batch)
        stem = f"{job.precision}-b{batch}-{self._key(job)[:12]}{exporter(job.format).SUFFIX}"
        return self.root / file_name(job.model.name) / stem

    def find(self, job: Job) -> Artifact | None:
        """The artifact of `job` if it is there and its content is what was made."""
        if (source := _source(job)) and self.find(source) is None:
            return None
        path = self.path(job)
        try:
            artifact = msgspec.json.decode(_sidecar(path).read_bytes(), type=Artifact)
            if sha256_of(path) != artifact.sha256:
                return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return msgspec.structs.replace(artifact, path=str(path))

    def obtain(self, job: Job) -> Artifact:
        """The artifact of `job`, exported now if the cache lacks it; two processes never make the same one twice.

        Raises UserError where it can't be exported, is not faithful to its source, or can't be written.
        """
        from filelock import FileLock

        if job.precision not in exporter(job.format).PRECISIONS:
            known = exporter(job.format).PRECISIONS
            raise UserError(f"no such precision of {job.format}", found=job.precision, fix=f"choose {', '.join(known)}")
        if source := _source(job):
            self.obtain(source)
        path = self.path(job)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock")):
                if artifact := self.find(job):
                    return artifact
                _clear(path)
                if path.exists():
                    print(f"warning: damaged artifact {path}, made again", file=sys.stderr)  # noqa: T201
                return self._make(job, path)
        except OSError as error:
            raise UserError(
                f"can't write artifact {path}", found=error.strerror or str(error), fix="free or choose another folder"
            ) from error

    def _key(self, job: Job) -> str:
        module = exporter(job.format)
        parts: dict[str, Any] = {
            "recipe": _RECIPE,
            "source": job.model.source,
            "resolution_px": job.model.resolution_px,
            "format": job.format,
            "precision": job.precision,
            "batch": job.batch,
            "weights": _weights_name(job),
            "made_by": versions(module.TOOLS),
        }
        if recipe := getattr(module, "RECIPE", None):
            parts["format_recipe"] = recipe
        if is_calibrated(job):
            parts["calibration"] = calibration_name(job)
        if build_host := getattr(module, "build_host", None):
            parts["place"] = build_host(job)
        if (source := _source(job)) and (artifact := self.find(source)):
            parts["source_sha256"] = artifact.sha256
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()

    def _make(self, job: Job, path: Path) -> Artifact:
        module = exporter(job.format)
        # A temporary folder, since some formats write more than one file while they are made.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=_making(path)) as folder:
            made = Path(folder) / path.name
            fidelity = module.export(job, made, self)
            artifact = Artifact(
                model=job.model.name,
                format=job.format,
                precision=job.precision,
                batch=job.batch,
                path=str(path),
                input_shape=(job.batch, 3, job.model.resolution_px, job.model.resolution_px),
                sha256=sha256_of(made),
                size_bytes=made.stat().st_size,
                weights=_weights_name(job),
                calibration=calibration_name(job) if is_calibrated(job) else None,
                made_by=_makers(job),
                fidelity=fidelity,
            )
            sidecar = _sidecar(made)
            sidecar.write_bytes(msgspec.json.format(msgspec.json.encode(artifact)))
            _replace(made, path)
            _replace(sidecar, _sidecar(path))
        return artifact


def _making(path: Path) -> str:
    return f".making-{path.stem}-"


def _clear(path: Path) -> None:
    """Remove what an export of this file left that was killed; whoever holds its lock is alone with it."""
    for left in path.parent.glob(f"{_making(path)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _replace(made: Path, path: Path) -> None:
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".json")


def _source(job: Job) -> Job | None:
    """The job whose file this one is made from, for formats whose key holds that file's sha256."""
    source = getattr(exporter(job.format), "source", None)
    return None if source is None else cast(Job, source(job))


def _makers(job: Job) -> dict[str, str]:
    """The tools and versions that make the file of `job`, and where, for formats that depend on the hardware."""
    module = exporter(job.format)
    return versions(module.TOOLS) | (module.build_host(job) if hasattr(module, "build_host") else {})


def _weights_name(job: Job) -> str:
    if job.weights is None:
        return SEEDED
    try:
        return f"{job.weights.name} sha256:{sha256_of(job.weights)}"
    except OSError as error:
        raise UserError(
            f"can't read checkpoint {job.weights}", found=error.strerror or str(error), fix="give an existing file"
        ) from error
