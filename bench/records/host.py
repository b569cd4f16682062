"""`Host`: the machine that a sweep is measured on, as far as records keep it."""

from collections.abc import Mapping
from typing import Protocol

from devices.host.conditions import Machine, Moment
from exporters.artifact import Artifact


class Host(Protocol):
    """What it is, what it does now, and the files of the reference workloads that show its condition."""

    machine: Machine
    workloads: Mapping[str, Artifact]

    def moment(self) -> Moment:
        """The machine now."""
