"""docs/results/README.md: every machine, what it measured, and its latencies of one target beside the others'."""

from collections.abc import Sequence
from pathlib import Path

from bench.trust.verdict import USABLE
from models.published import published
from reports.gather import gather
from reports.table.sheet import doubt, with_interval
from reports.table.to_markdown import escape
from system.files import write_whole
from tools.gallery.checks import released
from tools.gallery.contribution import GALLERY, Contribution, contributions, processor_of, suite_release
from tools.gallery.measure import BUDGET_S
from tools.gallery.pages import table

_TARGET = "cpu"  # the one that every machine has
_HEAD = """# Results by machine

What machines measured with this suite; each folder has the records with all raw times, a table, the chart and an
interactive page. `python -m tools.gallery render` writes this page from the records."""
_ADD = """## Add your machine

1. Check out a released version in a clone without changes, on a machine that is otherwise idle: `git checkout {tag}`.
2. `make gallery` measures the published networks on every target of its processor, for {budget_s} s each, and
   EfficientNet-Lite0 with trained weights, in 35 to 70 min. `make gallery ARGS='--target v100'` measures a target of
   other hardware, `--budget 1000` gives a busy machine more time, `--name NAME` gives the folder another name than the
   processor's.
3. `python -m tools.gallery check` says what is missing or wrong in a line each; CI asks the same. Records must be
   whole, of one machine, with the targets and the protocol as the suite has them but for a larger budget, and made by a
   released version. They hold no name of the machine or its user; phones' serial numbers are removed.
4. Commit the new folder and this page, and open a pull request."""


def write_index(gallery: Path = GALLERY) -> None:
    """Write the page. Raises UserError where that can't be done."""
    write_whole(gallery / "README.md", index(contributions(gallery)).encode(), fix="make room")


def index(found: Sequence[Contribution]) -> str:
    """The text of the page."""
    how_to_add = _ADD.format(tag=f"v{released()[0]}", budget_s=BUDGET_S)
    return "\n\n".join([_HEAD, _machines(found), *_latencies(found), how_to_add]) + "\n"


def _machines(found: Sequence[Contribution]) -> str:
    rows = []
    for each in found:
        machine = each.machine
        counts = [each.verdicts(target) for target in each.targets]
        usable = sum(count[word] for count in counts for word in USABLE)
        rows.append(
            [
                f"[{each.name}]({each.name}/README.md)",
                escape(processor_of(machine)),
                f"{machine.usable_cores}",
                ", ".join(each.targets),
                f"{usable} of {sum(count.total() for count in counts)}",
                each.day,
                escape(suite_release(machine)),
            ]
        )
    return table(["machine", "processor", "cores", "targets", "usable numbers", "day", "suite"], rows, numbers=False)


def _latencies(found: Sequence[Contribution]) -> list[str]:
    columns = [(each.name, _column(each)) for each in found if _TARGET in each.targets]
    rows = [[name, *(column.get(name, "") for _, column in columns)] for name in published()]
    about = (
        f"Target `{_TARGET}` (ONNX Runtime, FP32, single images): milliseconds with the 95 % interval; in brackets "
        "where a number can't be used."
    )
    return [about, table(["network", *(name for name, _ in columns)], rows)] if columns else []


def _column(contribution: Contribution) -> dict[str, str]:
    """The latencies of the published networks on the one target, by network."""
    (column,) = (column for column in gather(contribution.newest).columns if column.name == _TARGET)
    texts = {}
    for name, cell in column.cells.items():
        if cell.measured:
            text = with_interval(cell.measured.latency)
            texts[name] = f"[{text}]" if doubt(cell) else text
    return texts
