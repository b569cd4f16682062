"""`Samples`: what one call of a session's `run` measured."""

from typing import Any

import msgspec

# What a device told during one call of `run`, by names that end in their unit. Each device has readings of its own, so
# the table is open; two keys have a meaning for the verdict, each a text that says why, and one for the budget.
DeviceReadings = dict[str, Any]
WAITED = "waited_s"  # seconds until the device was fit to be measured, for example cool
THROTTLED = "throttled"  # the device ran slower than it can, to cool down or for lack of power
CONTENDED = "contended"  # another process used it
# Readings that a warm-up waits for until they are steady, where the device has them.
STEADY = ("sm_clock_mhz", "power_w")
TEMPERATURE = "temperature_c"  # in whole degrees; `--sustained` waits for it too


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds of each inference of one batch, in order, and what else was seen during each of them.

    `evidence` holds lists as long as `seconds`; which ones depends on the clock. The host's has `wait_s` (threads
    of the process that were ready and had no core, summed), `steal_s` (taken by other guests of the host, all cores
    summed), `switches` (involuntary context switches) and `cpu_s` (CPU time of the process); a GPU's has `enqueue_s`
    (host time to queue the batch); a tool that gives aggregates has one sample an invocation, its median, and
    `count`, `min_s`, `max_s`, `mean_s`, … beside it.

    `conditions` holds one table of readings a call of `run`: clocks, temperatures, power.
    """

    seconds: list[float]
    evidence: dict[str, list[float]] = {}
    conditions: list[DeviceReadings] = []

    def __post_init__(self) -> None:
        """Raises ValueError where evidence is of other samples."""
        for name, values in self.evidence.items():
            if len(values) != len(self.seconds):
                raise ValueError(f"{len(values)} values of {name} for {len(self.seconds)} samples")
