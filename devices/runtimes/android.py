"""Runtime `android`: the official benchmark_model on a phone over adb, one invocation a visit."""

import msgspec

from devices.phone.adb import connect
from devices.phone.benchmark_model import Aggregates, parse_benchmark_model
from devices.phone.lease import hold
from devices.phone.logits import PhoneLogits
from devices.phone.network import PhoneNetwork
from devices.phone.options import PhoneOptions
from devices.phone.readings import read, throttled
from devices.predictor import LoadedPredictor
from devices.profilers.phone import FLAG, PhoneProfiler
from devices.runtime import Runtime
from devices.samples import THROTTLED, WAITED, Samples
from devices.targets import Target
from devices.worker import SessionLost
from exporters.artifact import Artifact
from system.errors import UserError

_CLOCK = "phone: benchmark_model's wall clock around each inference, the median of an invocation"


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
    return AndroidSession(PhoneNetwork(artifact, target))


def open_predictor(artifact: Artifact, target: Target) -> LoadedPredictor:
    """The same network asked for logits, an invocation each. Raises UserError where its tool gives none."""
    network = PhoneNetwork(artifact, target)
    try:
        return LoadedPredictor(PhoneLogits(network, artifact), artifact, target)
    except BaseException:
        network.close()
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
    """A network on a phone that is timed."""

    clock = _CLOCK
    aggregates = True

    def __init__(self, network: PhoneNetwork) -> None:
        self._network, self._options, self.ran_on = network, network.options, network.ran_on

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
        self._network.close()

    def _measure(self, runs: int) -> Samples:
        phone = self._network.phone
        phone.await_return()
        rest = phone.cool()
        text = self._network.invoke(runs=runs, min_s=self._options.min_s, warmup=True)
        found = parse_benchmark_model(text)
        self._network.delegation(text)
        after = read(phone.link, self._options.mask)
        conditions = {"before": msgspec.to_builtins(rest.readings), "after": msgspec.to_builtins(after)}
        conditions |= {WAITED: rest.waited_s, "idle_c": rest.idle_c, "limit_c": rest.limit_c}
        if reason := throttled(rest.readings, after, limit_c=rest.limit_c):
            conditions[THROTTLED] = reason
        return Samples(seconds=[found.typical_s], evidence=_evidence(found), conditions=[conditions])

    def profiled(self, count: int) -> str:
        """What one invocation of at least `count` inferences printed under op profiling."""
        runs = max(count, self._options.runs)
        self._network.phone.cool()
        return self._network.invoke(runs=runs, min_s=self._options.min_s, warmup=True, more=(FLAG,))


def _evidence(found: Aggregates) -> dict[str, list[float]]:
    figures = msgspec.structs.asdict(found)
    return {name: [float(value)] for name, value in figures.items() if name != "median_s" and value is not None}


# In process: the phone runs the network, so nothing here can crash with it, and Ctrl-C has to reach the phone.
RUNTIME = Runtime(
    absence=absence,
    open_session=open_session,
    options=PhoneOptions,
    open_profiler=open_profiler,
    open_predictor=open_predictor,
    hold=hold,
    in_process=True,
    elsewhere=True,
)
