"""Many exports at once: in parallel child processes, as many as cores and memory allow."""

import functools
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from exporters.artifact import Artifact, Job
from exporters.cache import Cache
from exporters.formats import find_format
from exporters.int8.calibration import calibration_remark, is_calibrated
from models.counts import known_counts
from models.given.factory import NetworkError
from system.child import Failure, run_each
from system.machine import available_bytes, usable_cores

_READERS = 4  # files whose content is checked at once: more of them wait for the disk


def obtain_all(jobs: Sequence[Job], root: Path) -> Iterator[tuple[Job, Artifact | Failure]]:
    """Each job with its artifact, from the cache below `root` or exported now, or with the reason why there is none.

    Jobs that the cache holds come first; the others as they end. Raises UserError where nothing can be written into
    `root`, or where a format is unknown or has no such precision or batch.
    """
    cache, missing = Cache(root), []
    cache.open_folder()
    with ThreadPoolExecutor(min(usable_cores(), _READERS)) as pool:
        for job, outcome in zip(jobs, pool.map(functools.partial(_find, cache), jobs), strict=True):
            if outcome is None:
                missing.append(job)
            else:
                yield job, outcome
    _warn_of_few_photographs(missing)
    peak_bytes = max((find_format(job.format).peak_bytes_of(job) for job in missing), default=1)
    at_once = max(1, min(usable_cores(), available_bytes() // peak_bytes, len(missing)))
    export = functools.partial(_export, root=root, threads=max(1, usable_cores() // at_once))
    # The largest networks first: the time of one that started last would come on top of the others'.
    missing.sort(key=_params, reverse=True)
    preload = sorted({name for job in missing for name in find_format(job.format).preload})
    yield from run_each(export, missing, at_once=at_once, preload=preload)


def _find(cache: Cache, job: Job) -> Artifact | Failure | None:
    """What the cache holds, or why there can be no file; None where it has to be made."""
    try:
        return cache.find(job)
    except NetworkError as error:  # of this network alone
        return Failure(str(error))


def _warn_of_few_photographs(jobs: Sequence[Job]) -> None:
    by_folder = {job.calibration: job for job in jobs if is_calibrated(job)}
    for remark in filter(None, map(calibration_remark, by_folder.values())):
        print(f"warning: {remark}", file=sys.stderr)  # noqa: T201


def _params(job: Job) -> float:
    counted = known_counts(job.model)
    return counted.params if counted else float("inf")


def _export(job: Job, root: Path, threads: int) -> Artifact:
    warnings.simplefilter("ignore")  # torch and onnxscript warn about their own code
    logging.disable(logging.WARNING)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    return Cache(root).obtain(job)
