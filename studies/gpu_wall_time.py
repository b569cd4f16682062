"""How long a sweep of the twelve networks takes on a GPU: the real sweep, on the fake device by its virtual clock.

    python -m studies.gpu_wall_time

Nothing is measured here. What a session takes is assumed, on the side of too much: 10 s to open (6.4 to 8.1 s were seen
for ZenNets with squeeze-excite, ONNX Runtime on an H200), 20 s for an EfficientNet, and 1.1 GB of the GPU's memory (0.3
to 1.05 GB were seen), more in proportion to the pixels. Visits scatter by a standard deviation that is given. What the
host does between visits takes no time here.
"""

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.protocol import Protocol
from bench.sweep import SweepRequest, sweep
from devices.nvidia import warm
from devices.runtime import runtime_of
from devices.targets import find_targets
from models.groups import DEFAULT
from models.zoo import find

_GB = 1_000_000_000
_OPEN_S = {"EfficientNet*": 20.0, "*": 10.0}
_AT_224_PX_GB = 1.1
# Two of them fill a visit.
_INFERENCE_S = 0.5
_SCATTER = (0.002, 0.004, 0.006, 0.01, 0.02)
# 80 GB: A100, H100; 16 GB: V100, T4.
_MEMORY_GB = (80.0, 16.0)


class Took(NamedTuple):
    """What a sweep took, in minutes of wall time, with the visits that it made."""

    visits: int
    minutes: float


def main() -> None:
    """Print a row for each scatter between visits, a column for each memory."""
    lines = ["| scatter between visits |", "|---|"]
    lines[0] += "".join(f" {memory:g} GB |" for memory in _MEMORY_GB) + " one session at once |"
    lines[1] += "---:|" * (len(_MEMORY_GB) + 1)
    for scatter in _SCATTER:
        found = [simulated(scatter, memory_gb=memory) for memory in _MEMORY_GB]
        found.append(simulated(scatter, memory_gb=6.0, session_gb=6.0))
        lines.append(
            f"| {scatter:.1%} |" + "".join(f" {took.visits} visits, {took.minutes:.1f} min |" for took in found)
        )
    sys.stdout.write("\n".join(lines) + "\n")


def simulated(scatter: float, *, memory_gb: float, session_gb: float | None = None, models: Sequence[str] = ()) -> Took:
    """Sweep the published networks, or `models`, on a fake GPU; a session takes `session_gb` where that is given."""
    (fake,) = find_targets("fake")
    target = msgspec.structs.replace(fake, options=_options(scatter, memory_gb, session_gb))
    protocol = msgspec.convert(dict(warm.protocol(target)), Protocol)
    now_s = runtime_of(target).now_s
    begun_s = now_s(target)
    with tempfile.TemporaryDirectory() as folder:
        records = sweep(
            SweepRequest(
                target=target,
                models=[model for pattern in models or [DEFAULT] for model in find(pattern)],
                protocol=protocol,
                results=Path(folder) / "results",
                artifacts=Path(folder) / "artifacts",
            )
        )
    visits = sum(len(record.measurement.visits) for record in records if record.measurement)
    return Took(visits, (now_s(target) - begun_s) / 60)


def _options(scatter: float, memory_gb: float, session_gb: float | None) -> dict[str, object]:
    chance = random.Random(1)
    # A visit's number is the mean of two of these, so that they scatter more than visits do.
    seconds = [_INFERENCE_S * (1 + chance.gauss(0, scatter * 2**0.5)) for _ in range(401)]
    return {
        "seconds": {"*": seconds},
        "load_s": _OPEN_S,
        "memory_bytes": round(memory_gb * _GB),
        "session_bytes": {
            model.name: round((session_gb or _AT_224_PX_GB * (model.resolution_px / 224) ** 2) * _GB)
            for model in find(DEFAULT)
        },
    }


if __name__ == "__main__":
    main()
