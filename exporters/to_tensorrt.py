"""TensorRT plans by one path for TensorRT 8.6, 10 and 11, built on the GPU that they run on.

Up to 10 the builder chooses the precision of each layer among those that its flags allow; 11 has no such flags and
follows the network's types. For INT8, up to 10 gets Q/DQ in FP32 with the flags FP16 and INT8, and 11 the equivalent
network with Q/DQ in FP16.
"""

from pathlib import Path
from typing import Any

import msgspec

from exporters.artifact import Artifact, Exported, Job
from exporters.format import Format
from exporters.tensorrt_builder import Messages, build_or_release, check_plan, logger_to, parse, remarks_of, serialize
from exporters.tensorrt_engine import Engine
from system.errors import UserError, one_line
from system.gpu import find_gpu

_TIMINGS = ".timings"
# BuilderFlags by name, since 11 removed these.
_FLAGS = {"int8": ("FP16", "INT8"), "fp16": ("FP16",), "fp32": ()}


def source(job: Job) -> Job:
    """The ONNX file that a plan is built from."""
    precision = job.precision
    if precision == "int8" and not _has_precision_flags():
        precision = "int8-fp16"
    onnx_format = "onnx_int8" if job.precision == "int8" else "onnx"
    return msgspec.structs.replace(job, format=onnx_format, precision=precision)


def build_host(job: Job) -> dict[str, str]:
    """The GPU, TensorRT and flags that a plan depends on. Raises UserError where there is no GPU or no TensorRT."""
    trt = _tensorrt()
    gpu = find_gpu()
    if isinstance(gpu, str):
        raise UserError("a TensorRT plan is built on its GPU", found=gpu, fix="run it there")
    return {"gpu": f"{gpu.name} {gpu.sm}", "tensorrt": trt.__version__, "flags": " ".join(_flags(job.precision))}


def export(job: Job, source: Artifact | None, path: Path) -> Exported:
    """Build the plan of `job` and write it to `path`, and TensorRT's timing cache beside it.

    The timing cache is read where it is there already, so that a plan that is made again picks the same kernels.
    Where TensorRT has no INT8 implementation of a depthwise convolution before SiLU, those become floating point, and
    the artifact's remark says so.
    Raises UserError where TensorRT can't read or build the network (its whole message goes to stderr), or where the
    logits are too far from the torch network's.
    """
    assert source is not None
    timings = path.with_suffix(_TIMINGS)
    given = timings.read_bytes() if timings.exists() else b""
    (plan, measured), remark = build_or_release(
        lambda onnx_file: build(onnx_file, job.precision, given), Path(source.path), path
    )
    path.write_bytes(plan)
    timings.write_bytes(measured)
    return Exported(fidelity=check_plan(job, open_engine(path)), remark=remarks_of(source, remark))


def build(onnx_file: Path, precision: str, timings: bytes) -> tuple[bytes, bytes]:
    """The plan of an ONNX file of a fixed batch, and the timings of the kernels that were tried.

    Raises UserError with TensorRT's reason.
    """
    import tensorrt as trt

    library, messages = f"TensorRT {trt.__version__}", Messages()
    logger = logger_to(messages, trt.ILogger)
    builder = trt.Builder(logger)
    network = builder.create_network(_creation_flags())
    parse(trt.OnnxParser(network, logger), onnx_file.read_bytes(), onnx_file, library)
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    for name in _flags(precision):
        config.set_flag(trt.BuilderFlag.__members__[name])
    cache = config.create_timing_cache(timings)
    config.set_timing_cache(cache, False)
    plan = serialize(builder, network, config, messages, f"{library} can't build {onnx_file}")
    return bytes(plan), bytes(cache.serialize())


def open_engine(plan: Path) -> Engine:
    """A plan on this GPU. Raises UserError where this GPU or this TensorRT didn't build it."""
    import tensorrt as trt

    return Engine(plan, trt.Runtime(trt.Logger(trt.Logger.ERROR)))


def _creation_flags() -> int:
    """The flags of a new network: EXPLICIT_BATCH, which 8.6 needs and 11 removed."""
    import tensorrt as trt

    explicit = trt.NetworkDefinitionCreationFlag.__members__.get("EXPLICIT_BATCH")
    return 0 if explicit is None else 1 << int(explicit)


def _has_precision_flags() -> bool:
    return "INT8" in _tensorrt().BuilderFlag.__members__


def _flags(precision: str) -> tuple[str, ...]:
    return _FLAGS[precision] if _has_precision_flags() else ()


def _tensorrt() -> Any:
    try:
        import tensorrt
    except ImportError as error:
        raise UserError("no TensorRT", found=one_line(error, 120), fix="make bench-t4 installs it") from error
    return tensorrt


FORMAT = Format(
    precisions=("int8", "fp16", "fp32"),
    suffix=".plan",
    source=source,
    export=export,
    default_batch=64,
    tools=("tensorrt", "tensorrt-cu12", "tensorrt-cu12-bindings", "tensorrt-cu13", "tensorrt-cu13-bindings", "torch"),
    build_host=build_host,
    keyed_by_source=True,
    peak_bytes=1 << 60,  # more than there is: one at a time, since a builder times kernels on the one GPU
    preload=(),  # a child that forks from a process with CUDA in it could not use the GPU
    kept_suffixes=(_TIMINGS,),
)
