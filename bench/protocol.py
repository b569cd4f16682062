"""The protocol: what is measured for how long and when it stops, written into every record."""

from typing import Annotated

import msgspec

BUDGET_NETWORKS = 12  # that a target's budget is for: the published ones


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """Every number that shapes a measurement; a field's `description` is its help on the command line.

    A sweep goes in passes. The first `min_visits` passes visit every network once each, in shuffled order; later ones
    those networks whose intervals narrow most a second. A visit settles (runs that are kept but don't count), then
    samples; where the host's processor does the work, fixed reference workloads are read before, during and after it.
    None of these numbers was fitted to a machine: each is a cost that a user chooses, or has its reason beside it.
    """

    # A cost that a user chooses: six seconds for each of twelve networks, as on two machines of docs/trust.md.
    budget_s: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            description="seconds of a sweep, loading and cooling aside, for all networks; unless it is given, more than"
            f" {BUDGET_NETWORKS} networks have more in proportion",
        ),
    ] = 72.0
    # Records on disk keep the names that these two fields had first. With six visits the quantile of the t distribution
    # that widens an interval is 2.6, with four 3.2; it falls slowly from there.
    min_visits: Annotated[int, msgspec.Meta(ge=1, description="visits that every network gets")] = msgspec.field(
        default=6, name="min_rounds"
    )
    # An interval is a quarter of what it is after `min_visits`; what is still wide then is the machine's.
    max_visits: Annotated[int, msgspec.Meta(ge=1, description="visits after which a network is done")] = msgspec.field(
        default=100, name="max_rounds"
    )
    # A fifth of `max_visits`: beside a neighbour that comes and goes, some visit of so many counts.
    hopeless_visits: Annotated[
        int, msgspec.Meta(ge=1, description="visits that all fail for one reason, after which a network is given up")
    ] = 20
    # A tenth of `usable_interval`: beyond it, the other parts of the interval decide.
    interval: Annotated[
        float,
        msgspec.Meta(gt=0, description="half of the 95 %% interval, relative, as far as visits narrow it, to stop at"),
    ] = 0.005
    # A demand on the result, no property of a machine: a wider interval tells few networks apart.
    usable_interval: Annotated[
        float, msgspec.Meta(gt=0, description="half of the 95 %% interval, relative, beyond which a number is noisy")
    ] = 0.05
    # Two readings of the reference workloads fit between its samples, so that a change within a visit is seen.
    visit_s: Annotated[float, msgspec.Meta(ge=0, description="seconds that a visit samples at least")] = 0.3
    # Of slow networks: one sample alone would be the visit's median whatever disturbed it.
    visit_samples: Annotated[int, msgspec.Meta(ge=1, description="samples that a visit takes at least")] = 2
    # A reading takes about 25 ms, so that they cost about a seventh of the time.
    reading_every_s: Annotated[
        float, msgspec.Meta(gt=0, description="seconds of samples between two readings of the reference workloads")
    ] = 0.15
    # The first run finds the caches as another network left them; the second finds its own data there.
    settle_samples: Annotated[int, msgspec.Meta(ge=0, description="runs at a visit's start that don't count")] = 1
    # Filling 32 MB of caches from memory takes about 2 ms: of a run this long, no more than `lost_share`.
    settle_s: Annotated[
        float, msgspec.Meta(ge=0, description="seconds of a run beyond which the first one of a visit counts too")
    ] = 0.1
    # As long as a visit, and five times that where the times still fall. GPUs need more: see devices/nvidia/warm.py.
    warmup_s: Annotated[float, msgspec.Meta(ge=0, description="seconds that a warm-up lasts at least")] = 0.3
    warmup_max_s: Annotated[float, msgspec.Meta(ge=0, description="seconds after which a warm-up ends anyway")] = 1.5
    # What `usable_interval` calls a difference; the visits, not the warm-up, find smaller ones.
    warmup_drift: Annotated[
        float,
        msgspec.Meta(gt=0, description="relative change of times, clocks and power below which a warm-up ends"),
    ] = 0.05
    sustained: Annotated[
        bool, msgspec.Meta(description="measure the heat-soaked device: warm up until its temperature is steady")
    ] = False
    # Devices tell whole degrees: a rise of less than one in half a minute can't be told from none.
    soak_s: Annotated[
        float, msgspec.Meta(gt=0, description="seconds in which a steady temperature changes by one degree at most")
    ] = 30.0
    # A cost that a user chooses.
    soak_max_s: Annotated[
        float, msgspec.Meta(gt=0, description="seconds after which a warm-up of --sustained ends anyway")
    ] = 300.0
    # It bounds how much slower such a sample can be, and stays below the interval that a number is usable with.
    lost_share: Annotated[
        float, msgspec.Meta(gt=0, description="share of a sample that its threads may wait for a core or be stolen")
    ] = 0.02
    # A cost that a user chooses.
    gather_share: Annotated[
        float, msgspec.Meta(ge=0, le=1, description="share of the time that bringing cores together may take at most")
    ] = 0.05
    # A session opens in seconds; what takes ten minutes hangs.
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=1e6, description="seconds after which a session is given up")] = (
        600.0
    )
    seed: Annotated[int, msgspec.Meta(ge=0, description="seed of the order of the networks in each pass")] = 1

    def of_networks(self, networks: int) -> "Protocol":
        """The same with the budget for so many networks: in proportion where they are more than `BUDGET_NETWORKS`."""
        return msgspec.structs.replace(self, budget_s=self.budget_s * max(1.0, networks / BUDGET_NETWORKS))


def option_of(field: str) -> str:
    """The command line's option for a field."""
    return "--" + field.removesuffix("_s").replace("_", "-")
