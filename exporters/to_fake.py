"""A file that only names its model, for the fake device: it computes nothing, so there is nothing to check."""

from pathlib import Path

from exporters.artifact import Job
from exporters.cache import Cache

PRECISIONS = ("fp32",)
SUFFIX = ".txt"
TOOLS: tuple[str, ...] = ()
PRELOAD: tuple[str, ...] = ()
DYNAMIC_BATCH = True
PEAK_BYTES = 1_000_000


def export(job: Job, path: Path, cache: Cache) -> None:
    """Write the model's name to `path`."""
    path.write_text(job.model.name + "\n", encoding="utf-8")
