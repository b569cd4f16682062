"""The protocol: what is measured for how long and when it stops, written into every record."""

from typing import Annotated

import msgspec


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """Every number that shapes a measurement; a field's `description` is its help on the command line.

    A sweep goes in passes. The first `min_visits` passes visit every network once each, in shuffled order; later ones
    those networks whose intervals narrow most a second. A visit settles (runs that are kept but don't count), then
    samples; where the host's processor does the work, fixed reference workloads are read before, during and after it.
    None of these numbers was fitted to a machine: each is a cost that a user chooses, or has its reason beside it.
    """

    budget_s: Annotated[
        float, msgspec.Meta(gt=0, description="seconds of a sweep, loading and cooling aside, for all networks")
    ] = 100.0
    # Records on disk keep the names that these two fields had first.
    min_visits: Annotated[int, msgspec.Meta(ge=1, description="visits that every network gets")] = msgspec.field(
        default=6, name="min_rounds"
    )
    max_visits: Annotated[int, msgspec.Meta(ge=1, description="visits after which a network is done")] = msgspec.field(
        default=100, name="max_rounds"
    )
    # A tenth of `usable_interval`: beyond it, the other parts of the interval decide.
    interval: Annotated[
        float,
        msgspec.Meta(gt=0, description="half of the 95 %% interval, relative, as far as visits narrow it, to stop at"),
    ] = 0.005
    # A demand on the result, no property of a machine: a wider interval tells few networks apart.
    usable_interval: Annotated[
        float, msgspec.Meta(gt=0, description="half of the 95 %% interval, relative, beyond which a number is noisy")
    ] = 0.05
    visit_s: Annotated[float, msgspec.Meta(ge=0, description="seconds that a visit samples at least")] = 0.3
    visit_samples: Annotated[int, msgspec.Meta(ge=1, description="samples that a visit takes at least")] = 2
    # A reading takes about 25 ms, so that they cost about a seventh of the time.
    reading_every_s: Annotated[
        float, msgspec.Meta(gt=0, description="seconds of samples between two readings of the reference workloads")
    ] = 0.15
    settle_samples: Annotated[int, msgspec.Meta(ge=0, description="runs at a visit's start that don't count")] = 1
    # Filling 32 MB of caches from memory takes about 2 ms: of a run this long, no more than `lost_share`.
    settle_s: Annotated[
        float, msgspec.Meta(ge=0, description="seconds of a run beyond which the first one of a visit counts too")
    ] = 0.1
    warmup_s: Annotated[float, msgspec.Meta(ge=0, description="seconds that a warm-up lasts at least")] = 0.3
    warmup_max_s: Annotated[float, msgspec.Meta(ge=0, description="seconds after which a warm-up ends anyway")] = 1.5
    warmup_drift: Annotated[
        float, msgspec.Meta(gt=0, description="relative change between its halves below which a warm-up ends")
    ] = 0.05
    # It bounds how much slower such a sample can be, and stays below the interval that a number is usable with.
    lost_share: Annotated[
        float, msgspec.Meta(gt=0, description="share of a sample that its threads may wait for a core or be stolen")
    ] = 0.02
    gather_share: Annotated[
        float, msgspec.Meta(ge=0, le=1, description="share of the time that bringing cores together may take at most")
    ] = 0.05
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=1e6, description="seconds after which a session is given up")] = (
        600.0
    )
    seed: Annotated[int, msgspec.Meta(ge=0, description="seed of the order of the networks in each pass")] = 1
