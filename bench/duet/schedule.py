"""Which network of a duet is visited next, and which side of it first."""

import math
import random
from collections.abc import Iterator, Sequence

from bench.duet.ledger import DuetRun
from bench.duet.record import SideName
from bench.duet.settings import DuetSettings
from bench.trust.huber import robust_scale


def orders(choose: random.Random) -> Iterator[SideName]:
    """Which side comes first, turn by turn: old-new-new-old or new-old-old-new, so that steady drifts cancel."""
    while True:
        first: SideName = choose.choice(("old", "new"))
        yield first
        yield "new" if first == "old" else "old"


def least_turns(settings: DuetSettings, process_pair: int) -> int:
    """How many turns every network has by the end of a pair of processes, the first being 0; whole blocks."""
    shared = settings.min_turns * (process_pair + 1) / settings.process_pairs
    return math.ceil(shared / settings.block_turns) * settings.block_turns


def next_pass(runs: Sequence[DuetRun], least: int, budget_is_left: bool) -> list[DuetRun]:
    """Who gets a block of turns: those that lack turns, else the half whose intervals a second narrows most.

    Empty where nothing is left of the budget, or nothing would narrow.
    """
    going_on = [run for run in runs if run.lost is None]
    if lacking := [run for run in going_on if len(run.turns) < least]:
        return lacking
    gains = {run.name: gain(run) for run in going_on} if budget_is_left else {}
    narrowing = sorted((run for run in going_on if gains.get(run.name)), key=lambda run: -gains[run.name])
    return narrowing[: math.ceil(len(narrowing) / 2)]


def gain(run: DuetRun) -> float:
    """By how much a second of further turns narrows the interval, in parts of the ratio; infinite while unknown."""
    count = len(run.log_ratios)
    if count < 2:
        return math.inf
    turn_s = sum(turn.took_s for turn in run.turns) / len(run.turns)
    # The error goes with 1 / sqrt(count), and a second brings 1 / turn_s turns.
    return robust_scale(run.log_ratios) / (2 * math.sqrt(count) * count * turn_s)
