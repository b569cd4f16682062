"""What each reference work takes on the undisturbed machine, as far as this sweep and the last ones on it know."""

from bisect import insort
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bench.protocol import Protocol
from bench.records.store import read_lines
from bench.trust.rejection import Limits, Readings, Visit, reading_s

# Fewer undisturbed readings than this don't say what a work takes on the undisturbed machine.
_FEWEST_READINGS = 5
# Among them the fast tenth: the machine's own speed, not that of its slower moods.
_FAST_SHARE = 0.1
# What a machine could do this many sweeps ago, it may have lost for good.
_SWEEPS = 5
# Machines that agree in these are one and the same to a reference work.
_SAME = ("cpu", "threads", "usable_cores", "memory_bytes", "kernel")


class Baseline:
    """Collects readings, and says what a round must keep to count.

    `best_s` is what the works took in earlier sweeps: sweeps that hold to one measure agree, and one that is disturbed
    all along doesn't pass for quiet.
    """

    def __init__(self, protocol: Protocol, best_s: Mapping[str, float]) -> None:
        self._protocol, self._best_s = protocol, dict(best_s)
        self._readings_s: dict[str, list[float]] = {}

    def add(self, visit: Visit) -> None:
        """Take note of a visit's readings."""
        for readings in (visit.before, visit.after):
            self._add(readings)

    def limits(self) -> Limits:
        """What a round must keep to count, by every reading so far."""
        fastest_s = {
            name: seconds[int(len(seconds) * _FAST_SHARE)]
            for name, seconds in self._readings_s.items()
            if len(seconds) >= _FEWEST_READINGS
        }
        reference_s = dict(self._best_s)
        for name, own_s in fastest_s.items():
            reference_s[name] = min(own_s, reference_s.get(name, own_s))
        return Limits(
            lost_share=self._protocol.lost_share,
            tolerance=self._protocol.tolerance(),
            reference_s=reference_s,
            fastest_s=fastest_s,
            # What it covers was seen where the references are read; clocks of other devices may have less of it.
            run_to_run=self._protocol.run_to_run if reference_s else 0.0,
        )

    def _add(self, readings: Readings) -> None:
        for name, samples in readings.items():
            seconds = reading_s(samples, self._protocol.lost_share)
            if seconds is not None:
                insort(self._readings_s.setdefault(name, []), seconds)


class _Conditions(msgspec.Struct, frozen=True):
    machine: dict[str, Any] = {}


class _Seen(msgspec.Struct):
    limits: Limits


class _Glance(msgspec.Struct):
    """The little of a record that says what the reference works took, and where."""

    sweep: str
    conditions: _Conditions = _Conditions()
    measurement: _Seen | None = None


def best_of_earlier(file: Path, machine: Mapping[str, Any], *, but: str) -> dict[str, float]:
    """The fastest that each reference work was in the last sweeps of a file on this machine, `but` one sweep."""
    sweeps: dict[str, dict[str, float]] = {}
    for glance in _glances(file):
        if glance.measurement is not None and glance.sweep != but and _same(glance.conditions.machine, machine):
            sweeps.pop(glance.sweep, None)
            sweeps[glance.sweep] = glance.measurement.limits.fastest_s
    best_s: dict[str, float] = {}
    for fastest_s in list(sweeps.values())[-_SWEEPS:]:
        for name, seconds in fastest_s.items():
            best_s[name] = min(seconds, best_s.get(name, seconds))
    return best_s


def _glances(file: Path) -> Iterable[_Glance]:
    decoder = msgspec.json.Decoder(_Glance)
    for _, line in read_lines(file):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # whoever reads the records says so


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    versions = (machine.get("versions", {}).get("onnxruntime") for machine in (one, other))
    return len(set(versions)) == 1 and all(one.get(key) == other.get(key) for key in _SAME)
