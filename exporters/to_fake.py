"""A file that only names its model, for the fake device: it computes nothing, so there is nothing to check."""

from pathlib import Path

from exporters.artifact import Artifact, Job
from exporters.format import Format


def export(job: Job, source: Artifact | None, path: Path) -> None:
    """Write the model's name to `path`."""
    path.write_text(job.model.name + "\n", encoding="utf-8")


FORMAT = Format(precisions=("fp32",), suffix=".txt", export=export, peak_bytes=1_000_000)
