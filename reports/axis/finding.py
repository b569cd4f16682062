"""What is found along a curve: the work a second of each point, and the knee in words."""

from dataclasses import dataclass

from reports.axis.curve import Axis, Curve, CurvePoint
from reports.axis.knee import Knee, knee_of
from reports.axis.rates import Rate, rate_of
from reports.table.sheet import decimals_of

# Work that could be in proportion to time: images along the batch, megapixels along the resolution.
WORK = {Axis.BATCH: "images/s", Axis.RESOLUTION: "Mpixel/s"}


@dataclass(frozen=True)
class Finding:
    """A curve with the `work` a second of each of its measured points."""

    curve: Curve
    work: list[Rate]
    knee: Knee

    @property
    def point(self) -> CurvePoint | None:
        """The point that is the knee, where there is one."""
        return None if self.knee.at is None else self.curve.measured[self.knee.at][0]

    @property
    def statement(self) -> str:
        """Where the knee is and what the throughput is there, or why there is none."""
        measured = self.curve.measured
        doubts = "" if all(each.usable for _, each in measured) else "; not all of its numbers are usable"
        if self.knee.at is None:
            return f"{self.knee.reason}{doubts}"
        value, most = self.work[self.knee.at].value, max(rate.value for rate in self.work)
        first, number = measured[0][0].number, measured[self.knee.at][0].number
        at = f"batch {number}" if self.curve.axis is Axis.BATCH else f"{number} px"
        rise = f"{value / self.work[0].value:.2f} times that at {first}, {value / most:.0%} of the highest"
        return f"knee at {at}: {value:.{decimals_of(value)}f} {WORK[self.curve.axis]}, {rise}{doubts}"


def find_knee(curve: Curve) -> Finding:
    """The curve's throughput and its knee."""
    work = [
        rate_of(each.latency, 1.0 if curve.axis is Axis.BATCH else point.number**2 / 1e6)
        for point, each in curve.measured
    ]
    return Finding(curve, work, knee_of([point.number for point, _ in curve.measured], work))
