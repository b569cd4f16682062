"""The artifact cache: every file is made once, checked by its sha256 on every use, and made again when damaged."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from exporters.artifact import Artifact, Job
from exporters.artifact_files import clear_unfinished, copy_artifact, find_artifact, make_artifact
from exporters.formats import chain, find_format
from exporters.key import file_key
from models.zoo import find_one
from system.errors import UserError, printable
from system.names import file_name


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
        return _alone(path, lambda: copy_artifact(artifact, path))

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
        return find_artifact(self._path(job, source))

    def _path(self, job: Job, source: Artifact | None) -> Path:
        batch = "dynamic" if job.batch is None else str(job.batch)
        stem = f"{job.precision}-b{batch}-{file_key(job, source)[:12]}{find_format(job.format).suffix}"
        return self.root / file_name(job.model.name) / stem

    def _make_alone(self, job: Job, source: Artifact | None) -> Artifact:
        """Make the file of `job`, unless another process does meanwhile."""
        path = self._path(job, source)
        return _alone(path, lambda: _make_again(job, source, path))


def obtain_source(artifact: Artifact) -> Artifact:
    """The artifact that one of a cache was derived from, for its nodes and their scopes; exported where it is gone.

    It has the seeded weights, whatever the artifact's: nodes and scopes are the same with all.
    """
    model = find_one(artifact.model)
    job = Job(model=model, format=artifact.format, precision=artifact.precision, batch=artifact.batch)
    *_, source, _ = chain(job)
    return Cache(Path(artifact.path).parents[1]).obtain(source)


def _alone(path: Path, make: Callable[[], Artifact]) -> Artifact:
    """What `make` puts at `path`, unless another process does meanwhile. Raises UserError where it can't be written."""
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if artifact := find_artifact(path):
                return artifact
            clear_unfinished(path)
            return make()
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't write artifact {path}", found=found, fix="free or choose another folder") from error


def _make_again(job: Job, source: Artifact | None, path: Path) -> Artifact:
    if path.exists():
        print(f"warning: damaged artifact {path}, made again", file=sys.stderr)  # noqa: T201
    return make_artifact(job, source, path)


def _is_text(name: str) -> bool:
    """Whether a path can be written in UTF-8; bytes that the language's encoding doesn't have can't."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
