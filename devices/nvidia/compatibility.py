"""Whether the installed packages have kernels for the GPU that is here: each mismatch by its name, before a run."""

import importlib.util
import re

from devices.nvidia.ort_options import CUDA
from devices.nvidia.preflight import TURING, installer_of
from system.gpu import Gpu
from system.versions import release_of

# The first versions without sm_70; docs/nvidia.md has the sources.
_CUDNN_WITHOUT_VOLTA = 91100
_TENSORRT_WITHOUT_VOLTA = (10, 5)
_ORT_WITHOUT_VOLTA = (1, 27)
# What the CUDA provider of each pinned onnxruntime-gpu holds, as its wheel's fat binaries list it; other versions are
# not refused for want of a list.
_ORT_ARCHITECTURES = {
    "1.23.2": ["sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "compute_90"],
    "1.26.0": ["sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "compute_90"],
    "1.31.1": ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_120"],
}


def torch_lacks(gpu: Gpu) -> str | None:
    """What the installed torch lacks for this GPU, or None."""
    import torch

    if torch.version.cuda is None:
        return f"this torch {torch.__version__} has no CUDA; {_fix(gpu, 'one that has')}"
    cudnn: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return torch_mismatch(gpu, torch.cuda.get_arch_list(), cudnn or 0)


def torch_mismatch(gpu: Gpu, architectures: list[str], cudnn: int) -> str | None:
    """What a torch with these kernels and this cuDNN (91002 is 9.10.2) lacks for a GPU, or None."""
    if wrong := _no_kernels("torch", gpu, architectures):
        return f"{wrong}; {_fix(gpu, 'one that has')}"
    if gpu.compute_capability < TURING and cudnn >= _CUDNN_WITHOUT_VOLTA:
        return f"this torch's cuDNN {cudnn} has no {gpu.sm} kernels (9.10.2 has); {_fix(gpu, 'one that has')}"
    return None


def ort_lacks(gpu: Gpu, provider: str) -> str | None:
    """What the installed onnxruntime lacks for this GPU, or None."""
    import onnxruntime

    return ort_mismatch(gpu, provider, onnxruntime.get_available_providers(), onnxruntime.__version__)


def ort_mismatch(gpu: Gpu, provider: str, providers: list[str], version: str) -> str | None:
    """What an onnxruntime of this version with these providers lacks for a GPU, or None."""
    if provider not in providers:
        return f"this onnxruntime {version} has no {provider}; {_fix(gpu, 'one that has')}"
    if gpu.compute_capability < TURING and release_of(version) >= _ORT_WITHOUT_VOLTA:
        fix = _fix(gpu, "one for CUDA 12")
        return f"this onnxruntime {version} is for CUDA 13, which has no {gpu.sm}; {fix}"
    listed = _ORT_ARCHITECTURES.get(version) if provider == CUDA else None
    if listed and (wrong := _no_kernels(f"onnxruntime {version}", gpu, listed)):
        return f"{wrong}; gpu-torch and gpu-tensorrt run without them"
    return None


def tensorrt_lacks(gpu: Gpu) -> str | None:
    """What the installed TensorRT lacks for this GPU, or None."""
    if importlib.util.find_spec("tensorrt") is None:
        return f"no TensorRT; {_fix(gpu, 'it', tensorrt=True)}"
    import tensorrt

    return tensorrt_mismatch(gpu, tensorrt.__version__)


def tensorrt_mismatch(gpu: Gpu, version: str) -> str | None:
    """What a TensorRT of this version lacks for a GPU, or None."""
    if gpu.compute_capability < TURING and release_of(version) >= _TENSORRT_WITHOUT_VOLTA:
        return f"this TensorRT {version} has no {gpu.sm} (10.4 is the last); {_fix(gpu, '10.4', tensorrt=True)}"
    return None


def tensorrt_rtx_lacks(gpu: Gpu, capabilities: tuple[str, ...]) -> str | None:
    """What the installed TensorRT for RTX, or plans for these compute capabilities, lack for this GPU, or None."""
    if gpu.capability not in capabilities:
        return f"its plans are for compute capability {' '.join(capabilities)}: found {gpu.name}, {gpu.capability}"
    if importlib.util.find_spec("tensorrt_rtx_bindings") is None:
        return "no TensorRT for RTX; make bench-rtx installs it"
    return None


def _no_kernels(what: str, gpu: Gpu, architectures: list[str]) -> str | None:
    if any(_runs(architecture, gpu.compute_capability) for architecture in architectures):
        return None
    return f"this {what} has no {gpu.sm} kernels (only {' '.join(architectures)})"


def _runs(architecture: str, capability: tuple[int, int]) -> bool:
    """Whether code for an architecture runs on a GPU: binaries within a major version, PTX on anything newer."""
    match = re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", architecture)
    if match is None:
        return False
    built = (int(match[2]), int(match[3]))
    return built <= capability and (match[1] == "compute" or built[0] == capability[0])


def _fix(gpu: Gpu, what: str, *, tensorrt: bool = False) -> str:
    command = installer_of(gpu, tensorrt=tensorrt)
    return f"{command} installs {what}" if command else f"no environment supports {gpu.name}"
