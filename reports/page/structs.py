"""What the page's scripts read, as JSON objects."""

import msgspec

from reports.chart.axes import LATENCY_TITLE


class FamilyData(msgspec.Struct, frozen=True, kw_only=True):
    """A family's colour (#rrggbb) and plotly's name of its marker."""

    name: str
    colour: str
    symbol: str


class PointData(msgspec.Struct, frozen=True, kw_only=True):
    """One network; `hover` is markup, `top1` is percent, without an interval where it is published."""

    ms: float
    low_ms: float
    high_ms: float
    top1: float
    top1_low: float
    top1_high: float
    usable: bool
    hover: str


class SeriesData(msgspec.Struct, frozen=True, kw_only=True):
    """The networks that one line joins; `sample` is "" where their accuracies are published.

    Else it is the digest of the images that all of them are of.
    """

    family: str
    measured: bool
    sample: str
    points: list[PointData]


class UnratedData(msgspec.Struct, frozen=True, kw_only=True):
    """One network of no known accuracy, in the strip below the accuracies."""

    family: str
    ms: float
    low_ms: float
    high_ms: float
    usable: bool
    hover: str


class ArrowData(msgspec.Struct, frozen=True, kw_only=True):
    """The arrow at equal accuracy, from the baseline's latency to the network's.

    Its text stands above it or below, beyond `text_top1`, where no bar of a measured accuracy is near.
    """

    family: str
    against: str | None
    published: bool
    ms: float
    baseline_ms: float
    top1: float
    text: str
    above: bool
    text_top1: float


class PanelData(msgspec.Struct, frozen=True, kw_only=True):
    """One panel; the ranges are of its axes, in milliseconds and percent.

    `strip` is where networks of no known accuracy stand: its bottom, its middle and its top, in percent.
    """

    id: int
    target: str
    title: str
    subtitle: str
    series: list[SeriesData]
    latency_range: tuple[float, float]
    log_latency_range: tuple[float, float]
    accuracy_range: tuple[float, float]
    arrow: ArrowData | None
    unrated: list[UnratedData]
    strip: tuple[float, float, float]


class PageData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the scripts read."""

    families: list[FamilyData]
    first_targets: list[str]
    log: bool
    latency_title: str = LATENCY_TITLE
    accuracy_title: str
    panels: list[PanelData]
