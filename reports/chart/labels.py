"""Positions for the labels of points, so that none covers a point, a line or another label."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from reports.chart.strokes import TEXT, Properties

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

# The gid of texts and arrows that labels must not cover.
KEEP_CLEAR = "keep-clear"
_LABEL_PT = 7.0
_MARKER_PT = 4.5
_TEXT: Properties = {"fontsize": _LABEL_PT, "va": "center", "ha": "left", "zorder": 6}
_JOINING: Properties = {"linewidth": 0.5, "alpha": 0.7, "zorder": 2.2}
# How far a label may stand from its point, in gaps, and from which distance on a line joins them.
_FAR, _NEEDS_LINE = (1.0, 2.0, 3.5, 5.0, 7.0), 1.6

Position = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )

    def inside(self, other: "Box") -> bool:
        """Whether it lies within the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )

    def nearest(self, x: float, y: float) -> "Position":
        """The position in it that is nearest to another."""
        return min(max(x, self.left), self.right), min(max(y, self.bottom), self.top)

    @classmethod
    def around(cls, x: float, y: float, radius: float) -> "Box":
        """The square around a point."""
        return cls(x - radius, y - radius, x + radius, y + radius)


@dataclass(frozen=True)
class Text:
    """What is to be written beside a position in data units."""

    text: str
    at: Position
    colour: str = TEXT


@dataclass(frozen=True)
class Label:
    """A text of a size in pixels that belongs to a point; `bottom` and `top` are the ends of its bar, if any."""

    text: str
    x: float
    y: float
    width: float
    height: float
    bottom: float | None = None
    top: float | None = None
    colour: str = TEXT


# The direction of a label from its point (right, up), the preferred one first.
_DIRECTIONS = ((1, 0), (1, -1), (-1, 0), (-1, 1), (0, 1), (0, -1), (1, 1), (-1, -1))
_SIDEWAYS = (0, 1, -1)


def arrange(
    labels: Sequence[Label],
    lines: Iterable[Sequence[Position]],
    taken: Sequence[Box],
    frame: Box,
    gap: float,
    rings: Sequence[float] = (1.0,),
) -> list[tuple[Label, Box]]:
    """A box inside `frame` for each label that has room, the first labels first; labels without room are left out.

    All in pixels: `lines` are polylines and `taken` are boxes that no label may cover, `gap` is the distance from a
    label to its point; where there is no room, the further `rings` are tried, in gaps.
    """
    import numpy as np

    boxes = [*taken, *(box for line in lines for box in _along(line, gap))]
    # A column an occupied box, room for one of each label; what is not filled yet overlaps nothing.
    occupied = np.full((4, len(boxes) + len(labels)), np.nan)
    occupied[:, : len(boxes)] = np.array([(box.left, box.bottom, box.right, box.top) for box in boxes]).reshape(-1, 4).T
    arranged: list[tuple[Label, Box]] = []
    for label in labels:
        for box in _places(label, gap, rings):
            if box.inside(frame) and not _covers(box, occupied):
                occupied[:, len(boxes) + len(arranged)] = box.left, box.bottom, box.right, box.top
                arranged.append((label, box))
                break
    return arranged


def _covers(box: Box, occupied: "NDArray[np.float64]") -> bool:
    """Whether a box shares any area with a column (left, bottom, right, top)."""
    left, bottom, right, top = occupied
    shared = (box.left < right) & (left < box.right) & (box.bottom < top) & (bottom < box.top)
    return bool(shared.any())


def _places(label: Label, gap: float, rings: Sequence[float]) -> Iterator[Box]:
    """Beside the point, on each ring, then beyond the ends of its bar."""
    for ring in rings:
        yield from (_box(label, label.y, direction, gap * ring) for direction in _DIRECTIONS)
    if label.top is not None:
        yield from (_box(label, label.top, (right, 1), gap) for right in _SIDEWAYS)
    if label.bottom is not None:
        yield from (_box(label, label.bottom, (right, -1), gap) for right in _SIDEWAYS)


def _box(label: Label, y: float, direction: tuple[int, int], gap: float) -> Box:
    right, up = direction
    left = label.x + (right - 1) * label.width / 2 + right * gap
    bottom = y + (up - 1) * label.height / 2 + up * (gap if not right else gap / 2)
    return Box(left, bottom, left + label.width, bottom + label.height)


def _along(line: Sequence[Position], step: float) -> Iterable[Box]:
    """Small boxes along a polyline, which may be a single position."""
    yield from (Box.around(x, y, 1.0) for x, y in line[:1])
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) / step))
        for number in range(steps + 1):
            share = number / steps
            yield Box.around(x0 + share * (x1 - x0), y0 + share * (y1 - y0), 1.0)


def write(
    axes: "Axes",
    texts: Sequence[Text],
    lines: Sequence[Sequence[Position]],
    bars: Mapping[Position, tuple[float, float]],
    *,
    far: bool = False,
) -> None:
    """Write each text beside its position (in data units) where it covers no `lines`, the first texts first.

    `bars` are the lower and upper ends of upright bars through positions; there is room beyond them too. Where there is
    none beside the position, a text may stand `far` from it, with a line to it.
    """
    pixels = axes.figure.dpi / 72
    height = 1.2 * _LABEL_PT * pixels

    def pixel(position: Position) -> Position:
        x, y = axes.transData.transform(position)
        return float(x), float(y)

    def label_of(text: Text) -> Label:
        x, y = pixel(text.at)
        # The width is estimated from the number of letters: measuring a text takes longer than drawing it.
        label = Label(text.text, x, y, 0.62 * _LABEL_PT * pixels * len(text.text), height, colour=text.colour)
        if text.at not in bars:
            return label
        bottom, top = (pixel((text.at[0], end))[1] for end in bars[text.at])
        return replace(label, bottom=bottom, top=top)

    labels = list(map(label_of, texts))
    drawn = [[pixel(at) for at in line] for line in lines]
    taken = [Box.around(*at, _MARKER_PT * pixels) for line in drawn for at in line]
    taken += [Box(*text.get_window_extent().extents) for text in axes.texts if text.get_gid() == KEEP_CLEAR]
    frame = Box(*axes.get_window_extent().extents)
    gap = 6.0 * pixels
    for label, box in arrange(labels, drawn, taken, frame, gap, _FAR if far else (1.0,)):
        _write(axes, label, box, gap)


def _write(axes: "Axes", label: Label, box: Box, gap: float) -> None:
    """Write a label into its box, with a line to its point where that is far."""
    back = axes.transData.inverted().transform
    x, y = back((box.left, (box.bottom + box.top) / 2))
    axes.text(x, y, label.text, parse_math=False, color=label.colour, **_TEXT)
    end = box.nearest(label.x, label.y)
    if math.dist(end, (label.x, label.y)) > _NEEDS_LINE * gap:
        (x0, y0), (x1, y1) = back(end), back((label.x, label.y))
        axes.plot([x0, x1], [y0, y1], color=label.colour, **_JOINING)
