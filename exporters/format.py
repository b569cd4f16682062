"""`Format`: all that this package knows of one export format, as a value that each `exporters/to_NAME.py` ends with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exporters.artifact import Artifact, Exported, Fidelity, Job


def _no_source(job: Job) -> Job | None:
    return None


def _no_build_host(job: Job) -> dict[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Format:
    """How files of one format are made, and what they depend on; all but the first three have defaults.

    `export(job, source, path)` writes the file of `job` to `path` and checks it; `source` is the artifact of the job
    that `Format.source` names, None where it names none. It returns the fidelity, with a remark where there is one. It
    raises UserError where the file can't be made or its logits are too far from the torch network's.
    """

    precisions: tuple[str, ...]  # the first is the default
    suffix: str
    export: Callable[[Job, Artifact | None, Path], Exported | Fidelity | None]

    # The batch of a file where none is asked for, in formats whose files have a fixed one; None where the batch may
    # stay dynamic, to be fixed by the runtime that loads the file.
    default_batch: int | None = None

    # The job whose file a file is derived from, None for a file made from the torch network.
    source: Callable[[Job], Job | None] = _no_source

    # What becomes part of a file's key: the distributions that make it, by version; a number to raise when the same
    # tools make other files; what of this machine it depends on, by name; and whether the source's sha256 does too,
    # which it must where the source is made by other tools than `tools`.
    tools: tuple[str, ...] = ()
    recipe: int | Callable[[Job], int | None] | None = None
    build_host: Callable[[Job], dict[str, str]] = _no_build_host
    keyed_by_source: bool = False

    # The memory that an export of the zoo's largest network takes at its peak, with room to spare.
    peak_bytes: int | Callable[[Job], int] = 3_000_000_000
    preload: tuple[str, ...] = ()  # modules that are imported once for all exports
    # Suffixes of files that `export` leaves beside `path` and finds there when the same file is made again.
    kept_suffixes: tuple[str, ...] = ()
    # How many operations of each kind a file holds, the most frequent first.
    op_counts: Callable[[Path], dict[str, int]] | None = None

    @property
    def dynamic_batch(self) -> bool:
        """Whether the batch of its files is dynamic, so that one file serves every batch."""
        return self.default_batch is None

    def recipe_of(self, job: Job) -> int | None:
        """The number that tells files of `job` from those that the same tools made otherwise before."""
        return self.recipe(job) if callable(self.recipe) else self.recipe

    def peak_bytes_of(self, job: Job) -> int:
        """The memory that the export of `job` takes at its peak, in bytes."""
        return self.peak_bytes if isinstance(self.peak_bytes, int) else self.peak_bytes(job)
