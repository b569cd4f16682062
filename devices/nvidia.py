"""Whether the right NVIDIA GPU is here and free; `python -m devices.nvidia` asks before anything is installed.

Needs nothing but Python and the driver; NVML, where it is installed, tells who else uses the GPU.
"""

import importlib.util
import re
import sys
from typing import TYPE_CHECKING

from exporters.gpu import Gpu, find_gpu

if TYPE_CHECKING:
    from devices.targets import Target

# What a target of targets.toml names that takes any GPU.
ANY = "NVIDIA GPU"


def absence(target: "Target") -> str | None:
    """Why there is no such GPU to run on, or not all of one; None where there is."""
    gpu = find_gpu()
    if isinstance(gpu, str):
        return gpu
    if wrong := mismatch(gpu.name, target.device):
        return wrong
    if importlib.util.find_spec("pynvml") is None:
        return f"no nvidia-ml-py; make bench-{target.name} installs it"
    from devices.nvml import Watch

    with Watch(gpu.uuid) as watch:
        others = watch.processes()
    return f"a shared {gpu.name}: process {', '.join(map(str, others))} uses it" if others else None


def mismatch(name: str, wanted: str) -> str | None:
    """What is wrong with a GPU of that name for a target that wants another, or None.

    A name such as "Tesla V100-SXM2-16GB" holds the wanted model, the last word of "Tesla V100", as a word.
    """
    model = wanted.rsplit(maxsplit=1)[-1]
    if wanted == ANY or model in re.split(r"[^A-Za-z0-9]+", name):
        return None
    return f"found {name}, not {wanted}; make bench-gpu measures on whatever NVIDIA GPU is there"


def here() -> Gpu:
    """The GPU that `absence` found nothing wrong with."""
    gpu = find_gpu()
    assert isinstance(gpu, Gpu), gpu
    return gpu


def main() -> int:
    """Exit 1 with the reason where there is no GPU, or not the one that the argument names."""
    gpu = find_gpu()
    wanted = sys.argv[1] if len(sys.argv) > 1 else ANY
    wrong = f"{gpu}; run it where one is, or make bench" if isinstance(gpu, str) else mismatch(gpu.name, wanted)
    if wrong is None:
        return 0
    print(f"error: no {wanted} to run on: {wrong}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
