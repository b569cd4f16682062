"""Whether a number can be trusted: the rules, one function each, applied in order."""

from bench.protocol import Protocol
from bench.record import Measurement, Verdict
from devices.samples import Samples

# A sample is contended when its threads went without a core for more than this share of it.
_LOST = 0.01
_CONTENDED_SHARE = 0.5
# Rounds whose interval is wider than this, relative to the median, did not measure one and the same thing.
_WIDE = 0.05


def judge(measurement: Measurement, protocol: Protocol) -> Verdict:
    """The first rule that objects, or "stable"."""
    for rule in (_too_few, _contended, _drifting):
        verdict = rule(measurement, protocol)
        if verdict is not None:
            return verdict
    return Verdict(word="stable", detail=f"±{measurement.estimate.half_width:.1%} across rounds")


def _too_few(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    rounds = len(measurement.rounds)
    if rounds >= protocol.min_rounds:
        return None
    return Verdict(word="too few samples", detail=f"{rounds} rounds of at least {protocol.min_rounds}")


def _contended(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    flags = [flag for part in measurement.rounds for flag in contended(part.samples)]
    share = sum(flags) / len(flags)
    return Verdict(word="contended", detail=f"{share:.0%} of the samples") if share > _CONTENDED_SHARE else None


def _drifting(measurement: Measurement, protocol: Protocol) -> Verdict | None:
    width = measurement.estimate.half_width
    return Verdict(word="drifting", detail=f"±{width:.1%} across rounds") if width > _WIDE else None


def contended(samples: Samples) -> list[bool]:
    """Of each sample, whether neighbours took more than a trifle of it: ready threads without a core, or steal."""
    nothing = [0.0] * len(samples.seconds)
    waits, steals = (samples.evidence.get(name, nothing) for name in ("wait_s", "steal_s"))
    return [wait + steal > _LOST * second for second, wait, steal in zip(samples.seconds, waits, steals, strict=True)]
