"""`DuetRequest`: what a duet is asked to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.duet.against import Against
from bench.duet.settings import DuetSettings
from devices.targets import Target
from models.model import Model


@dataclass(frozen=True, kw_only=True)
class DuetRequest:
    """Two targets, which may be one; `said` is --against as given, `old_machine` what another Python says of itself.

    A network without a checkpoint has seeded weights on that side.
    """

    new: Target
    old: Target
    against: Against
    said: Sequence[str]
    models: Sequence[Model]
    settings: DuetSettings
    results: Path
    artifacts: Path
    checkpoints: Mapping[Model, Path] = field(default_factory=dict)
    old_checkpoints: Mapping[Model, Path] = field(default_factory=dict)
    calibration: Path | None = None
    old_machine: Mapping[str, object] = field(default_factory=dict)
