"""The machine's epoch: what must stay the same for two sweeps to be of one series, and the condition it refers to."""

import hashlib
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import msgspec

from devices.host.conditions import Machine
from devices.targets import Target
from exporters.artifact import Artifact
from system.errors import UserError, one_line
from system.files import alone, write_whole
from system.unreadable import UNREADABLE

FILE = "epochs.json"  # in the results folder, beside the records that it belongs to
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


def epoch_of(machine: Machine, target: Target, workloads: Mapping[str, Artifact]) -> Epoch:
    """The epoch of a sweep: processor, kernel, cores, threads, runtimes and the reference workloads' files."""
    facts = {"cpu": str(machine.cpu), "usable_cores": str(machine.usable_cores), "kernel": str(machine.kernel)}
    facts["threads"] = str(target.options.get("threads"))
    facts |= {name: machine.versions[name] for name in _RUNTIMES if name in machine.versions}
    facts |= {f"{name} workload": artifact.sha256[:12] for name, artifact in workloads.items()}
    content = msgspec.json.encode(facts, order="sorted")
    return Epoch(name=hashlib.sha256(content).hexdigest()[:12], facts=facts)


def frozen(results: Path, epoch: Epoch) -> Frozen | None:
    """The condition of an epoch, or None before its first sweep has ended.

    Where other epochs are known, says on stderr what changed since the newest. Raises UserError where the file is
    damaged.
    """
    known = _read(results)
    if epoch.name in known:
        return known[epoch.name]
    like = [each for each in known.values() if each.facts.get("threads") == epoch.facts["threads"]]
    if like:
        changed = ", ".join(_changes(max(like, key=lambda each: each.since).facts, epoch.facts))
        print(f"note: this machine changed ({changed}); its numbers begin a new series", file=sys.stderr)  # noqa: T201
    return None


def freeze(results: Path, epoch: Epoch, reference_s: dict[str, float], sweep: str) -> None:
    """Keep the condition that an epoch's numbers refer to; one that is there stays. Raises UserError as `frozen`."""
    if not reference_s:
        return
    with _alone(results):
        _freeze(results, epoch, reference_s, sweep)


def _freeze(results: Path, epoch: Epoch, reference_s: dict[str, float], sweep: str) -> None:
    known = _read(results)
    if epoch.name in known:
        return
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    known[epoch.name] = Frozen(facts=epoch.facts, reference_s=reference_s, sweep=sweep, since=since)
    content = msgspec.json.format(msgspec.json.encode(known)) + b"\n"
    write_whole(results / FILE, content, fix="give another --results")


def _alone(results: Path) -> AbstractContextManager[object]:
    """Against the sweeps of other targets, which may end at the same moment."""
    path = (results / FILE).with_suffix(".lock")
    try:
        results.mkdir(parents=True, exist_ok=True)
        return alone(path, f"waiting for another sweep, which writes {results / FILE}")
    except OSError as error:
        found = error.strerror or str(error)
        raise UserError(f"can't write into {results}", found=found, fix="give another --results") from error


def _read(results: Path) -> dict[str, Frozen]:
    try:
        return msgspec.json.decode((results / FILE).read_bytes(), type=dict[str, Frozen])
    except FileNotFoundError:
        return {}
    except (OSError, *UNREADABLE) as error:
        raise UserError(
            f"can't read {results / FILE}", found=one_line(error), fix="remove it; a new series begins"
        ) from error


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    names = dict.fromkeys([*old, *new])
    return [f"{name}: {old.get(name)} before, {new.get(name)} now" for name in names if old.get(name) != new.get(name)]
