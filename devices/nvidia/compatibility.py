"""Whether the installed packages have kernels for the GPU that is here: each mismatch by its name, before a run."""

import importlib.util
import re

from devices.nvidia.preflight import TURING, installer_of
from system.gpu import Gpu

_CUDNN_WITHOUT_VOLTA = 91100
_TENSORRT_WITHOUT_VOLTA = (10, 5)
_ORT_WITHOUT_VOLTA = (1, 27)


def torch_lacks(gpu: Gpu) -> str | None:
    """What the installed torch lacks for this GPU, or None."""
    import torch

    if torch.version.cuda is None:
        return f"this torch {torch.__version__} has no CUDA; {_fix(gpu, 'one that has')}"
    cudnn: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return torch_mismatch(gpu, torch.cuda.get_arch_list(), cudnn or 0)


def torch_mismatch(gpu: Gpu, architectures: list[str], cudnn: int) -> str | None:
    """What a torch with these kernels and this cuDNN (91002 is 9.10.2) lacks for a GPU, or None."""
    if not any(_runs(architecture, gpu.compute_capability) for architecture in architectures):
        found = f"only {' '.join(architectures)}"
        return f"this torch has no {gpu.sm} kernels ({found}); {_fix(gpu, 'one that has')}"
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
    if gpu.compute_capability < TURING and _numbers(version) >= _ORT_WITHOUT_VOLTA:
        fix = _fix(gpu, "one for CUDA 12")
        return f"this onnxruntime {version} is for CUDA 13, which has no {gpu.sm}; {fix}"
    return None


def tensorrt_lacks(gpu: Gpu) -> str | None:
    """What the installed TensorRT lacks for this GPU, or None."""
    if importlib.util.find_spec("tensorrt") is None:
        return f"no TensorRT; {_fix(gpu, 'it')}"
    import tensorrt

    return tensorrt_mismatch(gpu, tensorrt.__version__)


def tensorrt_mismatch(gpu: Gpu, version: str) -> str | None:
    """What a TensorRT of this version lacks for a GPU, or None."""
    if gpu.compute_capability < TURING and _numbers(version) >= _TENSORRT_WITHOUT_VOLTA:
        return f"this TensorRT {version} has no {gpu.sm} (10.4 is the last); {_fix(gpu, '10.4')}"
    return None


def tensorrt_rtx_lacks(gpu: Gpu, capabilities: tuple[str, ...]) -> str | None:
    """What the installed TensorRT for RTX, or plans for these compute capabilities, lack for this GPU, or None."""
    capability = "{}.{}".format(*gpu.compute_capability)
    if capability not in capabilities:
        return f"its plans are for compute capability {' '.join(capabilities)}: found {gpu.name}, {capability}"
    if importlib.util.find_spec("tensorrt_rtx_bindings") is None:
        return "no TensorRT for RTX; make bench-rtx installs it"
    return None


def _runs(architecture: str, capability: tuple[int, int]) -> bool:
    """Whether code for an architecture runs on a GPU: binaries within a major version, PTX on anything newer."""
    match = re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", architecture)
    if match is None:
        return False
    built = (int(match[2]), int(match[3]))
    return built <= capability and (match[1] == "compute" or built[0] == capability[0])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def _fix(gpu: Gpu, what: str) -> str:
    command = installer_of(gpu)
    return f"{command} installs {what}" if command else f"no environment supports {gpu.name}"
