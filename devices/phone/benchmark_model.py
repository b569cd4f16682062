"""The official `benchmark_model`: its command line and its output, in both families.

The TFLite one counts in microseconds and drives an interpreter, the LiteRT one adds a summary in milliseconds and
drives a compiled model; their flags differ (LiteRT's sources: tflite/tools/benchmark, litert/tools).
"""

import math
import re
from typing import Literal

import msgspec

from devices.phone.options import PhoneOptions
from system.errors import UserError, one_line

Family = Literal["tflite", "litert"]

_NUMBER = r"[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,4})?"
# What stands before a line depends on the build (INFO:) and on whether logcat passed it on (… I tflite  : ).
_PREFIX = r"(?:.{0,80}\b[IWE][ /]tflite[ \t]{0,9}(?:\([ \t]{0,9}\d{1,9}\))?[ \t]{0,9}:[ \t]{0,9})?(?:INFO:[ \t]{0,9})?"
# "count=50 first=72635 … p95=49447", "count=1 curr=1041765", "count=3 curr=9(all same)", "count=0"
_BLOCK = re.compile(rf"^[ \t]{{0,80}}{_PREFIX}count=(?P<count>\d{{1,12}})(?P<rest>(?:\s.*)?)$", re.MULTILINE)
_FIELD = re.compile(rf"(?<!\S)(\w+)=({_NUMBER})(?![\w.])")
# "Inference (avg):      42.44 ms (50 runs)"
_SUMMARY = re.compile(
    rf"\bInference \((\w{{1,20}})\):[ \t]{{1,80}}({_NUMBER})(?: ms)?(?: \((\d{{1,12}}) runs\))?[ \t]{{0,80}}$",
    re.MULTILINE,
)

_DELEGATION = re.compile(
    r"applied (\w{1,40}) delegate, and the model graph will be (\w{1,40}) executed(?:.{0,200} w/ (\d{1,9}))?"
)
_FALLBACK = ("a part fell back to the CPU", "choose a CPU target")
# These, in a line, make a number worthless even where there is one. No pattern may begin with what any text matches: a
# search would take a time that grows with the square of the line.
_REFUSALS = (
    (re.compile(r"Unconsumed cmdline flags"), "it does not know every flag", "use a newer one"),
    (re.compile(r"will not be executed by the delegate"), "its delegate declined", "choose another target"),
    (re.compile(r"Failed to apply\b.{0,200}delegate", re.IGNORECASE), "its delegate declined", "choose another target"),
    (re.compile(r"Disallowed CPU fallback"), *_FALLBACK),
    (re.compile(r"Restored original execution plan"), *_FALLBACK),
    (re.compile(r"not fully accelerated", re.IGNORECASE), *_FALLBACK),
)
# These say why there is none.
_FAILURE = re.compile(r"\b(?:Failed to|Error:|ERROR|not found|No such file|denied)")


class Aggregates(msgspec.Struct, frozen=True, kw_only=True):
    """What the tool says of its measured block, in seconds; None where it didn't say."""

    count: int
    min_s: float
    max_s: float
    mean_s: float
    std_s: float
    p5_s: float | None = None
    median_s: float | None = None
    p95_s: float | None = None

    @property
    def typical_s(self) -> float:
        """The median; the mean of a tool that prints no median."""
        return self.mean_s if self.median_s is None else self.median_s


def parse_benchmark_model(text: str) -> Aggregates:
    """The measured block in the output of either family, from stdout, stderr or logcat.

    Raises UserError where there is none, where its figures contradict each other, or where the tool refused a flag,
    a delegate or the file.
    """
    text = text.replace("\r\n", "\n")
    refuse(text)
    blocks = list(_BLOCK.finditer(text))
    if len(blocks) >= 2:  # the warm-up block, then the measured one
        return _checked(_of_block(blocks[-1]), blocks[-1][0])
    if summary := _summary(text):
        return _checked(_of_summary(summary), "the summary")
    raise _unreadable("no measured block", explanation_of(text))


def refuse(text: str) -> None:
    """Raise UserError where the output says that a flag, a delegate or a part of the network was refused."""
    for pattern, why, fix in _REFUSALS:
        if match := pattern.search(text):
            line = text[text.rfind("\n", 0, match.start()) + 1 :].partition("\n")[0]
            raise UserError(f"benchmark_model refused: {why}", found=one_line(line, 160), fix=fix)


def explanation_of(text: str) -> str:
    """The line of an output that says best why it holds no result."""
    lines = [line for line in text.splitlines() if line.strip()]
    failures = filter(_FAILURE.search, lines)
    return one_line(next(failures, lines[-1] if lines else "no output"), 160)


def command_line(
    family: Family, graph: str, *, runs: int, min_s: float, max_s: float, warmup: bool, options: PhoneOptions
) -> list[str]:
    """The tool's arguments for one invocation; everything that shapes the number is said, no default is relied on."""
    arguments = {
        "graph": graph,
        "num_threads": options.threads,
        "num_runs": runs,
        "min_secs": f"{min_s:g}",
        "max_secs": f"{max_s:g}",
        # One run and half a second are its defaults; below 0 s it warms up not at all.
        "warmup_runs": 1 if warmup else 0,
        "warmup_min_secs": f"{0.5 if warmup else -1:g}",
    }
    gpu = options.delegate == "gpu"
    fp16 = _flag(options.fp16)
    if family == "tflite":
        arguments |= {"use_gpu": _flag(gpu), "use_xnnpack": _flag(not gpu)}
        arguments |= {"gpu_precision_loss_allowed": fp16} if gpu else {}
    else:
        arguments |= {"use_gpu": _flag(gpu), "use_cpu": _flag(not gpu)}
        arguments |= {"allow_fp16": fp16} if gpu else {}
    if gpu:
        arguments["require_full_delegation"] = "true"
    return [f"--{name}={value}" for name, value in arguments.items()]


def family_of(usage: str) -> Family:
    """Which family prints this usage."""
    return "litert" if "use_cpu" in usage and "use_xnnpack" not in usage else "tflite"


def takes_images(usage: str) -> bool:
    """Whether the tool that prints this usage fills its input from a file and writes its output to one."""
    return all(f"--{flag}" in usage for flag in ("input_layer_value_files", "output_filepath"))


def delegation_of(text: str) -> str | None:
    """What the tool said of its delegate, or None where it said nothing."""
    match = _DELEGATION.search(text)
    if match is None:
        return None
    kernels = f", {match[3]} kernels" if match[3] else ""
    return f"{match[1]}, {match[2]}{kernels}"


def _of_block(block: re.Match[str]) -> Aggregates:
    fields = {name: float(number) * 1e-6 for name, number in _FIELD.findall(block["rest"].replace("(all same)", ""))}
    count = int(block["count"])
    if count and "curr" in fields and not {"min", "max", "avg", "std"} & fields.keys():
        same_s = fields["curr"]  # one run, or all alike: then every statistic is that time
        fields |= {"min": same_s, "max": same_s, "avg": same_s, "std": 0.0, "median": same_s}
    return _aggregates(count, fields)


def _summary(text: str) -> dict[str, tuple[float, str]]:
    return {name: (float(number), runs) for name, number, runs in _SUMMARY.findall(text)}


def _of_summary(summary: dict[str, tuple[float, str]]) -> Aggregates:
    runs = summary.get("avg", (0.0, ""))[1]
    return _aggregates(int(runs or 0), {name: number * 1e-3 for name, (number, _) in summary.items()})


def _aggregates(count: int, fields: dict[str, float]) -> Aggregates:
    missing = [name for name in ("min", "max", "avg", "std") if name not in fields]
    if count == 0 or missing:
        raise _unreadable("no inference was counted" if count == 0 else f"no {', '.join(missing)}", f"count={count}")
    return Aggregates(
        count=count,
        min_s=fields["min"],
        max_s=fields["max"],
        mean_s=fields["avg"],
        std_s=fields["std"],
        p5_s=fields.get("p5"),
        median_s=fields.get("median"),
        p95_s=fields.get("p95"),
    )


def _checked(found: Aggregates, where: str) -> Aggregates:
    """The figures, unless no run can have measured them; means are printed with six digits, ms with two decimals.

    Raises UserError.
    """
    numbers = [value for name, value in msgspec.structs.asdict(found).items() if name != "count" and value is not None]
    slack = 1e-4 * found.max_s + 1e-5
    ordered = all(found.min_s - slack <= value <= found.max_s + slack for value in _between(found))
    if not all(map(math.isfinite, numbers)) or min(numbers) < 0 or found.mean_s <= 0 or not ordered:
        raise _unreadable("its figures contradict each other", one_line(where, 160))
    return found


def _between(found: Aggregates) -> list[float]:
    """What must lie between the shortest and the longest."""
    values = (found.p5_s, found.median_s, found.p95_s, found.mean_s, found.min_s, found.max_s)
    return [value for value in values if value is not None]


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _unreadable(why: str, found: str) -> UserError:
    return UserError(f"unreadable output of benchmark_model: {why}", found=found, fix="run it by hand on the phone")
