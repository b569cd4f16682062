"""Where the time goes: one network's operators on one target, by kind and by super-block, against its latency."""

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

import msgspec

from devices.profilers.operators import Operator, Profiler, faster_mean
from devices.runtime import runtime_of
from devices.session import Session
from devices.targets import Target
from devices.worker import SessionLost, open_here
from exporters.artifact import Artifact, Job
from exporters.cache import Cache
from models.model import Model
from models.structure import SuperBlock, parse_structure
from system.command_line import print_table
from system.errors import UserError
from system.files import write_whole
from system.names import file_name

# How far the sum of the operators may be from the latency before it has to be explained.
_TOLERANCE = 0.10
# Seconds that the inferences without the profiler take, and those under it: a cost that a user waits for.
_LASTING_S = 4.0
_MOST_TURNS = 40  # of two inferences each: enough for the mean of the faster half
_INVOCATIONS = 3  # of a tool that takes one sample from many inferences


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The operators of one network beside the latency of a batch, without the profiler and under it.

    `weights` and `calibration` are those of its file; files of an earlier version don't name them.
    """

    model: str
    target: str
    batch: int
    latency_s: float
    profiled_s: float
    operators: list[Operator]
    blocks: list[str]
    note: str
    weights: str = ""
    calibration: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError where a file doesn't name the super-block of each operator."""
        if len(self.blocks) != len(self.operators):
            raise ValueError(f"{len(self.blocks)} blocks of {len(self.operators)} operators")

    @property
    def sum_s(self) -> float:
        """What all operators took."""
        return sum(operator.seconds for operator in self.operators)

    def by_kind(self) -> dict[str, float]:
        """Seconds a kind of operator, longest first."""
        return _grouped((operator.kind, operator.seconds) for operator in self.operators)

    def by_block(self) -> dict[str, float]:
        """Seconds a super-block, in the order of the network."""
        seconds: dict[str, float] = dict.fromkeys(self.blocks, 0.0)
        for block, operator in zip(self.blocks, self.operators, strict=True):
            seconds[block] += operator.seconds
        return seconds


def profile(job: Job, target: Target, artifacts: Path, results: Path) -> Profile:
    """Profile the file of `job` on its target, write `results/profiles/TARGET-MODEL.json` and return it.

    Raises UserError where the runtime has no profiler here, no device can be held, a session is lost meanwhile, or all
    operators take less than the profiler tells.
    """
    open_profiler = runtime_of(target).open_profiler
    if open_profiler is None:
        raise UserError(
            f"no profiler for target {target.name}", found=f"runtime {target.runtime}", fix="profile a CPU target"
        )
    model, artifact = job.model, Cache(artifacts).obtain(job)
    failed = f"can't profile {model.name} on {target.name}"
    try:
        with runtime_of(target).hold(target) as held:
            seconds, profiled_seconds, operators = _timed(open_profiler, artifact, held.target)
    except SessionLost as error:
        raise UserError(failed, found=str(error), fix="run it again") from error
    if not any(operator.seconds for operator in operators):
        raise UserError(failed, found=f"0 s for each of {len(operators)} operators", fix="profile a larger network")
    latency_s, profiled_s = faster_mean(seconds), faster_mean(profiled_seconds)
    found = Profile(
        model=model.name,
        target=target.name,
        batch=target.batch,
        latency_s=latency_s,
        profiled_s=profiled_s,
        operators=operators,
        blocks=[_block(operator.scope, _structure(model)) for operator in operators],
        note=_note(sum(operator.seconds for operator in operators), latency_s, profiled_s),
        weights=artifact.weights,
        calibration=artifact.calibration,
    )
    _write(found, results / "profiles" / f"{target.name}-{file_name(model.name)}.json")
    return found


def print_profile(found: Profile) -> None:
    """Both aggregations as tables, and how the sum agrees with the latency."""
    for title, table in (("operator", found.by_kind()), ("super-block", found.by_block())):
        rows = [[name, f"{seconds * 1e3:.3f}", f"{seconds / found.sum_s:.1%}"] for name, seconds in table.items()]
        print_table([title, "ms a batch", "share"], rows)
        print()  # noqa: T201
    latency_ms, sum_ms = found.latency_s * 1e3, found.sum_s * 1e3
    print(f"sum {sum_ms:.3f} ms, latency {latency_ms:.3f} ms: {found.note}")  # noqa: T201


def _timed(
    open_profiler: Callable[[Artifact, Target], Profiler], artifact: Artifact, target: Target
) -> tuple[list[float], list[float], list[Operator]]:
    """The seconds without and with the profiler, and the operators.

    They take turns, so that both see the same neighbours; on a device with memory of its own, one follows the other.
    """
    with ExitStack() as opened:
        plain = opened.enter_context(closing(open_here(artifact, target)))
        turns = _turns(plain)
        seconds: list[float] = []
        alone = runtime_of(target).free_bytes(target) is not None
        if alone:
            seconds += plain.run(2 * turns).seconds
            opened.close()
        profiled = opened.enter_context(closing(open_profiler(artifact, target)))
        profiled.run(3)
        profiled_seconds: list[float] = []
        for _ in range(turns):
            if not alone:
                seconds += plain.run(2).seconds
            profiled_seconds += profiled.run(2).seconds
        return seconds, profiled_seconds, profiled.operators()


def _turns(plain: Session) -> int:
    each_s = median(plain.run(3).seconds)
    return _INVOCATIONS if plain.aggregates else min(_MOST_TURNS, max(5, round(_LASTING_S / each_s / 2)))


def _note(sum_s: float, latency_s: float, profiled_s: float) -> str:
    """How the sum agrees with the latency; where it does not, what of the difference is whose."""
    gap = f"the sum is {sum_s / latency_s - 1:+.1%} off the latency"
    if abs(sum_s / latency_s - 1) <= _TOLERANCE:
        return gap
    inside = sum_s / profiled_s
    return f"{gap}: under the profiler an inference takes {profiled_s * 1e3:.4g} ms, {inside:.0%} of it in operators"


def _structure(model: Model) -> list[SuperBlock]:
    return parse_structure(model.spec) if model.kind.startswith("zennet") else []


def _block(scope: str, structure: list[SuperBlock]) -> str:
    """The super-block of a module: of a ZenNet by its place in the structure, else the module's first two names."""
    match = re.match(r"module_list\.(\d+)", scope)
    if match and int(match[1]) < len(structure):
        block = structure[int(match[1])]
        name = f"{block.kind} k{block.kernel_px} {block.in_channels}-{block.out_channels} x{block.layers}"
        return f"{match[1]}: {name}"
    return ".".join(scope.split(".")[:2]) or "outside any module"


def _grouped(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for name, seconds in pairs:
        totals[name] = totals.get(name, 0.0) + seconds
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def _write(found: Profile, path: Path) -> None:
    write_whole(path, msgspec.json.encode(found) + b"\n", fix="give another --results")
