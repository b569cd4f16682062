"""What a target's sessions need beside their files, made in the export step, where no session's time limit holds."""

import functools
from collections.abc import Iterable, Iterator

from devices.runtime import Preparation, runtime_of
from devices.targets import Target
from exporters.artifact import Artifact, Job
from system.child import Failure, run_each


def prepared(
    target: Target, exported: Iterable[tuple[Job, Artifact | Failure]]
) -> Iterator[tuple[Job, Artifact | Failure]]:
    """Each job with its artifact once its sessions can be opened at once, or with the reason why there is none.

    Artifacts are prepared one at a time, each in a process of its own, when all are exported.
    """
    prepare = runtime_of(target).preparation(target)
    if prepare is None:
        yield from exported
        return
    jobs: list[Job] = []
    artifacts: list[Artifact] = []
    for job, outcome in exported:
        if isinstance(outcome, Failure):
            yield job, outcome
        else:
            jobs.append(job)
            artifacts.append(outcome)
    call = functools.partial(_prepare, prepare=prepare, target=target)
    for job, (_, made) in zip(jobs, run_each(call, artifacts, at_once=1, preload=[]), strict=True):
        yield job, made


def _prepare(artifact: Artifact, prepare: Preparation, target: Target) -> Artifact:
    prepare(artifact, target)
    return artifact
