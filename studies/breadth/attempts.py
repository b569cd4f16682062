"""The networks of the list, and what came of each on a target: one line of JSON an attempt, appended to a file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from exporters.artifact import Fidelity

NETWORKS = Path(__file__).with_name("networks.csv")
TARGETS = ("cpu", "cpu-int8", "cpu-torch", "cpu-tflite", "openvino")

Step = Literal["export", "agreement", "session"]


@dataclass(frozen=True)
class Network:
    """A network of timm at its own resolution; `kind` is CNN, ViT, hybrid or MLP."""

    name: str
    kind: str
    px: int

    @property
    def source(self) -> str:
        """The network as MODEL."""
        return f"timm:{self.name}@{self.px}"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One network on one target; `failed_at` is the step that failed, None where inferences were timed.

    `median_s` is of a few inferences on a machine that does other things: it shows that the network runs, no more.
    """

    network: str
    target: str
    failed_at: Step | None = None
    reason: str | None = None
    fidelity: Fidelity | None = None
    size_bytes: int | None = None
    export_s: float | None = None
    median_s: float | None = None
    versions: dict[str, str] = {}


def read_networks(path: Path = NETWORKS) -> list[Network]:
    """The list, in its order."""
    with path.open(newline="", encoding="utf-8") as file:
        return [Network(row["network"], row["kind"], int(row["px"])) for row in csv.DictReader(file)]


def read_attempts(path: Path) -> list[Attempt]:
    """The attempts of a file, the last one of each network on each target; none where there is no file.

    A last line that a killed study left unfinished is left out.
    """
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    attempts = [msgspec.json.decode(line, type=Attempt) for line in lines]
    return list({(attempt.network, attempt.target): attempt for attempt in attempts}.values())


def append(path: Path, attempt: Attempt) -> None:
    """Add an attempt to a file as its last line, behind the whole lines that are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        content = file.read()
        if not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)
        file.write(msgspec.json.encode(attempt) + b"\n")


def untried(
    networks: Iterable[Network], targets: Iterable[str], attempts: Iterable[Attempt]
) -> dict[Network, list[str]]:
    """The targets that each network was not tried on, in the order of both lists; networks that have none left out."""
    tried = {(attempt.network, attempt.target) for attempt in attempts}
    targets = list(targets)
    left = {network: [each for each in targets if (network.name, each) not in tried] for network in networks}
    return {network: wanted for network, wanted in left.items() if wanted}
