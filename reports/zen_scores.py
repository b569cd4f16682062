"""The recorded Zen-Scores of networks: how expressive their structures are, without any training."""

from collections.abc import Sequence

from bench.records.record import Network
from models.score import ZenScore, zen_score_of
from models.zoo import zoo


def zen_scores(networks: Sequence[Network]) -> dict[str, ZenScore]:
    """By name, the scores of the networks that have one."""
    known = ((network.name, zoo().get(network.name)) for network in networks)
    found = ((name, zen_score_of(model)) for name, model in known if model)
    return {name: score for name, score in found if score}
