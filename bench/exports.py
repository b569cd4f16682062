"""The files that a measurement needs, exported with progress on stderr."""

from collections.abc import Iterable
from pathlib import Path

from bench.progress import stage
from exporters.artifact import Artifact, Job
from exporters.parallel import obtain_all
from system.child import Failure


def export_each(jobs: Iterable[Job], artifacts: Path) -> dict[Job, Artifact | Failure]:
    """The file of each different job, from the cache at `artifacts` or exported now, or why there is none."""
    different = list(dict.fromkeys(jobs))
    made = {}
    with stage("export", len(different)) as bar:
        for done, (job, outcome) in enumerate(obtain_all(different, artifacts), start=1):
            made[job] = outcome
            bar.at(done, job.model.name)
    return made
