"""The published figure, drawn anew: accuracy against latency of a group of networks, a panel for each device."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.accuracy.store import read_accuracies
from bench.records.header import newest_records
from models.zoo import find
from reports.axis.curve import curves_of, without_axes
from reports.chart.chart import Style, chart
from reports.gather import baseline, gather, narrow
from system.errors import UserError
from system.files import write_whole


@dataclass(frozen=True)
class FigureRequest:
    """What to draw: of the records in `results` those of the networks that match, into files in `out`."""

    results: Path
    out: Path
    models: Sequence[str]
    targets: Sequence[str] = ("*",)
    style: Style = field(default_factory=Style)
    against: str | None = None


def draw_figure(request: FigureRequest) -> list[Path]:
    """Write figure.png, .svg and .pdf and return them. Raises UserError where nothing would be in them."""
    everything = gather(newest_records(request.results), read_accuracies(request.results))
    everything = without_axes(everything, curves_of(everything))
    wanted = {model.name for pattern in request.models for model in find(pattern)}
    report = narrow(everything, request.targets, ["*"])
    report = replace(report, networks=[network for network in report.networks if network.name in wanted])
    if not any(column.cell(network).latency for column in report.columns for network in report.networks):
        what = f"no number of {', '.join(request.models)}"
        raise UserError(what, found=f"the records in {request.results}", fix="measure some: make figure TARGET=cpu")
    style = replace(request.style, against=baseline(everything, report, request.against, "--model"))
    paths = []
    for format_, content in chart(report, style, ("png", "svg", "pdf")).items():
        paths.append(request.out / f"figure.{format_}")
        write_whole(paths[-1], content, fix="give another --out")
    return paths
