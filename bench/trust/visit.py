"""`Visit` and `Reading`: what one visit of a network measured, and what the reference workloads took meanwhile."""

from collections.abc import Iterator, Mapping

import msgspec

from devices.samples import THROTTLED, WAITED, Samples

COMPUTE, CORE_TO_CORE = "compute", "core_to_core"
# What the workloads were called in records of schema 1.
_FIRST_NAMES = {"arithmetic": COMPUTE, "exchange": CORE_TO_CORE}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the reference workloads, by name, and when it began on the sweep's clock.

    `clock_hz` is the rate of a chain of dependent multiplications, which follows the core's clock.
    """

    at_s: float
    workloads: Mapping[str, Samples]
    clock_hz: float | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One visit: when it began on the sweep's clock, the seconds that settled, the samples that count.

    `readings` are those taken before, during and after it, where the host's own processor does the work. Records of
    schema 1 hold one `before` and one `after` instead. `device` names the one that it was made on, where the target has
    devices that are held for a sweep, such as phones.
    """

    at_s: float
    settle_s: list[float]
    samples: Samples
    readings: list[Reading] = []
    before: Mapping[str, Samples] = {}
    after: Mapping[str, Samples] = {}
    device: str | None = None

    @property
    def end_s(self) -> float:
        """When its last sample ended, on the same clock, as far as samples and readings tell."""
        sampled_s = self.at_s + sum(self.settle_s) + sum(self.samples.seconds)
        return max([sampled_s, *(reading.at_s for reading in self.readings)])

    @property
    def waited_s(self) -> float:
        """Seconds before it until the device was fit, which a budget of sampling leaves aside; 0 if it waited in vain.

        A visit that throttled all the same costs the budget its wait, so that a device that stays hot ends a sweep.
        """
        tables = self.samples.conditions
        in_vain = any(table.get(THROTTLED) for table in tables)
        return 0.0 if in_vain else sum(float(table.get(WAITED, 0.0)) for table in tables)

    @property
    def middle_s(self) -> float:
        """The middle of it, on the same clock."""
        return (self.at_s + self.end_s) / 2

    def all_readings(self) -> Iterator[Reading]:
        """Its readings, whichever way its record holds them."""
        yield from self.readings
        for at_s, workloads in ((self.at_s, self.before), (self.end_s, self.after)):
            if workloads:
                named = {_FIRST_NAMES.get(name, name): samples for name, samples in workloads.items()}
                yield Reading(at_s=at_s, workloads=named)
