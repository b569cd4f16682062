"""The table and the plot of the trials."""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from bench.records.store import read_lines
from studies.fleet_scale.figures import Figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = (
    "devices",
    "visits of each network",
    "trials",
    "visits",
    "records",
    "wall time, s",
    "driver, CPU s",
    "driver, ms a visit",
    "hosts, CPU s",
    "records a second",
    "memory, MB",
    "MB a device",
    "threads",
)
_COLORS = ("#4477aa", "#228833", "#ccbb44", "#aa3377")


def read(file: Path) -> list[Figures]:
    """Every trial of a file."""
    return [msgspec.json.decode(line, type=Figures) for _, line in read_lines(file)]


def by_size(figures: Sequence[Figures]) -> dict[tuple[int, int], list[Figures]]:
    """The trials of each number of visits of a network, and of devices: the fewest first."""
    ordered = sorted(figures, key=_size)
    return {size: list(each) for size, each in groupby(ordered, key=_size)}


def table(figures: Sequence[Figures]) -> str:
    """A row for each size: medians, and from the lowest to the highest where they differ."""
    head = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"
    return head + "".join(map(_row, by_size(figures).values()))


def _row(each: Sequence[Figures]) -> str:
    cells = [
        f"{each[0].devices:,}",
        f"{each[0].visits_each}",
        f"{len(each)}",
        f"{each[0].visits:,}",
        f"{each[0].records:,}",
        _spread(each, lambda one: one.wall_s, "{:.0f}"),
        _spread(each, lambda one: one.driver_cpu_s, "{:.1f}"),
        _spread(each, lambda one: one.work_s * 1e3, "{:.2f}"),
        _spread(each, lambda one: one.hosts_cpu_s, "{:.1f}"),
        _spread(each, lambda one: one.records / one.wall_s, "{:.0f}"),
        _spread(each, lambda one: one.peak_bytes / 1e6, "{:.0f}"),
        _spread(each, _a_device_mb, "{:.2f}"),
        f"{max(one.threads for one in each):,}",
    ]
    return f"| {' | '.join(cells)} |\n"


def _spread(each: Sequence[Figures], of: Callable[[Figures], float], form: str) -> str:
    found = sorted(map(of, each))
    low, middle, high = (form.format(value) for value in (found[0], median(found), found[-1]))
    return middle if low == high else f"{middle} ({low} to {high})"


def _a_device_mb(one: Figures) -> float:
    return (one.peak_bytes - one.before_bytes) / 1e6 / one.devices


def _size(one: Figures) -> tuple[int, int]:
    return one.visits_each, one.devices


def draw(figures: Sequence[Figures], path: Path) -> None:
    """Draw work a visit and memory against the number of devices; a dot is a trial, the line joins the medians."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.hashsalt": "fleet_scale"}):
        figure = _figure(figures)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)


def _figure(figures: Sequence[Figures]) -> "Figure":
    from matplotlib import pyplot

    devices = sorted({one.devices for one in figures})
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    drawn: list[tuple[str, Callable[[Figures], float]]] = [
        ("driver's CPU time a visit, ms", lambda one: one.work_s * 1e3),
        ("driver's memory at most, MB", lambda one: one.peak_bytes / 1e6),
    ]
    for panel, (name, of) in zip(panels, drawn, strict=True):
        for visits, color in zip(sorted({one.visits_each for one in figures}), _COLORS, strict=False):
            those = [one for one in figures if one.visits_each == visits]
            sizes = [(size[1], median(map(of, each))) for size, each in by_size(those).items()]
            panel.plot(*zip(*sizes, strict=True), color=color, linewidth=1.5, label=f"{visits} visits of each")
            panel.plot([one.devices for one in those], [of(one) for one in those], "o", color=color, markersize=5)
        panel.set(xscale="log", xlabel="devices, 200 networks each", ylabel=name)
        panel.set_xticks(devices, [f"{each:,}" for each in devices])
        panel.xaxis.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylim(0, 1.15 * max(one.work_s * 1e3 for one in figures))
    panels[0].legend(loc="lower right", frameon=False)
    panels[1].set(yscale="log", ylim=(10, 5000))
    panels[1].axhline(2000, color="#bb5566", linestyle="--", linewidth=1)
    panels[1].annotate("2 GB", (min(devices), 2000), xytext=(0, 3), textcoords="offset points", color="#bb5566")
    return figure
