"""Tables and bar charts of the profiles that `python -m bench TARGET --profile MODEL` wrote."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bench.profile import Profile
from reports.chart.files import draw_files, new_figure
from reports.chart.strokes import GREY, TEXT
from reports.looks import PALETTE
from reports.table.sheet import Entry, Piece, Sheet
from reports.table.to_markdown import markdown
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_BARS = 30  # of each kind of part, the table has all


def profile_files(results: Path) -> Iterator[tuple[str, bytes]]:
    """The name and content of each file: a table and charts for each profile. Raises UserError for a damaged one."""
    for path in sorted((results / "profiles").glob("*.json")):
        try:
            profile = msgspec.json.decode(path.read_bytes(), type=Profile)
        except (OSError, *UNREADABLE) as error:
            raise UserError(f"can't read {path}", found=one_line(error), fix="remove it and profile again") from error
        name = f"profile-{path.stem}"
        yield f"{name}.md", markdown(sheets(profile)).encode()
        for format_, content in draw_files(_figure(profile), ("png", "svg")).items():
            yield f"{name}.{format_}", content


def sheets(profile: Profile) -> list[Sheet]:
    """One table by kind of operator, one by super-block."""
    text = (
        f"Sum {profile.sum_s * 1e3:.3f} ms, latency {profile.latency_s * 1e3:.3f} ms a batch of {profile.batch}: "
        f"{profile.note}."
    )
    made_of = {"Weights": profile.weights, "Calibrated on": profile.calibration}
    text += "".join(f" {what}: {name}." for what, name in made_of.items() if name)
    return [
        _sheet(f"{profile.model} on {profile.target}, by operator", "Operator", profile.by_kind(), text),
        _sheet(f"{profile.model} on {profile.target}, by super-block", "Super-block", profile.by_block(), text),
    ]


def _sheet(title: str, heading: str, seconds: dict[str, float], text: str) -> Sheet:
    total_s = sum(seconds.values()) or 1.0
    rows = [
        [
            Entry((Piece(name),), name),
            Entry((Piece(f"{part_s * 1e3:.3f}"),), part_s),
            Entry((Piece(f"{part_s / total_s:.1%}"),), part_s),
        ]
        for name, part_s in seconds.items()
    ]
    return Sheet(title, [Piece(heading), Piece("ms a batch"), Piece("Share")], rows, text=[text])


def _figure(profile: Profile) -> "Figure":
    groups = {"by operator": profile.by_kind(), "by super-block": profile.by_block()}
    most = max(min(len(seconds), _MOST_BARS) for seconds in groups.values())
    title = f"{one_line(profile.model, 60)} on {one_line(profile.target, 40)}"
    figure = new_figure(11.0, 1.6 + 0.28 * most, title)
    for axes, (name, seconds) in zip(figure.subplots(1, 2), groups.items(), strict=True):
        _bars(axes, name, dict(list(seconds.items())[:_MOST_BARS]), profile.sum_s or 1.0)
    note = f"{profile.sum_s * 1e3:.2f} ms in operators; {profile.note}"
    figure.supxlabel(note, fontsize=8, color=GREY, wrap=True)
    return figure


def _bars(axes: "Axes", title: str, seconds: dict[str, float], total_s: float) -> None:
    milliseconds = [part_s * 1e3 for part_s in seconds.values()]
    bars = axes.barh(range(len(seconds)), milliseconds, color=PALETTE[1], height=0.7)
    axes.bar_label(bars, [f"{part_s / total_s:.1%}" for part_s in seconds.values()], padding=4, fontsize=8, color=TEXT)
    axes.set_yticks(range(len(seconds)), [one_line(name, 40) for name in seconds], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, max(milliseconds, default=1.0) * 1.15)
    axes.set_xlabel("ms a batch")
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
