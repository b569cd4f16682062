"""`Files`: the files of one target's sweep, brought to the hosts of its devices or made there."""

import threading
from pathlib import PurePosixPath

import msgspec

from bench.fleet.exports import Exports, portable_of
from bench.fleet.remote import Remote
from bench.fleet.wanted import wanted_of
from bench.sweep import SweepRequest
from exporters.artifact import Artifact, Job
from system.child import Failure
from system.errors import UserError


class Files:
    """What the networks of `request` need; `exports` makes what is the same wherever it is made."""

    def __init__(self, request: SweepRequest, exports: Exports, stop: threading.Event) -> None:
        self._exports, self._stop = exports, stop
        self._obtained: dict[str, tuple[Job, Artifact]] = {}  # by network
        self._jobs = request.jobs()

    @property
    def built_there(self) -> bool:
        """Whether some are bound to the device's host."""
        return any(portable_of(job) != job for job in self._jobs)

    def wait(self) -> None:
        """Wait for those that any host can load. Raises UserError where the sweep is interrupted before."""
        for portable in filter(None, map(portable_of, self._jobs)):
            self._exports.of(portable)

    def obtain(self, job: Job, remote: Remote) -> Artifact | Failure:
        """The file of a job: a portable one from the driver's cache, any other made on a device's host.

        Raises LineLost where the host is lost, UserError where the sweep is interrupted.
        """
        try:
            outcome = self._obtain(job, remote)
        except UserError as error:
            if self._stop.is_set():
                raise
            return Failure(str(error))
        if isinstance(outcome, Artifact):
            self._obtained.setdefault(job.model.name, (job, outcome))
        return outcome

    def provide(self, remote: Remote) -> None:
        """Bring a device's host every file that was obtained so far; those bound to a host are made there.

        Two hosts build different files of one network, and visits of both aren't mixed: one device takes over from
        another with its own files, but of several that measure at once all must have the same. Raises LineLost where
        the host is lost, UserError where it can't have one of them, or makes another one beside other devices.
        """
        for name, (job, artifact) in list(self._obtained.items()):
            if portable_of(job) == job:
                remote.deliver(artifact)
                continue
            again = self.obtain(job, remote)
            if isinstance(again, Failure):
                continue  # its visit ends with the reason that it isn't there
            if again.sha256 != artifact.sha256 and remote.device is not None:
                raise UserError(f"another file of {name} is made there", found=remote.host, fix="begin again")
            self._obtained[name], remote.made[name] = (job, again), again

    def _obtain(self, job: Job, remote: Remote) -> Artifact | Failure:
        portable = portable_of(job)
        if portable is not None:
            outcome = self._exports.of(portable)
            if isinstance(outcome, Failure) or portable == job:
                return outcome
            remote.deliver_source(wanted_of(portable), outcome)
        (came,) = remote.make([wanted_of(job)])
        if came.artifact is None:
            return Failure(came.reason)
        # Its path there says nothing here, and must not name a file here.
        return msgspec.structs.replace(came.artifact, path=PurePosixPath(came.artifact.path).name)
