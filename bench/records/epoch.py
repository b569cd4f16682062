"""The machine's epoch: what must stay the same for two sweeps to be of one series, and the condition it refers to."""

import hashlib
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from bench.records.keyed_file import change_keyed, read_keyed
from devices.host.conditions import Machine
from devices.targets import Target
from exporters.artifact import Artifact

FILE = "epochs.json"  # in the results folder, beside the records that it belongs to, and in the machine's own
# Of a machine's versions those that a latency depends on: its runtimes'. Those of LiteRT, OpenVINO, ExecuTorch and
# TensorRT for RTX are left out: the CPU's environment gets them later, with another target or with the tests, and its
# column would then refer to another condition than before.
_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "torch", "tensorrt-cu12", "tensorrt-cu13")


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """`facts` by name, and the `name` that they have together."""

    name: str
    facts: dict[str, str]


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """The condition that an epoch's numbers refer to: what each reference workload took in its first sweep."""

    facts: dict[str, str]
    reference_s: dict[str, Annotated[float, msgspec.Meta(gt=0)]]
    sweep: str
    since: str

    @classmethod
    def now(cls, epoch: Epoch, reference_s: dict[str, float], sweep: str) -> "Frozen":
        """The condition that an epoch's first sweep has just found."""
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        return cls(facts=epoch.facts, reference_s=reference_s, sweep=sweep, since=since)


def epoch_of(machine: Machine, target: Target, workloads: Mapping[str, Artifact]) -> Epoch:
    """The epoch of a sweep: processor, kernel, cores, threads, runtimes and the reference workloads' files."""
    facts = {"cpu": str(machine.cpu), "usable_cores": str(machine.usable_cores), "kernel": str(machine.kernel)}
    facts["threads"] = str(target.options.get("threads"))
    facts |= {name: machine.versions[name] for name in _RUNTIMES if name in machine.versions}
    facts |= {f"{name} workload": artifact.sha256[:12] for name, artifact in workloads.items()}
    content = msgspec.json.encode(facts, order="sorted")
    return Epoch(name=hashlib.sha256(content).hexdigest()[:12], facts=facts)


def frozen(folder: Path, epoch: Epoch) -> Frozen | None:
    """The condition of an epoch that a folder keeps, or None where it keeps none. Raises UserError if it's damaged."""
    return read_keyed(folder / FILE, Frozen).get(epoch.name)


def tell_change(folder: Path, epoch: Epoch) -> None:
    """Say on stderr what changed since the newest of the epochs that a folder knows; nothing where it knows none.

    Raises UserError as `frozen`.
    """
    known = read_keyed(folder / FILE, Frozen)
    like = [each for each in known.values() if each.facts.get("threads") == epoch.facts["threads"]]
    if like:
        changed = ", ".join(_changes(max(like, key=lambda each: each.since).facts, epoch.facts))
        print(f"note: this machine changed ({changed}); its numbers begin a new series", file=sys.stderr)  # noqa: T201


def freeze(folder: Path, epoch: Epoch, condition: Frozen, *, fix: str = "give another --results") -> None:
    """Keep the condition that an epoch's numbers refer to; one that is there stays.

    Raises UserError as `frozen`, and where it can't be written; `fix` is then what to do.
    """
    change_keyed(folder / FILE, Frozen, lambda known: {epoch.name: condition} | known, fix=fix)


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    names = dict.fromkeys([*old, *new])
    return [f"{name}: {old.get(name)} before, {new.get(name)} now" for name in names if old.get(name) != new.get(name)]
