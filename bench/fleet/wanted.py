"""`WantedFile`: a job (exporters/artifact.py) as a driver asks it of a host."""

from pathlib import Path

import msgspec

from exporters.artifact import Job
from models.zoo import find_one
from system.errors import UserError, one_line


class WantedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A job (exporters/artifact.py) by name, since the network itself is found there. `weights` is a path there."""

    model: str
    format: str
    precision: str
    batch: int | None
    weights: str | None = None
    calibration: str | None = None
    compute_capabilities: tuple[str, ...] = ()


def job_of(wanted: WantedFile) -> Job:
    """The job that is wanted. Raises UserError where its network or its files aren't here."""
    model = find_one(wanted.model)
    paths = {}
    for name in ("weights", "calibration"):
        given = getattr(wanted, name)
        if given is not None and not _is_there(given):
            raise UserError(
                f"{name} of {wanted.model} aren't on the host", found=one_line(given), fix="put them on a shared path"
            )
        paths[name] = None if given is None else Path(given)
    return Job(
        model=model,
        format=wanted.format,
        precision=wanted.precision,
        batch=wanted.batch,
        compute_capabilities=wanted.compute_capabilities,
        **paths,
    )


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # no path that a system takes
        return False


def wanted_of(job: Job) -> WantedFile:
    """A job as it is asked of a host."""
    return WantedFile(
        model=job.model.name,
        format=job.format,
        precision=job.precision,
        batch=job.batch,
        weights=None if job.weights is None else str(job.weights.absolute()),
        calibration=None if job.calibration is None else str(job.calibration.absolute()),
        compute_capabilities=job.compute_capabilities,
    )
