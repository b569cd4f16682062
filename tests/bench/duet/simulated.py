"""Duets without a clock: what turns would say beside a drift that both sides share."""

import math
import random

# Turns of twelve networks in 10 seconds each, from the largest that the zoo has to the smallest.
TURNS = (63, 70, 80, 87, 95, 108, 125, 145, 165, 190, 220, 252)
PAIRS = 3
# How much of the drift one visit passes on to the next.
_MEMORY = 0.97


def duet(
    choose: random.Random, *, own_sd: float, drift_sd: float, process_sd: float, change: float = 0.0, turns=TURNS
) -> dict[str, list[list[float]]]:
    """Log ratios of twelve networks: each visit has noise of its own, each process an offset for life."""
    return {
        str(index): [
            _pair(choose, count // PAIRS, own_sd=own_sd, drift_sd=drift_sd, process_sd=process_sd, change=change)
            for _ in range(PAIRS)
        ]
        for index, count in enumerate(turns)
    }


def _pair(choose, count, *, own_sd, drift_sd, process_sd, change):
    drift = choose.gauss(0, drift_sd)
    offset = choose.gauss(0, process_sd) - choose.gauss(0, process_sd)
    log_ratios = []
    for turn in range(count):
        visits = []
        for _ in range(2):
            visits.append(drift + choose.gauss(0, own_sd))
            drift = _MEMORY * drift + choose.gauss(0, drift_sd * math.sqrt(1 - _MEMORY**2))
        old, new = visits if turn % 2 else reversed(visits)
        log_ratios.append(new - old + offset + math.log1p(change))
    return log_ratios
