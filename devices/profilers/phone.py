"""Per-operator times in the output of `benchmark_model --enable_op_profiling=true`, the TFLite family's."""

import itertools
import re
from collections.abc import Callable

from devices.phone.benchmark_model import parse_benchmark_model
from devices.profilers.operators import Operator, mean_of_faster
from devices.samples import Samples
from system.errors import UserError, one_line

FLAG = "--enable_op_profiling=true"
_UNNAMED = "not told: a delegate names no modules"

_TITLE = "Operator-wise Profiling Info for Regular Benchmark Runs:"
_INTERNAL = "Delegate internal:"
_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
# Type, start (older tools alone), first, avg ms, % and cdf %, kB, times called, name; the type may hold single blanks.
# Bounded: a match would else take a time that grows with the square of a row.
_GAP = r"\s{1,200}"
_ROW = (
    rf"(?P<kind>\S.*?){_GAP}(?:{_NUMBER}{_GAP}){{%d}}(?P<avg>{_NUMBER}){_GAP}{_NUMBER}%%{_GAP}{_NUMBER}%%{_GAP}{_NUMBER}"
    rf"{_GAP}(?P<called>\d{{1,9}}){_GAP}(?P<name>\S.*)"
)
_NEW_ROW, _OLD_ROW = re.compile(_ROW % 1), re.compile(_ROW % 2)
_WHOLE_DELEGATE = re.compile(r"TfLite\w*Delegate\w*")
_CHAIN = re.compile(r"\bmodels\.zennet\.Chain_(\d{1,4})\b")


class PhoneProfiler:
    """`invoke` runs the tool with op profiling for at least so many inferences and returns what it printed."""

    def __init__(self, invoke: Callable[[int], str], close: Callable[[], None]) -> None:
        self._invoke, self.close = invoke, close
        self._runs: list[list[Operator]] = []

    def run(self, count: int) -> Samples:
        """The typical time of an invocation, the profiler's own in it."""
        text = self._invoke(count)
        self._runs.append(parse_op_profile(text))
        return Samples(seconds=[parse_benchmark_model(text).typical_s])

    def operators(self) -> list[Operator]:
        """What each operator took."""
        return mean_of_faster(self._runs)


def parse_op_profile(text: str) -> list[Operator]:
    """The operators in the order in which they run, each with all its calls of one inference.

    Raises UserError where the output holds no such table, or one that can't be read.
    """
    _, _, after = text.replace("\r\n", "\n").partition(_TITLE)
    graph, _, internal = after.partition(_INTERNAL)
    rows = _rows(graph) + (_rows(internal) if internal else [])
    operators = [_operator(at, row, line) for at, (row, line) in enumerate(rows)]
    # A delegate that tells its operators is not counted whole besides.
    parts = [operator for operator in operators if not _WHOLE_DELEGATE.fullmatch(operator.kind)]
    told = any(" Delegate/" in operator.name for operator in operators)
    return parts if told else operators


def _rows(text: str) -> list[tuple[re.Match[str] | None, str]]:
    """The rows of the first table in run order, read as its heading says."""
    lines = iter(text.splitlines())
    if not any("= Run Order =" in line for line in lines):
        raise _unreadable("no table of operators in run order")
    head = next(lines, "")
    if "[avg ms]" not in head or "[times called]" not in head:
        raise _unreadable(one_line(head, 160))
    rows = list(itertools.takewhile(lambda line: line.strip() and "=====" not in line, lines))
    if not rows:
        raise _unreadable("an empty table of operators")
    shape = _OLD_ROW if "[start]" in head else _NEW_ROW
    return [(shape.fullmatch(row.strip()), row) for row in rows]


def _operator(at: int, row: re.Match[str] | None, line: str) -> Operator:
    if row is None:
        raise _unreadable(one_line(line, 160))
    # The average is of one call.
    seconds = float(row["avg"]) * int(row["called"]) * 1e-3
    return Operator(
        name=f"{at} {row['name']}", kind=row["kind"], scope=_scope(row["kind"], row["name"]), seconds=seconds
    )


def _scope(kind: str, name: str) -> str:
    """The super-block of a tensor that the converter named: of a fused operator the one where its output belongs."""
    if _WHOLE_DELEGATE.fullmatch(kind) or name.startswith("Delegate/"):
        return _UNNAMED
    chain = _CHAIN.search(name.split(";", maxsplit=1)[0])
    return f"module_list.{chain[1]}" if chain else ""


def _unreadable(found: str) -> UserError:
    return UserError("unreadable op profile of benchmark_model", found=found, fix="use the TFLite benchmark_model")
