"""Whether a number can be trusted: the rules, one function each, applied in order."""

from collections import Counter
from typing import cast

from bench.protocol import Protocol
from bench.record import Measurement, Verdict, Word

# Rounds whose interval is wider than this, relative to the median, did not measure one and the same thing.
_WIDE = 0.05


def judge(measurement: Measurement, protocol: Protocol) -> Verdict:
    """The first rule that objects, or "stable"."""
    for rule in (_too_few, _disturbed, _drifting):
        verdict = rule(measurement, protocol)
        if verdict is not None:
            return verdict
    return Verdict(word="stable", detail=f"±{measurement.estimate.half_width:.1%} across {_counted(measurement)}")


def _too_few(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    rounds = len(measurement.rounds)
    if rounds >= protocol.min_rounds:
        return None
    return Verdict(word="too few samples", detail=f"{rounds} rounds of at least {protocol.min_rounds}")


def _disturbed(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    """Too few rounds are left that nobody disturbed: the word is what was objected to most."""
    if len(measurement.trusted) >= protocol.min_rounds:
        return None
    objections = Counter(why for why in measurement.objections if why is not None)
    word = objections.most_common(1)[0][0]
    return Verdict(word=cast(Word, word), detail=f"only {_counted(measurement)} undisturbed")


def _drifting(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    width = measurement.estimate.half_width
    return Verdict(word="drifting", detail=f"±{width:.1%} across {_counted(measurement)}") if width > _WIDE else None


def _counted(measurement: Measurement) -> str:
    return f"{len(measurement.trusted)} of {len(measurement.rounds)} rounds"
