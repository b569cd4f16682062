"""`Runs`: the networks of a sweep, and what was measured of them with files that were replaced meanwhile."""

import itertools

from bench.records.network_run import NetworkRun
from bench.records.record import Network
from exporters.artifact import Artifact


class Runs:
    """The runs of a sweep by the names of their networks, in `by_name`. The visits of two files are never mixed."""

    def __init__(self) -> None:
        self.by_name: dict[str, NetworkRun] = {}
        self._replaced: dict[tuple[str, str], NetworkRun] = {}  # by network and sha256

    def of(self, network: Network) -> NetworkRun:
        """The run of a network, a new one where there is none."""
        return self.by_name.setdefault(network.name, NetworkRun(network))

    def by_file(self) -> dict[str, NetworkRun]:
        """Every run by a key: its network's name, and where its file was replaced also that file; the latter first."""
        return {f"{name} {sha256[:12]}": run for (name, sha256), run in self._replaced.items()} | self.by_name

    def take_file(self, run: NetworkRun, artifact: Artifact) -> int:
        """Have a run go on with a file; how many visits of another file are put apart for that."""
        put_apart = 0
        if run.artifact is not None and run.sha256 != artifact.sha256:
            before = run.change_file(artifact, self._replaced.pop((run.name, artifact.sha256), None))
            if put_apart := len(before.visits):
                self._replaced[before.name, before.sha256] = before
        run.artifact = artifact
        return put_apart

    def sampling_share(self, elapsed_s: float) -> float | None:
        """The part of a sweep's time that went into inferences of networks, those that settled included."""
        sampled_s = 0.0
        for visit in itertools.chain.from_iterable(run.visits for run in self.by_file().values()):
            if "count" in visit.samples.evidence:
                return None  # a tool that gives aggregates doesn't say how long it ran
            sampled_s += sum(visit.settle_s) + sum(visit.samples.seconds)
        return min(1.0, sampled_s / elapsed_s) if elapsed_s > 0 and sampled_s else None
