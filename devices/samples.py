"""`Samples`: what one call of a session's `run` measured."""

import msgspec


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds of each inference of one batch, in order, and what else was seen during each of them.

    `evidence` holds lists as long as `seconds`; which ones depends on the clock. The host's has `switches`
    (involuntary context switches of the process), `steal_s` (taken by other guests of the host, all cores summed)
    and `cpu_s` (CPU time of the process).
    """

    seconds: list[float]
    evidence: dict[str, list[float]] = {}
