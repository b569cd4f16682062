"""The protocol: what is measured for how long and when it stops, written into every record."""

from typing import Annotated

import msgspec


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """Every number that shapes a measurement; a field's `description` is its help on the command line.

    A sweep goes in visits. A round visits every network once, in shuffled order. A visit settles (runs that are
    kept but don't count), then samples, between two readings of fixed reference works where the host's
    processor does the work. A network is done when the interval of its estimate is narrow enough. Rounds beyond the
    first `min_visits` visit the networks with the widest intervals.
    """

    budget_s: Annotated[float, msgspec.Meta(gt=0, description="seconds of sampling for the whole target")] = 100.0
    # Records on disk keep the names that these two fields had first.
    min_visits: Annotated[int, msgspec.Meta(ge=1, description="visits that every network gets")] = msgspec.field(
        default=6, name="min_rounds"
    )
    max_visits: Annotated[int, msgspec.Meta(ge=1, description="visits after which a network is done")] = msgspec.field(
        default=100, name="max_rounds"
    )
    interval: Annotated[
        float,
        msgspec.Meta(
            gt=0, description="half of the 95 %% interval, relative and without run-to-run, at which one is done"
        ),
    ] = 0.01
    visit_s: Annotated[float, msgspec.Meta(ge=0, description="seconds that a visit samples at least")] = 0.2
    visit_samples: Annotated[int, msgspec.Meta(ge=1, description="samples that a visit takes at least")] = 2
    settle_samples: Annotated[int, msgspec.Meta(ge=0, description="runs at a visit's start that don't count")] = 1
    warmup_s: Annotated[float, msgspec.Meta(ge=0, description="seconds that a warm-up lasts at least")] = 0.3
    warmup_max_s: Annotated[float, msgspec.Meta(ge=0, description="seconds after which a warm-up ends anyway")] = 1.5
    warmup_drift: Annotated[
        float, msgspec.Meta(gt=0, description="relative change between its halves below which a warm-up ends")
    ] = 0.05
    lost_share: Annotated[
        float, msgspec.Meta(gt=0, description="share of a sample that its threads may wait for a core")
    ] = 0.02
    arithmetic_tolerance: Annotated[
        float, msgspec.Meta(gt=0, description="how much slower than undisturbed the arithmetic reference may be")
    ] = 0.04
    exchange_tolerance: Annotated[
        float, msgspec.Meta(gt=0, description="how much slower than undisturbed the exchange reference may be")
    ] = 0.12
    patience_s: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            description="seconds that a network's first visit waits for undisturbed references; each next so much more",
        ),
    ] = 3.0
    run_to_run: Annotated[
        float,
        msgspec.Meta(ge=0, description="relative standard error between sweeps of a CPU that none sees of itself"),
    ] = 0.008
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=1e6, description="seconds after which a session is given up")] = (
        600.0
    )
    seed: Annotated[int, msgspec.Meta(ge=0, description="seed of the order of the networks in each round")] = 1

    def tolerance(self) -> dict[str, float]:
        """How much slower, relative, each reference work may be around a round that counts."""
        return {"arithmetic": self.arithmetic_tolerance, "exchange": self.exchange_tolerance}
