"""The numbers that shape a duet, written into every record of one."""

from typing import Annotated

import msgspec

from bench.protocol import Protocol

_SHARED = Protocol()


class DuetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a duet measures by; fields named as in `Protocol` are given by the same options of the command line.

    `process_sd` is the relative standard deviation between two processes of one file, which keep their memory for
    life, that is expected before this duet has seen any. The default is a guess. It weighs as much as
    `process_freedom` degrees of freedom, so the process pairs of a whole duet, two degrees a network, outweigh it.
    """

    budget_s: Annotated[float, msgspec.Meta(gt=0)] = 120.0  # of sampling, all networks together
    process_pairs: Annotated[int, msgspec.Meta(ge=1)] = 3  # times that both sides are loaded afresh
    # That every network gets, whatever the budget: two of ABBA or BAAB in each pair of processes.
    min_turns: Annotated[int, msgspec.Meta(ge=1)] = 12
    block_turns: Annotated[int, msgspec.Meta(ge=2)] = 2  # in a row for one network; ABBA or BAAB needs two
    fill_s: Annotated[float, msgspec.Meta(ge=0)] = 0.02  # seconds that the counted inferences of a visit fill
    settle_samples: Annotated[int, msgspec.Meta(ge=1)] = 1  # inferences at a visit's start that don't count
    settle_s: Annotated[float, msgspec.Meta(ge=0)] = _SHARED.settle_s  # of one beyond which there are none such
    # Shorter than a sweep's: both sides are equally old, so what is left of a warm-up cancels, and there are many.
    warmup_s: Annotated[float, msgspec.Meta(ge=0)] = 0.1
    warmup_max_s: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    warmup_drift: Annotated[float, msgspec.Meta(gt=0)] = _SHARED.warmup_drift
    blocks: Annotated[int, msgspec.Meta(ge=2)] = 20  # blocks of time that the sampling error is taken from
    fewest_blocks: Annotated[int, msgspec.Meta(ge=2)] = 8  # with fewer there is no interval
    process_sd: Annotated[float, msgspec.Meta(gt=0)] = 0.002
    process_freedom: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05  # chance of any false alarm in a whole duet
    # Larger than a sweep's: what other programs take, they take from either side alike, so that it widens the interval
    # but moves no ratio. A long inference hardly ever loses less than one slice of the scheduler (about 4 ms).
    lost_share: Annotated[float, msgspec.Meta(gt=0)] = 0.1
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=1e6)] = _SHARED.timeout_s
    seed: Annotated[int, msgspec.Meta(ge=0)] = _SHARED.seed

    def warm_up(self) -> Protocol:
        """What `bench.measure.warm_up` reads, in the struct that it reads it from."""
        return Protocol(warmup_s=self.warmup_s, warmup_max_s=self.warmup_max_s, warmup_drift=self.warmup_drift)
