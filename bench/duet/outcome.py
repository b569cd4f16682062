"""What a duet found: network by network, and in one word."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from bench.duet.ratio import ALL, Ratio, differing, slower, together
from bench.duet.record import Duet

UNTESTABLE: Literal["untestable"] = "untestable"


class NetworkOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One network's: medians in seconds a batch; `estimate` is of new over old; `change` says it in words.

    `slower` is whether it is slower than the gate allows, beyond chance; None without a gate or an interval.
    """

    model: str
    old_s: float | None
    new_s: float | None
    estimate: Ratio | None
    turns: int
    counted: int
    p_different: float | None
    different: bool | None
    p_slower: float | None
    slower: bool | None
    change: str


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """All networks together: the geometric mean of their ratios, and what it says, as of one network."""

    estimate: Ratio
    p_different: float
    different: bool
    p_slower: float | None
    slower: bool | None
    change: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A whole duet's; `errors` are the reasons for which the gate fails, in a line each."""

    duet: str
    target: str
    against: list[str]
    outcome: Literal["untestable", "slower", "not slower", "different", "none found"]
    test: str
    fail_if_slower_percent: float | None
    errors: list[str]
    networks: list[NetworkOutcome]
    together: Together | None


def outcome_of(duets: Sequence[Duet], percent: float | None) -> Outcome:
    """The outcome of the records of one duet, at least one, with a gate at `percent` or without one."""
    estimates = {duet.model.name: duet.estimate for duet in duets if duet.estimate is not None}
    alpha = duets[0].settings.alpha
    fallen = None if percent is None else slower(estimates, percent, alpha)
    networks = [_network(duet, percent, fallen) for duet in duets]
    every = _together(estimates, percent, fallen, alpha)
    errors = [] if percent is None or fallen is None else _errors(duets, fallen, percent)
    return Outcome(
        duet=duets[0].duet,
        target=duets[0].new.target.name,
        against=duets[0].against,
        outcome=_word(networks, every, gated=percent is not None, failed=bool(errors)),
        test=f"Student's t on log ratios of adjacent visits, Holm over the networks and their mean at {alpha:g} in all",
        fail_if_slower_percent=percent,
        errors=errors,
        networks=networks,
        together=every,
    )


def _together(
    estimates: Mapping[str, Ratio], percent: float | None, fallen: set[str] | None, alpha: float
) -> Together | None:
    estimate = together(list(estimates.values()))
    if estimate is None:
        return None
    different = ALL in differing(estimates, alpha)
    return Together(
        estimate=estimate,
        p_different=estimate.p_different(),
        different=different,
        p_slower=None if percent is None else estimate.p_slower(percent),
        slower=None if fallen is None else ALL in fallen,
        change=_words(estimate) if different else "none found",
    )


def _network(duet: Duet, percent: float | None, fallen: set[str] | None) -> NetworkOutcome:
    estimate = duet.estimate
    return NetworkOutcome(
        model=duet.model.name,
        old_s=duet.median_s("old"),
        new_s=duet.median_s("new"),
        estimate=estimate,
        turns=len(duet.turns),
        counted=sum(map(len, duet.log_ratios())),
        p_different=estimate.p_different() if estimate else None,
        different=duet.different,
        p_slower=estimate.p_slower(percent) if estimate is not None and percent is not None else None,
        slower=duet.model.name in fallen if estimate is not None and fallen is not None else None,
        change=_change(duet),
    )


def _change(duet: Duet) -> str:
    lost = f"{duet.lost.side} side lost: {duet.lost.reason}" if duet.lost else ""
    if duet.estimate is None:
        return f"can't say: {lost or _too_few(duet)}"
    ended = f"; ended early, {lost}" if lost else ""
    if not duet.different:
        return f"none found{ended}"
    return f"{_words(duet.estimate)}{ended}"


def _words(estimate: Ratio) -> str:
    return f"{abs(estimate.ratio - 1):.1%} {'slower' if estimate.ratio > 1 else 'faster'}"


def _too_few(duet: Duet) -> str:
    counted = sum(map(len, duet.log_ratios()))
    if 2 * counted < len(duet.turns):
        return f"in {len(duet.turns) - counted} of {len(duet.turns)} turns other programs used the processor"
    return f"{counted} turns are too few"


def _errors(duets: Sequence[Duet], fallen: set[str], percent: float) -> list[str]:
    names = [duet.model.name for duet in duets]
    lines = [f"{name} is more than {percent:g} % slower" for name in names if name in fallen]
    if ALL in fallen:
        lines.append(f"all networks together are more than {percent:g} % slower")
    # What ran before and doesn't any more must not pass as unchanged.
    lines += [
        f"{duet.model.name} can't be measured any more: {duet.lost.reason}"
        for duet in duets
        if duet.lost and duet.lost.side == "new"
    ]
    return lines


def _word(
    networks: Sequence[NetworkOutcome], every: Together | None, *, gated: bool, failed: bool
) -> Literal["untestable", "slower", "not slower", "different", "none found"]:
    if all(each.estimate is None for each in networks):
        return UNTESTABLE
    if gated:
        return "slower" if failed else "not slower"
    found = [each.different for each in networks] + [every is not None and every.different]
    return "different" if any(found) else "none found"
