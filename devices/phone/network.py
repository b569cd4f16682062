"""One network on a phone: its file there, and the tool that runs it."""

from collections.abc import Sequence
from pathlib import Path

from devices.options import read_options
from devices.phone.adb import connect
from devices.phone.benchmark_model import command_line, delegation_of, parse_benchmark_model
from devices.phone.invocation import FOLDER, invoke
from devices.phone.options import PhoneOptions
from devices.phone.shared import SharedPhone
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError

_STARTUP_RUNS = 3  # what an invocation does besides its runs takes less than so many


class PhoneNetwork:
    """A network that was run once, on a phone that its sessions and predictors share."""

    def __init__(self, artifact: Artifact, target: Target) -> None:
        """Put the file and the tool on the phone and run it once.

        Raises UserError where there is no phone, no room, no tool, or the network doesn't run as the target says.
        """
        self.phone, self.options = _phone(target), read_options(target, PhoneOptions)
        self._graph, self._open = f"{FOLDER}/{artifact.sha256[:16]}.tflite", True
        self.phone.take()
        try:
            self.phone.deliver(Path(artifact.path), artifact.sha256, self._graph, "644")
            self.ran_on = self._first_run()
        except BaseException:
            self.close()
            raise

    def invoke(self, *, runs: int, min_s: float, warmup: bool, more: Sequence[str] = ()) -> str:
        """What the tool prints of at least so many inferences and seconds. Raises UserError where it fails."""
        return self._invoke(runs=runs, min_s=min_s, max_s=self._longest_s(runs), warmup=warmup, more=more)

    def delegation(self, text: str) -> str:
        """What truly ran it, by what the tool printed.

        Raises UserError where a GPU target ran on the CPU, even in part.
        """
        said = delegation_of(text)
        if self.options.delegate != "gpu":
            return said or "xnnpack by default"
        if self.phone.family == "litert":
            return "GPU, completely"  # it was told to fail otherwise
        if said is None or not said.startswith("GPU, completely"):
            raise UserError("must run on the GPU", found=said or "no word of a delegate", fix="choose a CPU target")
        return said

    def close(self) -> None:
        """Leave the phone; the last one restores its states, and the file stays. A second call does nothing."""
        if self._open:
            self._open = False
            self.phone.leave()

    def _first_run(self) -> dict[str, str | int]:
        """Where it runs. One run tells whether it runs at all, and how long an invocation of many may take."""
        text = self._invoke(runs=1, min_s=0.0, max_s=self.options.max_s, warmup=False)
        self._run_s = parse_benchmark_model(text).max_s
        return {
            **self.phone.about(),
            "threads": self.options.threads,
            "affinity": self.options.mask or "any",
            "delegate": self.delegation(text),
            "tool": self.phone.family,
            "tool_sha256": self.phone.tool_sha256,
        }

    def _longest_s(self, runs: int) -> float:
        """Thrice what the first run lets expect: the tool's own limit, 150 s, would cut the largest networks short."""
        return max(self.options.max_s, 3 * (runs + _STARTUP_RUNS) * self._run_s)

    def _invoke(self, *, runs: int, min_s: float, max_s: float, warmup: bool, more: Sequence[str] = ()) -> str:
        arguments = command_line(
            self.phone.family, self._graph, runs=runs, min_s=min_s, max_s=max_s, warmup=warmup, options=self.options
        )
        limit_s = max_s + self.options.grace_s
        return invoke(self.phone.link, [*arguments, *more], affinity=self.options.mask, limit_s=limit_s)


_phones: dict[tuple[str, PhoneOptions], SharedPhone] = {}


def _phone(target: Target) -> SharedPhone:
    """The phone of a target: the one it had before, or the one that is there now."""
    options = read_options(target, PhoneOptions)
    key = (target.name, options)
    if key not in _phones:
        _phones[key] = SharedPhone(connect(target), options)
    return _phones[key]
