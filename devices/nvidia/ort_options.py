"""What ONNX Runtime's GPU providers are told: the options that a target may give, and those that we always give."""

import hashlib
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from devices.options import OpenOptions, read_options
from devices.targets import Target
from exporters.artifact import Artifact, versions
from system.gpu import Gpu

TENSORRT, CUDA = "TensorrtExecutionProvider", "CUDAExecutionProvider"
# The distributions that build an engine, and load only their own.
_BUILDERS = ("onnxruntime", "tensorrt-cu12", "tensorrt-cu13")


class OrtGpuOptions(OpenOptions, frozen=True, kw_only=True):
    """Which provider runs the network; every other option goes to it, and it refuses what it doesn't know."""

    provider: Annotated[str, Meta(description="the execution provider", examples=[TENSORRT])]


class CudaOptions(OrtGpuOptions, frozen=True, kw_only=True):
    """The CUDA provider's: those that change what is measured, so that a duet or two sweeps can compare them."""

    # On an H200 (ONNX Runtime 1.31.1, cuDNN 9.19) EfficientNet-B3 runs without, in 19.0 ms instead of 19.8. That cuDNN
    # finds no kernel for such a convolution was reported of sm_75 (onnxruntime#26274).
    explicit_pads: Annotated[
        bool | None,
        Meta(
            description="a convolution that pads two sides differently gets its zeros from a Pad before it; "
            "unless said, only where cuDNN can't run it otherwise"
        ),
    ] = None
    prefer_nhwc: Annotated[
        bool, Meta(description="convolutions in NHWC, as tensor cores want it, transposed at both ends of the network")
    ] = False


def gpu_options_kind(target: Target) -> type[OrtGpuOptions]:
    """The struct that reads a target's options: that of its provider."""
    return CudaOptions if target.options.get("provider") == CUDA else OrtGpuOptions


def gpu_options(target: Target) -> OrtGpuOptions:
    """A target's options. Raises UserError where one is out of its range, or there is no provider."""
    return read_options(target, gpu_options_kind(target))


def provider_options(target: Target, engines: Path | None) -> dict[str, str]:
    """What the provider is told besides its stream: the target's options, and where TensorRT keeps what it builds."""
    options = gpu_options(target)
    handed_on = {name: str(value) for name, value in options.rest.items()}
    if isinstance(options, CudaOptions):
        return {"prefer_nhwc": str(int(options.prefer_nhwc))} | handed_on
    if engines is None:
        return handed_on
    # Without these the engine would be built whenever a session is opened.
    kept = dict.fromkeys(("trt_engine_cache_enable", "trt_timing_cache_enable"), "True")
    return kept | dict.fromkeys(("trt_engine_cache_path", "trt_timing_cache_path"), str(engines)) | handed_on


def engine_folder(artifact: Artifact, target: Target, gpu: Gpu) -> Path | None:
    """Where TensorRT's engine is kept: beside the file, one for each content, batch, set of options, GPU and versions.

    None for other providers. ONNX Runtime names an engine after the network, its precision, sm_XX and the versions: it
    would take one of other options, and would build one of other versions when a session is opened.
    """
    if gpu_options(target).provider != TENSORRT:
        return None
    shaping = repr([target.batch, sorted(target.options.items()), gpu.name, sorted(versions(_BUILDERS).items())])
    key = hashlib.sha256(shaping.encode()).hexdigest()
    return Path(f"{Path(artifact.path).with_suffix('')}-trt-{artifact.sha256[:12]}-{key[:8]}")
