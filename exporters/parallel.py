"""Many exports at once: in parallel child processes, as many as cores and memory allow."""

import functools
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from exporters.artifact import Artifact, Job
from exporters.cache import Cache
from exporters.formats import exporter
from models.counts import known_counts
from system.child import Failure, run_each
from system.machine import available_bytes, usable_cores


def obtain_all(jobs: Sequence[Job], root: Path) -> Iterator[tuple[Job, Artifact | Failure]]:
    """Each job with its artifact, from the cache below `root` or exported now, or with the reason why there is none.

    Jobs that the cache holds come first; the others as they end.
    """
    cache, missing = Cache(root), []
    cache.open_folder()
    for job in jobs:
        artifact = cache.find(job)
        if artifact is None:
            missing.append(job)
        else:
            yield job, artifact
    modules = [exporter(job.format) for job in missing]
    peak_bytes = max(map(_peak_bytes, missing), default=1)
    at_once = max(1, min(usable_cores(), available_bytes() // peak_bytes, len(missing)))
    export = functools.partial(_export, root=root, threads=max(1, usable_cores() // at_once))
    # The large ones first: one that starts last would keep the others waiting.
    missing.sort(key=_params, reverse=True)
    preload = sorted({name for module in modules for name in module.PRELOAD})
    yield from run_each(export, missing, at_once=at_once, preload=preload)


def _peak_bytes(job: Job) -> int:
    """What an export of this kind takes at the peak; a format whose precisions differ says so of each."""
    module = exporter(job.format)
    peak_bytes: int = module.peak_bytes(job) if hasattr(module, "peak_bytes") else module.PEAK_BYTES
    return peak_bytes


def _params(job: Job) -> float:
    counted = known_counts(job.model)
    return counted.params if counted else float("inf")


def _export(job: Job, root: Path, threads: int) -> Artifact:
    warnings.simplefilter("ignore")  # torch and onnxscript warn about their own insides
    logging.disable(logging.WARNING)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    return Cache(root).obtain(job)
