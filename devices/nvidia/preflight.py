"""Whether the right NVIDIA GPU is here and free; as a command it asks before anything is installed.

Needs nothing but Python and the driver; NVML, where it is installed, tells who else uses the GPU.
"""

import importlib.util
import re
import sys
from typing import TYPE_CHECKING

from system.gpu import Gpu, find_gpu

if TYPE_CHECKING:
    from devices.targets import Target

# GPUs by the names that targets.toml and environments.toml have for them; the last one takes any.
V100, T4, ANY = "Tesla V100", "Tesla T4", "NVIDIA GPU"
TURING = (7, 5)
# What the environment of TensorRT for RTX asks for: a card of the compute capabilities in NVIDIA's support matrix.
RTX = "NVIDIA RTX card"
_RTX_CAPABILITIES = (TURING, (8, 6), (8, 9), (12, 0))
# By the GPU that an environment is for: the CUDA of its packages (constraints/), and the first driver that runs it.
_CUDA = {V100: (12, "R525"), T4: (12, "R525"), ANY: (13, "R580")}


def absence(target: "Target") -> str | None:
    """Why there is no such GPU to run on, or none that no other process uses; None where there is."""
    gpu = find_gpu()
    if isinstance(gpu, str):
        return gpu
    if wrong := mismatch(gpu, target.device):
        return wrong
    if importlib.util.find_spec("pynvml") is None:
        return incompatibility(gpu, target.device) or f"no nvidia-ml-py; make bench-{target.name} installs it"
    from devices.nvidia.nvml import Watch

    with Watch(gpu.uuid) as watch:
        others = watch.processes()
    return f"a shared {gpu.name}: process {', '.join(map(str, others))} uses it" if others else None


def free_bytes(target: "Target") -> int | None:
    """What NVML says is free of the GPU's memory; None where it doesn't say."""
    from devices.nvidia.nvml import Watch

    with Watch(here().uuid) as watch:
        return watch.free_bytes()


def mismatch(gpu: Gpu, wanted: str) -> str | None:
    """What is wrong with a GPU for a target that wants another, or None."""
    if _is(gpu, wanted):
        return None
    return f"found {gpu.name}, not {wanted}; {_elsewhere(gpu)}"


def installer_of(gpu: Gpu, *, tensorrt: bool = False) -> str | None:
    """The command that installs the environment for a GPU, with TensorRT where asked; None where there is none."""
    if _is(gpu, T4):
        return "make bench-t4"
    if _is(gpu, V100):
        command = "make bench-v100"
    elif gpu.compute_capability >= TURING:
        command = "make bench-gpu"
    else:
        return None
    return f"{command}-tensorrt" if tensorrt else command


def incompatibility(gpu: Gpu, wanted: str) -> str | None:
    """Why the environment for `wanted` can't run on a GPU, as far as the driver alone tells; or None."""
    if wrong := mismatch(gpu, wanted):
        return wrong
    if wanted == ANY and gpu.compute_capability < TURING:
        return f"found {gpu.name}, {gpu.sm}, which is older than Turing (sm_75); {_elsewhere(gpu)}"
    if wanted == RTX and gpu.compute_capability not in _RTX_CAPABILITIES:
        return f"found {gpu.name}, {gpu.sm}, which TensorRT for RTX doesn't support; {_elsewhere(gpu)}"
    major, driver = _CUDA.get(wanted, _CUDA[ANY])
    if gpu.driver_cuda < (major, 0):
        found = "{}.{}".format(*gpu.driver_cuda)
        return f"its driver is for CUDA {found}, this environment for CUDA {major}; install driver {driver} or later"
    return None


def _is(gpu: Gpu, wanted: str) -> bool:
    """Whether a name such as "Tesla V100-SXM2-16GB" holds, as a word, the last word of "Tesla V100"."""
    return wanted in {ANY, RTX} or wanted.rsplit(maxsplit=1)[-1] in re.split(r"[^A-Za-z0-9]+", gpu.name)


def _elsewhere(gpu: Gpu) -> str:
    command = installer_of(gpu)
    return f"{command} measures on it" if command else "no environment supports it"


def here() -> Gpu:
    """The GPU that `absence` found nothing wrong with."""
    gpu = find_gpu()
    assert isinstance(gpu, Gpu), gpu
    return gpu


def main() -> int:
    """Exit 1 with the reason where there is no GPU, another than the argument names, or one too old for it.

    The options of `python -m bench` follow, which say nothing of the GPU.
    """
    gpu = find_gpu()
    wanted = next((argument for argument in sys.argv[1:2] if not argument.startswith("-")), ANY)
    wrong = f"{gpu}; run it where one is, or make bench" if isinstance(gpu, str) else incompatibility(gpu, wanted)
    if wrong is None:
        return 0
    print(f"error: no {wanted} to run on: {wrong}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
