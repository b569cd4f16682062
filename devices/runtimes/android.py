"""Runtime `android`: the official benchmark_model on a phone over adb, one invocation a visit."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from devices.options import read_options
from devices.phone.adb import connect
from devices.phone.benchmark_model import Aggregates, command_line, delegation_of, parse_benchmark_model
from devices.phone.invocation import FOLDER, invoke
from devices.phone.options import PhoneOptions
from devices.phone.readings import read, throttled
from devices.phone.shared import SharedPhone
from devices.profilers.phone import FLAG, PhoneProfiler
from devices.runtime import Runtime
from devices.samples import THROTTLED, WAITED, Samples
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Artifact
from system.errors import UserError

_CLOCK = "phone: benchmark_model's wall clock around each inference, the median of an invocation"
_STARTUP_RUNS = 3  # what an invocation does besides its runs takes less than so many


def absence(target: Target) -> str | None:
    """Why the phone can't be measured, or None; waits a few seconds at most."""
    try:
        connect(target)
    except UserError as error:
        return str(error)
    return None


def open_session(artifact: Artifact, target: Target) -> "AndroidSession":
    """Put the file and the tool on the phone and run it once.

    Raises UserError where there is no phone, no room, no tool, or the network doesn't run as the target says.
    """
    phone = _phone(target)
    phone.take()
    try:
        return AndroidSession(artifact, target, phone)
    except BaseException:
        phone.leave()
        raise


def open_profiler(artifact: Artifact, target: Target) -> PhoneProfiler:
    """The same network with the tool's op profiling on. Raises UserError where the tool is not the TFLite one."""
    session = open_session(artifact, target)
    if session.ran_on["tool"] != "tflite":
        session.close()
        fix = "give --benchmark-model the TFLite one"
        raise UserError(f"no profiler for target {target.name}", found="LiteRT's own benchmark_model", fix=fix)
    return PhoneProfiler(session.profiled, session.close)


class AndroidSession:
    """One network on a phone."""

    clock = _CLOCK
    aggregates = True

    def __init__(self, artifact: Artifact, target: Target, phone: SharedPhone) -> None:
        self._phone, self._options = phone, read_options(target, PhoneOptions)
        self._graph = f"{FOLDER}/{artifact.sha256[:16]}.tflite"
        self._open = True
        phone.deliver(Path(artifact.path), artifact.sha256, self._graph, "644")
        # One run tells whether the network runs at all, and how long an invocation of many may take.
        text = self._invoke(runs=1, min_s=0.0, max_s=self._options.max_s, warmup=False)
        self._probe_s = parse_benchmark_model(text).max_s
        self.ran_on: dict[str, str | int] = {
            **phone.about(),
            "threads": self._options.threads,
            "affinity": self._options.mask or "any",
            "delegate": self._delegation(text),
            "tool": phone.family,
            "tool_sha256": phone.tool_sha256,
        }

    def run(self, count: int) -> Samples:
        """One invocation of at least `count` inferences: its median as one sample, its other figures as evidence.

        Raises SessionLost where there is no result.
        """
        try:
            return self._measure(max(count, self._options.runs))
        except UserError as error:
            raise SessionLost(str(error)) from error

    def close(self) -> None:
        """Leave the phone; the last session restores its states, and the files stay. A second call does nothing."""
        if self._open:
            self._open = False
            self._phone.leave()

    def _measure(self, runs: int) -> Samples:
        self._phone.await_return()
        rest = self._phone.cool()
        text = self._invoke(runs=runs, min_s=self._options.min_s, max_s=self._longest_s(runs), warmup=True)
        found = parse_benchmark_model(text)
        self._delegation(text)
        after = read(self._phone.link, self._options.mask)
        conditions = {"before": msgspec.to_builtins(rest.readings), "after": msgspec.to_builtins(after)}
        conditions |= {WAITED: rest.waited_s, "idle_c": rest.idle_c, "limit_c": rest.limit_c}
        if reason := throttled(rest.readings, after, limit_c=rest.limit_c):
            conditions[THROTTLED] = reason
        return Samples(seconds=[_typical(found)], evidence=_evidence(found), conditions=[conditions])

    def profiled(self, count: int) -> str:
        """What one invocation of at least `count` inferences printed under op profiling."""
        runs = max(count, self._options.runs)
        self._phone.cool()
        max_s = self._longest_s(runs)
        return self._invoke(runs=runs, min_s=self._options.min_s, max_s=max_s, warmup=True, more=(FLAG,))

    def _longest_s(self, runs: int) -> float:
        """The tool's own limit, 150 s, would cut the largest networks short."""
        return max(self._options.max_s, 3 * (runs + _STARTUP_RUNS) * self._probe_s)

    def _invoke(self, *, runs: int, min_s: float, max_s: float, warmup: bool, more: Sequence[str] = ()) -> str:
        arguments = command_line(
            self._phone.family, self._graph, runs=runs, min_s=min_s, max_s=max_s, warmup=warmup, options=self._options
        )
        limit_s = max_s + self._options.grace_s
        return invoke(self._phone.link, [*arguments, *more], affinity=self._options.mask, limit_s=limit_s)

    def _delegation(self, text: str) -> str:
        """What truly ran it. Raises UserError where a GPU target ran on the CPU, even in part."""
        said = delegation_of(text)
        if self._options.delegate != "gpu":
            return said or "xnnpack by default"
        if self._phone.family == "litert":
            return "GPU, completely"  # it was told to fail otherwise
        if said is None or not said.startswith("GPU, completely"):
            raise UserError("must run on the GPU", found=said or "no word of a delegate", fix="choose a CPU target")
        return said


_phones: dict[tuple[str, PhoneOptions], SharedPhone] = {}


def _phone(target: Target) -> SharedPhone:
    """The phone of a target: the one it had before, or the one that is there now."""
    options = read_options(target, PhoneOptions)
    key = (target.name, options)
    if key not in _phones:
        _phones[key] = SharedPhone(connect(target), options)
    return _phones[key]


def _typical(found: Aggregates) -> float:
    return found.mean_s if found.median_s is None else found.median_s


def _evidence(found: Aggregates) -> dict[str, list[float]]:
    figures = msgspec.structs.asdict(found)
    return {name: [float(value)] for name, value in figures.items() if name != "median_s" and value is not None}


# In process: the phone runs the network, so nothing here can crash with it, and Ctrl-C has to reach the phone.
RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=PhoneOptions,
    open_profiler=open_profiler,
    in_process=True,
    elsewhere=True,
)
