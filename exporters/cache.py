"""The artifact cache: every file is made once, checked by its sha256 on every use, and made again when damaged."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from exporters.artifact import Artifact, Exported, Job, sha256_of, versions
from exporters.formats import chain, find_format
from exporters.given import batch_of
from exporters.int8.calibration import calibration_name, is_calibrated
from exporters.key import file_key, weights_name
from models.zoo import find
from system.errors import UserError, printable
from system.names import file_name
from system.unreadable import UNREADABLE


def _is_text(name: str) -> bool:
    """Whether a path can be written in UTF-8; bytes that the language's encoding doesn't have can't."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Cache:
    """The artifacts below one folder: `ROOT/MODEL/PRECISION-bBATCH-KEY.SUFFIX`, each with a JSON file beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open_folder(self) -> None:
        """Make the folder where it is missing.

        Raises UserError where nothing can be written into it, or its name is no text, which records could not name.
        """
        name = printable(str(self.root))
        if not _is_text(str(self.root)):
            fix = "choose another folder, or a language with UTF-8 (LC_ALL=C.UTF-8)"
            raise UserError(f"can't write artifacts into {name}", found="a name that is no text", fix=fix)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.root).close()
        except OSError as error:
            raise UserError(
                f"can't write artifacts into {name}",
                found=error.strerror or str(error),
                fix="free or choose another folder",
            ) from error

    def path(self, job: Job) -> Path:
        """Where the file of `job` lies, made or not. Raises UserError where its checkpoint can't be read."""
        *sources, _ = chain(job)
        return self._path(job, self._find(sources) if find_format(job.format).keyed_by_source else None)

    def find(self, job: Job) -> Artifact | None:
        """The artifact of `job` if it is there and its content is what was made."""
        return self._find(chain(job))

    def obtain(self, job: Job) -> Artifact:
        """The artifact of `job`; what the cache lacks of its chain is exported now, in order.

        Two processes never make the same file twice. Raises UserError where a file can't be exported, is not faithful
        to the network, or can't be written.
        """
        steps = chain(job)
        artifact, made = self._last_made(steps)
        for step in steps[made:]:
            artifact = self._make_alone(step, artifact)
        assert artifact is not None
        return artifact

    def adopt(self, job: Job, artifact: Artifact) -> Artifact:
        """Take the file of `artifact`, made elsewhere for the same job, as this cache's own; a copy of it.

        Raises UserError where its content isn't what was made, or can't be written.
        """
        path = self.path(job)
        return _alone(path, lambda: _copy(artifact, path))

    def _last_made(self, steps: Sequence[Job]) -> tuple[Artifact | None, int]:
        """The artifact of the last step whose file is there, and how many steps that leaves behind."""
        for made in range(len(steps), 0, -1):
            if artifact := self._find(steps[:made]):
                return artifact, made
        return None, 0

    def _find(self, steps: Sequence[Job]) -> Artifact | None:
        *sources, job = steps
        source = None
        if find_format(job.format).keyed_by_source and (source := self._find(sources)) is None:
            return None
        return _read(self._path(job, source))

    def _path(self, job: Job, source: Artifact | None) -> Path:
        batch = "dynamic" if job.batch is None else str(job.batch)
        stem = f"{job.precision}-b{batch}-{file_key(job, source)[:12]}{find_format(job.format).suffix}"
        return self.root / file_name(job.model.name) / stem

    def _make_alone(self, job: Job, source: Artifact | None) -> Artifact:
        """Make the file of `job`, unless another process does meanwhile."""
        path = self._path(job, source)
        return _alone(path, lambda: _make_again(job, source, path))


def _alone(path: Path, make: Callable[[], Artifact]) -> Artifact:
    """What `make` puts at `path`, unless another process does meanwhile. Raises UserError where it can't be written."""
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if artifact := _read(path):
                return artifact
            _clear(path)
            return make()
    except OSError as error:
        raise _unwritable(path, error) from error


def _make_again(job: Job, source: Artifact | None, path: Path) -> Artifact:
    if path.exists():
        print(f"warning: damaged artifact {path}, made again", file=sys.stderr)  # noqa: T201
    return _make(job, source, path)


def _copy(artifact: Artifact, path: Path) -> Artifact:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=_making(path)) as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(artifact.path, copy)
        if sha256_of(copy) != artifact.sha256:
            what = f"the file of {artifact.model} is not what was made"
            raise UserError(what, found=f"another sha256 than {artifact.sha256[:12]}", fix="send it again")
        return _put(copy, msgspec.structs.replace(artifact, path=str(path)), path)


def _unwritable(path: Path, error: OSError) -> UserError:
    found = error.strerror or str(error)
    return UserError(f"can't write artifact {path}", found=found, fix="free or choose another folder")


def obtain_source(artifact: Artifact) -> Artifact:
    """The artifact that one of a cache was derived from, for its nodes and their scopes; exported where it is gone.

    It has the seeded weights, whatever the artifact's: nodes and scopes are the same with all.
    """
    (model,) = find(artifact.model)
    job = Job(model=model, format=artifact.format, precision=artifact.precision, batch=artifact.batch)
    *_, source, _ = chain(job)
    return Cache(Path(artifact.path).parents[1]).obtain(source)


def read_artifact(path: Path) -> Artifact:
    """The artifact whose file lies at `path` in a cache. Raises UserError where it is missing or not what was made."""
    if (artifact := _read(path)) is not None:
        return artifact
    found = "no such file" if not path.is_file() else f"no {_sidecar(path).name} beside it that describes its content"
    raise UserError(f"can't read artifact {path}", found=found, fix="give a file that python -m exporters has made")


def _read(path: Path) -> Artifact | None:
    """The artifact whose file lies at `path`, None where it is missing or its content is not what was made."""
    try:
        artifact = msgspec.json.decode(_sidecar(path).read_bytes(), type=Artifact)
        if sha256_of(path) != artifact.sha256:
            return None
    except (OSError, *UNREADABLE):
        return None
    return msgspec.structs.replace(artifact, path=str(path))


def _make(job: Job, source: Artifact | None, path: Path) -> Artifact:
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


def _clear(path: Path) -> None:
    """Remove what a killed export of this file left; the lock of `path` must be held."""
    for left in path.parent.glob(f"{_making(path)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _replace(made: Path, path: Path) -> None:
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)


def _sidecar(path: Path) -> Path:
    return path.with_suffix(".json")
