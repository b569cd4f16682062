"""`Basis`: what the visits of a measurement are held against."""

import msgspec

from bench.trust.condition import Condition
from bench.trust.exponents import Exponents, Information
from bench.trust.plausible import LONGEST_LOG
from bench.trust.run_to_run import RunToRun


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What a measurement's visits are held against, learnt from the whole sweep and from earlier ones.

    `epoch` names the machine as it was, `reference_s` what each reference workload takes at the condition that numbers
    of that epoch refer to, `conditions` the condition of each visit relative to it, as two logarithms, empty where
    nothing was read. `exponents` say how much of it is divided out, `information` what this sweep alone says of them.
    `clock_hz` is the range of the clock (5th and 95th percentile) through the sweep, `sampling_share` the part of the
    sweep's time that went into inferences of networks.
    """

    lost_share: float
    epoch: str = ""
    reference_s: dict[str, float] = {}
    conditions: list[Condition] = []
    exponents: Exponents | None = None
    information: Information | None = None
    run_to_run: RunToRun | None = None
    clock_hz: tuple[float, float] | None = None
    sampling_share: float | None = None

    def impossible(self) -> str | None:
        """What can't have been learnt from samples, in words; None where all of it can."""
        for condition in self.conditions:
            logs = [*condition]
            if self.exponents is not None:
                logs += [self.exponents.log_slowdown(condition), self.exponents.log_error(condition)]
            if not all(abs(log) <= LONGEST_LOG for log in logs):
                return f"a visit at condition {condition}"
        scatter = self.run_to_run
        if scatter is not None and not (0 <= scatter.error <= LONGEST_LOG and scatter.freedom > 0):
            return f"sweeps that lie {scatter.error} apart by {scatter.freedom} degrees of freedom"
        return None
