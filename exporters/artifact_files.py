"""The files of one artifact: the exported one and a JSON file beside it that describes it, each written whole.

Whoever writes holds the lock of the path; `exporters.cache` takes it.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from exporters.artifact import Artifact, Exported, Job, versions
from exporters.formats import find_format
from exporters.given import batch_of
from exporters.int8.calibration import calibration_name, is_calibrated
from exporters.key import weights_name
from system.digest import sha256_of
from system.errors import UserError
from system.unreadable import UNREADABLE


def find_artifact(path: Path) -> Artifact | None:
    """The artifact whose file lies at `path`, None where it is missing or its content is not what was made."""
    try:
        artifact = msgspec.json.decode(_sidecar(path).read_bytes(), type=Artifact)
        if sha256_of(path) != artifact.sha256:
            return None
    except (OSError, *UNREADABLE):
        return None
    return msgspec.structs.replace(artifact, path=str(path))


def read_artifact(path: Path) -> Artifact:
    """The artifact whose file lies at `path` in a cache. Raises UserError where it is missing or not what was made."""
    if (artifact := find_artifact(path)) is not None:
        return artifact
    found = "no such file" if not path.is_file() else f"no {_sidecar(path).name} beside it that describes its content"
    raise UserError(f"can't read artifact {path}", found=found, fix="give a file that python -m exporters has made")


def make_artifact(job: Job, source: Artifact | None, path: Path) -> Artifact:
    """Export the file of `job` to `path`. Raises UserError as the format's `export` does, OSError for a full disk."""
    format_ = find_format(job.format)
    # A temporary folder, since some formats write more than one file while they are made.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=_making(path)) as folder:
        made = Path(folder) / path.name
        for suffix in format_.kept_suffixes:
            if path.with_suffix(suffix).exists():
                shutil.copyfile(path.with_suffix(suffix), made.with_suffix(suffix))
        said = format_.export(job, source, made)
        exported = said if isinstance(said, Exported) else Exported(fidelity=said)
        return _put(made, _describe(job, made, path, exported), path, format_.kept_suffixes)


def copy_artifact(artifact: Artifact, path: Path) -> Artifact:
    """Copy the file of `artifact` to `path`. Raises UserError where it isn't what was made, OSError for a full disk."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=_making(path)) as folder:
        made = Path(folder) / path.name
        shutil.copyfile(artifact.path, made)
        if sha256_of(made) != artifact.sha256:
            what = f"the file of {artifact.model} is not what was made"
            raise UserError(what, found=f"another sha256 than {artifact.sha256[:12]}", fix="send it again")
        return _put(made, msgspec.structs.replace(artifact, path=str(path)), path)


def clear_unfinished(path: Path) -> None:
    """Remove what a killed export of the file at `path` left."""
    for left in path.parent.glob(f"{_making(path)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _put(made: Path, artifact: Artifact, path: Path, others: Sequence[str] = ()) -> Artifact:
    """Move the file `made`, those beside it of the suffixes `others`, and what describes it to `path`."""
    _sidecar(made).write_bytes(msgspec.json.format(msgspec.json.encode(artifact)))
    for suffix in (*others, path.suffix, _sidecar(path).suffix):
        _replace(made.with_suffix(suffix), path.with_suffix(suffix))
    return artifact


def _describe(job: Job, made: Path, path: Path, exported: Exported) -> Artifact:
    """The artifact of the file `made`, which will lie at `path`."""
    format_ = find_format(job.format)
    return Artifact(
        model=job.model.name,
        format=job.format,
        precision=job.precision,
        batch=job.batch,
        path=str(path),
        input_shape=(batch_of(job), 3, job.model.resolution_px, job.model.resolution_px),
        sha256=sha256_of(made),
        size_bytes=made.stat().st_size,
        weights=weights_name(job),
        calibration=calibration_name(job) if is_calibrated(job) else None,
        made_by=versions(format_.tools) | format_.build_host(job),
        fidelity=exported.fidelity,
        remark=exported.remark,
    )


def _making(path: Path) -> str:
    return f".making-{path.stem}-"


def _replace(made: Path, path: Path) -> None:
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".json")
