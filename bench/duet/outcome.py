"""What a duet found: network by network, and in one word."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from bench.duet.ratio import Ratio, holm
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


def outcome_of(duets: Sequence[Duet], percent: float | None) -> Outcome:
    """The outcome of the records of one duet, at least one, with a gate at `percent` or without one."""
    p_slower = {
        duet.model.name: duet.estimate.p_slower(percent)
        for duet in duets
        if percent is not None and duet.estimate is not None
    }
    alpha = duets[0].settings.alpha
    slower = holm(p_slower, alpha)
    networks = [_network(duet, p_slower.get(duet.model.name), slower) for duet in duets]
    errors = [] if percent is None else _errors(duets, slower, percent)
    return Outcome(
        duet=duets[0].duet,
        target=duets[0].new.target.name,
        against=duets[0].against,
        outcome=_word(networks, gated=percent is not None, failed=bool(errors)),
        test=f"Student's t on log ratios of adjacent visits, Holm over the networks at {alpha:g} in all",
        fail_if_slower_percent=percent,
        errors=errors,
        networks=networks,
    )


def _network(duet: Duet, p_slower: float | None, slower: set[str]) -> NetworkOutcome:
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
        p_slower=p_slower,
        slower=None if p_slower is None else duet.model.name in slower,
        change=_change(duet),
    )


def _change(duet: Duet) -> str:
    lost = f"{duet.lost.side} side lost: {duet.lost.reason}" if duet.lost else ""
    if duet.estimate is None:
        return f"can't say: {lost or _too_few(duet)}"
    ended = f"; ended early, {lost}" if lost else ""
    if not duet.different:
        return f"none found{ended}"
    ratio = duet.estimate.ratio
    return f"{abs(ratio - 1):.1%} {'slower' if ratio > 1 else 'faster'}{ended}"


def _too_few(duet: Duet) -> str:
    counted = sum(map(len, duet.log_ratios()))
    if 2 * counted < len(duet.turns):
        return f"in {len(duet.turns) - counted} of {len(duet.turns)} turns other programs used the processor"
    return f"{counted} turns are too few"


def _errors(duets: Sequence[Duet], slower: set[str], percent: float) -> list[str]:
    lines = [f"{duet.model.name} is more than {percent:g} % slower" for duet in duets if duet.model.name in slower]
    # What ran before and doesn't any more must not pass as unchanged.
    lines += [
        f"{duet.model.name} can't be measured any more: {duet.lost.reason}"
        for duet in duets
        if duet.lost and duet.lost.side == "new"
    ]
    return lines


def _word(
    networks: Sequence[NetworkOutcome], *, gated: bool, failed: bool
) -> Literal["untestable", "slower", "not slower", "different", "none found"]:
    if all(found.estimate is None for found in networks):
        return UNTESTABLE
    if gated:
        return "slower" if failed else "not slower"
    return "different" if any(found.different for found in networks) else "none found"
