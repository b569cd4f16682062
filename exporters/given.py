"""Files that come from outside: which job asks for one as it is, and what can't be made of it."""

from exporters.artifact import Exported, Job
from models.given.factory import NetworkError
from models.given.file import GivenFile


def given_file(job: Job) -> GivenFile | None:
    """The file that the network of `job` came as, where that is the one asked for."""
    file = job.model.file
    if file is None or job.weights is not None:
        return None
    fits = job.format == file.format and job.precision in file.precisions and job.batch in {None, file.batch}
    return file if fits else None


def as_given() -> Exported:
    """What is said of such a file: there is nothing that it could be compared with."""
    return Exported(fidelity=None, remark="as given")


def refuse_without_module(job: Job) -> None:
    """Raise NetworkError where the file of `job` would be made of a torch module, and its network has none."""
    file = job.model.file
    if job.model.has_module or file is None:
        return
    what = f"no {job.format} file in {job.precision}, batch {job.batch or 'dynamic'}, of {job.model.name}"
    found = f"it is {file.format} in {' or '.join(file.precisions)}, batch {file.batch or 'dynamic'}"
    raise NetworkError(what, found=found, fix="only a torch module is exported to any format")


def batch_of(job: Job) -> int | None:
    """The batch of the file of `job`: as asked for, or the only one of its network; None where it is dynamic."""
    return job.batch or job.model.batch
