"""Plans of TensorRT for RTX, built ahead of time for the compute capabilities that a job names; no GPU is needed.

Its networks are strongly typed: INT8 is Q/DQ in the network, the rest of which is FP16. What a plan holds is compiled
for the GPU where it is loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from exporters.artifact import Artifact, Exported, Job
from exporters.format import Format
from exporters.tensorrt_builder import Messages, build_or_release, check_plan, logger_to, parse, remarks_of, serialize
from exporters.tensorrt_engine import Engine
from exporters.wide_groups import widen_groups
from system.errors import UserError, one_line
from system.gpu import Gpu, find_gpu

if TYPE_CHECKING:
    import tensorrt_rtx_bindings as trt

# NVIDIA's own choice for a plan that serves several cards; a plan for Turing ("7.5") serves no other.
CAPABILITIES = ("8.6", "8.9", "12.0")
TURING = "7.5"
# Narrower groups than these have no kernel there: 0.7 MB of plan for each of a depthwise convolution's channels.
_TURING_WIDTH = 8
_ONNX = {"fp16": ("onnx", "fp16"), "fp32": ("onnx", "fp32"), "int8": ("onnx_int8", "int8-fp16-dense")}


def source(job: Job) -> Job:
    """The ONNX file that a plan is built from."""
    onnx_format, precision = _ONNX[job.precision]
    return msgspec.structs.replace(job, format=onnx_format, precision=precision, compute_capabilities=())


def build_host(job: Job) -> dict[str, str]:
    """The library and compute capabilities that a plan depends on, and the GPU that its logits are checked on.

    Raises UserError where there is no TensorRT for RTX.
    """
    gpu = _gpu_for(job)
    return {
        "tensorrt_rtx": library().__version__,
        "compute_capabilities": " ".join(_capabilities(job)),
        "checked_on": f"{gpu.name} {gpu.sm}" if gpu else "no GPU",
    }


def export(job: Job, source: Artifact | None, path: Path) -> Exported:
    """Build the plan of `job` and write it to `path`.

    Its logits are checked where a GPU that it is for is here; a plan that was built without one has another key, so it
    is never timed. Raises UserError where TensorRT for RTX can't read or build the network (its whole messages go to
    stderr), or where the logits are too far from the torch network's.
    """
    assert source is not None
    (plan, _), remark = build_or_release(
        lambda onnx_file: build(onnx_file, _capabilities(job)), Path(source.path), path
    )
    path.write_bytes(plan)
    fidelity = check_plan(job, open_engine(path)) if _gpu_for(job) else None
    return Exported(fidelity=fidelity, remark=remarks_of(source, remark))


def build(
    onnx_file: Path, capabilities: tuple[str, ...], *, width: int = _TURING_WIDTH
) -> "tuple[trt.IHostMemory, list[str]]":
    """The plan of an ONNX file of a fixed batch for GPUs of these compute capabilities, and the builder's warnings.

    For Turing, depthwise convolutions are given groups of `width` channels; a width of 1 leaves them as they are.
    Raises UserError with the library's reason, or where it doesn't know a compute capability.
    """
    trt = library()
    name, messages = f"TensorRT for RTX {trt.__version__}", Messages()
    logger = logger_to(messages, trt.ILogger)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parse(trt.OnnxParser(network, logger), _content(onnx_file, capabilities, width), onnx_file, name)
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    config.num_compute_capabilities = len(capabilities)
    for index, capability in enumerate(capabilities):
        config.set_compute_capability(_capability(trt, capability), index)
    wrong = f"{name} can't build {onnx_file} for {' '.join(capabilities)}"
    return serialize(builder, network, config, messages, wrong), messages.warnings


def open_engine(plan: Path) -> Engine:
    """A plan on this GPU. Raises UserError where it is not for this GPU, or of another version."""
    trt = library()
    return Engine(plan, trt.Runtime(trt.Logger(trt.Logger.ERROR)))


def library() -> Any:
    """The Python module of TensorRT for RTX. Raises UserError where it isn't installed."""
    try:
        import tensorrt_rtx_bindings as trt
    except ImportError as error:
        raise UserError("no TensorRT for RTX", found=one_line(error, 120), fix="make bench-rtx installs it") from error
    return trt


def _content(onnx_file: Path, capabilities: tuple[str, ...], width: int) -> bytes:
    """The ONNX file as the builder gets it."""
    if TURING not in capabilities or width == 1:
        return onnx_file.read_bytes()
    import onnx

    model = onnx.load(str(onnx_file))
    widen_groups(model, width)
    return bytes(model.SerializeToString())


def _capability(trt: Any, capability: str) -> Any:
    known = trt.ComputeCapability.__members__
    if (name := f"SM{capability.replace('.', '')}") not in known:
        fix = f"choose from {', '.join(f'{each[2:-1]}.{each[-1]}' for each in known if each.startswith('SM'))}"
        raise UserError("TensorRT for RTX knows no such compute capability", found=capability, fix=fix)
    return known[name]


def _capabilities(job: Job) -> tuple[str, ...]:
    return job.compute_capabilities or CAPABILITIES


def _gpu_for(job: Job) -> Gpu | None:
    """The GPU that is here, where the plan of `job` is for it."""
    gpu = find_gpu()
    if isinstance(gpu, str) or gpu.capability not in _capabilities(job):
        return None
    return gpu


FORMAT = Format(
    precisions=("fp16", "int8", "fp32"),
    suffix=".plan",
    source=source,
    export=export,
    default_batch=64,
    tools=("tensorrt-rtx-cu13-libs", "tensorrt-rtx-cu13-bindings", "torch"),
    build_host=build_host,
    keyed_by_source=True,
    peak_bytes=1 << 60,  # more than there is: one at a time, since logits are checked on the one GPU
    preload=(),  # a child that forks from a process with CUDA in it could not use the GPU
)
