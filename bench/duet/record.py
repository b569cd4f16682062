"""`Duet`: two variants of one network side by side, as they are kept on disk, raw times included."""

import math
from pathlib import Path
from statistics import median
from typing import Any, Literal

import msgspec

from bench.duet.ratio import Ratio
from bench.duet.settings import DuetSettings
from bench.records.record import Network
from bench.records.store import read_documents
from bench.trust.plausible import LONGEST_S, SHORTEST_S
from bench.trust.rejection import clean_seconds
from devices.samples import Samples
from devices.targets import Target
from exporters.artifact import Artifact

# Raise it when a field changes its meaning; readers refuse what is newer than they are.
DUET_SCHEMA = 1

SideName = Literal["old", "new"]


class SideVisit(msgspec.Struct, frozen=True, kw_only=True):
    """One side's visit: the seconds that settled, the samples that count; all of one inference of one batch."""

    settle_s: list[float]
    samples: Samples

    def value_s(self, lost_share: float) -> float | None:
        """The median of its clean samples; None without any, or where it can't have been measured."""
        clean = clean_seconds(self.samples, lost_share)
        return median(clean) if clean and min(clean) >= SHORTEST_S and max(clean) <= LONGEST_S else None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Adjacent visits of both sides: which came first, when on the duet's clock, and how long both took together."""

    process_pair: int
    first: SideName
    at_s: float
    took_s: float
    old: SideVisit
    new: SideVisit

    def log_ratio(self, lost_share: float) -> float | None:
        """The logarithm of new over old; None where a side has no clean sample."""
        old_s, new_s = self.old.value_s(lost_share), self.new.value_s(lost_share)
        return math.log(new_s / old_s) if old_s and new_s else None


class ProcessPair(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides' sessions, loaded afresh: which was warmed up first, and the seconds of their warm-ups."""

    number: int
    first: SideName
    old_warmup_s: list[float]
    new_warmup_s: list[float]


class DuetSide(msgspec.Struct, frozen=True, kw_only=True):
    """What one side is: `machine` is what another Python's environment says of itself, empty for this one's."""

    target: Target
    artifact: Artifact | None = None
    python: str | None = None
    machine: dict[str, Any] = {}
    ran_on: dict[str, str | int] = {}
    clock: str = ""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """Which side can't be measured, or could not to the end, and why."""

    side: SideName
    reason: str


class Duet(msgspec.Struct, frozen=True, kw_only=True):
    """One network's duet. `estimate` is None where too few turns count; `different` is Holm's over the whole duet."""

    schema: int = DUET_SCHEMA
    duet: str
    model: Network
    against: list[str]
    settings: DuetSettings
    conditions: dict[str, Any]
    old: DuetSide
    new: DuetSide
    process_pairs: list[ProcessPair]
    turns: list[Turn]
    estimate: Ratio | None = None
    different: bool | None = None
    lost: Lost | None = None

    def log_ratios(self) -> list[list[float]]:
        """Of each pair of processes, the log ratios of its turns that count: what `bench.duet.ratio.fit` takes."""
        return by_pair(self.turns, self.settings.lost_share)

    def median_s(self, side: SideName) -> float | None:
        """The median of one side's visits in the turns that count; None without any."""
        lost_share = self.settings.lost_share
        counted = [turn for turn in self.turns if turn.log_ratio(lost_share) is not None]
        visits = [turn.old if side == "old" else turn.new for turn in counted]
        return median(visit.value_s(lost_share) or math.nan for visit in visits) if visits else None


def by_pair(turns: list[Turn], lost_share: float) -> list[list[float]]:
    """The log ratios of the turns that count, of each pair of processes."""
    found: dict[int, list[float]] = {}
    for turn in turns:
        if (log_ratio := turn.log_ratio(lost_share)) is not None:
            found.setdefault(turn.process_pair, []).append(log_ratio)
    return list(found.values())


def read_duets(path: Path) -> list[Duet]:
    """Every duet of a file, oldest first; lines that can't be read are reported on stderr and passed over.

    Raises UserError where one is of a newer schema.
    """
    return read_documents(path, _decoder.decode, DUET_SCHEMA)


_decoder = msgspec.json.Decoder(Duet)
