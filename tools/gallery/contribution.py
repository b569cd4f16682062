"""`Contribution`: what one machine measured, as it lies in docs/results/NAME/."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.accuracy.record import Accuracy
from bench.accuracy.store import read_accuracies
from bench.records.header import newest_records
from bench.records.record import Record
from bench.records.store import read_results
from devices.host.conditions import Machine
from devices.targets import find_targets
from system.errors import UserError

ROOT = Path(__file__).parents[2]
GALLERY = ROOT / "docs" / "results"


@dataclass(frozen=True)
class Contribution:
    """A folder of the gallery; its records are a results folder, as sweeps leave them."""

    folder: Path

    @property
    def name(self) -> str:
        """What the folder is called, such as "amd-epyc-2-cores"."""
        return self.folder.name

    @property
    def results(self) -> Path:
        """The folder of records, accuracies, profiles and probed peaks."""
        return self.folder / "records"

    @cached_property
    def records(self) -> Sequence[Record]:
        """Every record, files by name, each oldest first."""
        return read_results(self.results)

    @cached_property
    def accuracies(self) -> Sequence[Accuracy]:
        """Every evaluation."""
        return read_accuracies(self.results)

    @cached_property
    def newest(self) -> Sequence[Record]:
        """What reports show of each network on each target."""
        return list(newest_records(self.results))

    @property
    def machine(self) -> Machine:
        """The machine, as the newest record has it; one that says nothing where there is no record."""
        ended = sorted(self.records, key=lambda record: record.conditions.start.time)
        return ended[-1].conditions.machine if ended else Machine()

    @property
    def day(self) -> str:
        """When the newest record was begun, YYYY-MM-DD."""
        return max((record.conditions.start.time[:10] for record in self.records), default="")

    @property
    def targets(self) -> list[str]:
        """The names of the targets, in the order of devices/targets.toml."""
        measured = {record.target.name for record in self.newest}
        known = [target.name for target in find_targets("*") if target.name in measured]
        return known + sorted(measured.difference(known))

    def verdicts(self, target: str) -> Counter[str]:
        """How many networks of a target have which verdict; "no number" where one has none."""
        words: dict[str, str] = {}
        for record in self.newest:  # newest first within a cell
            if record.target.name == target:
                words.setdefault(record.model.name, record.verdict.word if record.verdict else "no number")
        return Counter(words.values())


def contributions(gallery: Path = GALLERY) -> list[Contribution]:
    """Those of a gallery, by name."""
    return [Contribution(folder) for folder in sorted(gallery.iterdir()) if folder.is_dir()]


def own_folder(here: Machine, gallery: Path, name: str | None) -> Path:
    """A machine's folder: of that name, or the name of its processor, which machines of several kinds may share.

    Raises UserError where another machine's results lie there.
    """
    plain, told_apart = (_name_of(f"{cpu} {here.usable_cores} cores") for cpu in (here.cpu, processor_of(here)))
    for tried in [name] if name else [plain, told_apart]:
        found = Contribution(gallery / tried)
        if not found.records or same_hardware(found.machine, here):
            return found.folder
    raise UserError(
        f"docs/results/{found.name} has results of another machine",
        found=processor_of(found.machine),
        fix="give another --name",
    )


def _name_of(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def same_hardware(one: Machine, other: Machine) -> bool:
    """Whether two records are of one machine, whatever was installed on it meanwhile."""
    return all(
        getattr(one, field) == getattr(other, field)
        for field in ("cpu", "cpu_id", "cores", "threads", "usable_cores", "virtualized")
    )


def processor_of(machine: Machine) -> str:
    """Its name, and what tells its generation, as far as the system says."""
    return ", ".join(filter(None, (machine.cpu, machine.cpu_id)))


def facts_of(machine: Machine) -> list[tuple[str, str]]:
    """What a page says of a machine: names and values, without what its system doesn't tell."""
    memory = f"{machine.memory_bytes / 2**30:.0f} GiB" if machine.memory_bytes else ""
    cores = f"{machine.usable_cores} of {machine.threads} hardware threads" if machine.usable_cores else ""
    facts = [
        ("processor", processor_of(machine)),
        ("cores that were measured on", cores),
        ("memory", memory),
        ("virtual machine", {True: "yes", False: "no", None: ""}[machine.virtualized]),
        ("frequency governor", machine.governor or ""),
        ("system", machine.system or ""),
        ("Python", machine.python or ""),
        ("libraries", ", ".join(f"{name} {version}" for name, version in machine.versions.items())),
        ("suite", machine.suite or ""),
    ]
    return [(name, value) for name, value in facts if value]


def suite_release(machine: Machine) -> str:
    """The suite's version in a record: "0.2.0" of "0.2.0+g5c6c07d…"."""
    return (machine.suite or "").partition("+")[0]
