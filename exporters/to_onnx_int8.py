"""INT8 ONNX with explicit Q/DQ nodes: one placement that TensorRT fuses, one that ONNX Runtime's CPU kernels fuse.

Their requirements are opposite. TensorRT takes symmetric INT8 only, quantized after a ReLU and never between a
convolution and its sum; ONNX Runtime has integer CPU kernels only where every convolution's output is quantized, and
fuses a ReLU only into an asymmetric range. docs/nvidia.md has the cost of each placement on the other runtime.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from exporters.artifact import Artifact, Exported, Job
from exporters.fidelity import FP32_LIMIT, check_against_source, check_int8_fidelity, measure_fidelity
from exporters.format import Format
from exporters.given import as_given, given_file
from exporters.given_onnx import write_given
from exporters.int8.biases import correct_biases
from exporters.int8.calibration import (
    calibration_bytes,
    calibration_count,
    calibration_images,
    calibration_remark,
    checked_of,
)
from exporters.int8.cpu import quantize_for_cpu, weight_levels
from exporters.int8.prepared import prepare
from exporters.int8.ranges import batches
from exporters.int8.tensorrt import PRECISIONS, quantize_for_tensorrt, quantized_layers
from exporters.onnx_run import run, run_file
from exporters.to_onnx import fix_batch, op_counts
from system.errors import UserError
from system.versions import release_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CPU = "int8-cpu"  # the precision for ONNX Runtime's CPU kernels; the others are TensorRT's
_PEAK_BYTES = 8_000_000_000
# The smallest cosine of flops400M in int8-fp16 is 0.956 by the CPU kernels of ONNX Runtime 1.23.2 and 1.26.0, 0.9998 by
# those of 1.31.1 and 1.32.0.
_FIRST_RIGHT = (1, 31)
_FIRST_BY_CHANNEL = 13  # the first opset whose Q/DQ nodes have an axis
_RETRIED_BELOW = 0.99  # the smallest cosine below which averaged ranges are tried too: docs/int8.md


def source(job: Job) -> Job:
    """A fixed batch is derived from the dynamic one, and that from the FP32 ONNX file."""
    if job.batch is not None:
        return msgspec.structs.replace(job, batch=None)
    return msgspec.structs.replace(job, format="onnx", precision="fp32")


def export(job: Job, source: Artifact | None, path: Path) -> Exported:
    """Write the INT8 network to `path`, calibrated on up to 500 photographs, or 32 synthetic images.

    Biases take back what rounded weights add in the mean. A tensor's range is its largest magnitude over all images.
    Where the smallest cosine between INT8 and FP32 logits is then below 0.99, since one odd image widens the ranges for
    all, the mean over the batches of their largest magnitudes is tried too, and the file whose logits are closer to
    FP32 is kept.

    Raises UserError where that cosine is below 0.9 with a checkpoint's weights, or not positive with others.
    """
    if file := given_file(job):
        write_given(job, file, path)
        return as_given()
    assert source is not None
    if job.batch is None:
        return _export_dynamic(job, Path(source.path), path)
    fix_batch(Path(source.path), path, job.batch)
    # The same nodes: only the declared shape differs.
    return Exported(fidelity=source.fidelity, remark=source.remark)


def _export_dynamic(job: Job, fp32: Path, path: Path) -> Exported:
    if "fp16" in job.precision:
        _refuse_old_kernels(job.precision)
    if job.model.file is not None:
        _refuse_old_opset(job.model.name, fp32)
    images = calibration_images(job, calibration_count(job))
    prepared = path.with_suffix(".prepared.onnx")
    prepare(fp32, prepared)
    check_against_source(job, lambda shown: run(prepared, shown), limit=FP32_LIMIT)
    if job.precision != _CPU and not quantized_layers(job.precision, prepared):
        # The file would be floating point under another name.
        found = "no convolution or Gemm of 16 channels or more"
        raise UserError(f"nothing of {job.model.name} is quantized", found=found, fix="measure it in floating point")
    checked = checked_of(images)
    reference = _logits(fp32, checked)
    corrected = path.with_suffix(".corrected.onnx")
    write_corrected(job.precision, prepared, corrected, images)
    logits = _quantize(job, corrected, path, images, averaged=False)
    cosine = measure_fidelity(reference, logits).cosine
    if cosine < _RETRIED_BELOW:
        other = path.with_suffix(".averaged.onnx")
        averaged = _quantize(job, corrected, other, images, averaged=True)
        if measure_fidelity(reference, averaged).cosine > cosine:
            other.replace(path)
            logits = averaged
    return Exported(fidelity=check_int8_fidelity(job, reference, logits), remark=calibration_remark(job))


def write_corrected(precision: str, prepared: Path, path: Path, images: "NDArray[np.float32]") -> None:
    """Write a prepared file to `path` with its biases corrected for what a precision rounds."""
    if precision == _CPU:
        correct_biases(prepared, path, images, levels=weight_levels())
    else:
        correct_biases(prepared, path, images, rounded=quantized_layers(precision, prepared))


def _refuse_old_opset(name: str, fp32: Path) -> None:
    """Raises UserError where the file that a network came as has no scales by channel."""
    import onnx

    imports = onnx.load(str(fp32), load_external_data=False).opset_import
    opset = max((each.version for each in imports if each.domain in {"", "ai.onnx"}), default=0)
    if opset < _FIRST_BY_CHANNEL:
        fix = f"save it with opset {_FIRST_BY_CHANNEL} or later"
        raise UserError(f"no INT8 of {name}", found=f"ONNX opset {opset}", fix=fix)


def _refuse_old_kernels(precision: str) -> None:
    """The file is checked on ONNX Runtime's CPU kernels; those before 1.31 compute other values for this one."""
    import onnxruntime

    version = onnxruntime.__version__
    if release_of(version) < _FIRST_RIGHT:
        found, fix = f"onnxruntime {version}, wrong below 1.31", "export it with 1.31 or later"
        raise UserError(f"no check of an {precision} file", found=found, fix=fix)


def _quantize(
    job: Job, prepared: Path, path: Path, images: "NDArray[np.float32]", *, averaged: bool
) -> "NDArray[np.float32]":
    """Write the quantized file to `path`; returns its logits for those images that it is checked on."""
    if job.precision == _CPU:
        quantize_for_cpu(prepared, path, images, averaged=averaged)
    else:
        quantize_for_tensorrt(job.precision, prepared, path, images, averaged=averaged)
    return _logits(path, checked_of(images))


def _logits(path: Path, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    import numpy as np

    logits_of = run_file(path)
    return np.concatenate([logits_of(batch) for batch in batches(images)])


def peak_bytes(job: Job) -> int:
    """The memory that the largest network of the zoo takes and the calibration images do; in bytes."""
    return _PEAK_BYTES + calibration_bytes(job)


def build_host(job: Job) -> dict[str, str]:
    """What of this CPU a file for its kernels depends on."""
    return {"weights": f"{weight_levels()} steps"} if job.precision == _CPU else {}


FORMAT = Format(
    # For TensorRT with its rest in FP32 (weakly typed: 8.6 and 10) or FP16 (strongly typed: 11), and for ONNX Runtime.
    precisions=(*PRECISIONS, _CPU),
    suffix=".onnx",
    source=source,
    export=export,
    tools=("torch", "onnx", "onnxscript", "onnx-ir", "onnxruntime", "timm"),
    recipe=5,
    build_host=build_host,
    peak_bytes=peak_bytes,
    preload=("torch", "timm", "onnxscript", "onnxruntime"),
    op_counts=op_counts,
)
