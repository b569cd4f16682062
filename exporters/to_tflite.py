"""TFLite by litert-torch, FP32 or INT8, NHWC input, fixed batch; what a phone and the LiteRT interpreter load."""

import shutil
from collections import Counter
from pathlib import Path

import msgspec

from exporters.artifact import Artifact, Exported, Fidelity, Job
from exporters.fidelity import FP32_LIMIT, check_against_source, check_int8_fidelity
from exporters.format import Format
from exporters.given import as_given, given_file
from exporters.int8.calibration import (
    calibration_bytes,
    calibration_count,
    calibration_images,
    calibration_remark,
    checked_of,
)
from exporters.int8.litert import quantize
from exporters.mobile_graph import drop_expands, keep_pooled_axes
from exporters.network import torch_network
from exporters.tflite_run import channels_last, load, run_file
from models.model import evaluating
from system.errors import UserError
from system.silence import silence

# Measured: 1.35 GB for flops400M, 1.5 for EfficientNet-B3, 2.5 for B6, 6.1 for latency12ms: 1.2 GB and 27 bytes a
# parameter. INT8 needs more than 8.9 GB for B6, whose activations the quantizer keeps.
_PEAK_BYTES, _INT8_PEAK_BYTES = 8_000_000_000, 13_000_000_000


def source(job: Job) -> Job | None:
    """INT8 is quantized from the FP32 file; FP32 is converted from torch."""
    return None if job.precision == "fp32" else msgspec.structs.replace(job, precision="fp32", calibration=None)


def export(job: Job, source: Artifact | None, path: Path) -> Exported | Fidelity:
    """Convert the network to `path`, or quantize its FP32 file to INT8, weights per channel.

    Activations are calibrated on up to 500 photographs, or 32 synthetic images. Depthwise convolutions of more than 25
    taps stay FP32, since XNNPACK has no integer kernels for them.
    Raises UserError where the converter isn't installed, the FP32 logits differ from torch's by more than 1e-4, or the
    INT8 ones lie too far from the FP32 ones.
    """
    assert job.batch is not None
    if file := given_file(job):
        shutil.copyfile(file.path, path)
        load(path, 1)  # what LiteRT can't load is no network to be timed
        return as_given()
    _require()
    if source is None:
        with silence():
            _convert(job, job.batch, path)
        return check_against_source(job, run_file(path), limit=FP32_LIMIT, batch=max(2, job.batch))
    fp32 = Path(source.path)
    images = calibration_images(job, max(job.batch, calibration_count(job)))
    images = images[: len(images) // job.batch * job.batch]
    if not len(images):
        raise UserError("too few calibration images", found=f"fewer than {job.batch}", fix="give a batch of them")
    # A list, since the quantizer takes its length first.
    shown = [channels_last(images[start : start + job.batch]) for start in range(0, len(images), job.batch)]
    with silence():
        quantize(load(fp32, 1), fp32, path, shown)
    checked = checked_of(images, job.batch)
    fidelity = check_int8_fidelity(job, run_file(fp32)(checked), run_file(path)(checked))
    return Exported(fidelity=fidelity, remark=calibration_remark(job))


def recipe(job: Job) -> int | None:
    """INT8 files differ from those of earlier versions, FP32 ones don't."""
    return None if job.precision == "fp32" else 4


def peak_bytes(job: Job) -> int:
    """The memory that the largest network of the zoo takes in the precision of `job`, in bytes, with room to spare."""
    # The images once as they are read, once with channels last.
    return _PEAK_BYTES if job.precision == "fp32" else _INT8_PEAK_BYTES + 2 * calibration_bytes(job)


def op_counts(path: Path) -> dict[str, int]:
    """How many operations of each kind a file holds, as TFLite names them, the most frequent first."""
    interpreter = load(path, 1)
    # The interpreter lists a delegate's node beside those that it replaced.
    names = Counter(str(op["op_name"]) for op in interpreter._get_ops_details())
    return {name: count for name, count in names.most_common() if name != "DELEGATE"}


def _require() -> None:
    import importlib.util

    missing = [name for name in ("litert_torch", "ai_edge_quantizer") if importlib.util.find_spec(name) is None]
    if missing:
        fix = "`make bench-cpu-tflite` installs it"
        raise UserError("no TFLite converter", found=f"{' and '.join(missing)} missing", fix=fix)


def _convert(job: Job, batch: int, path: Path) -> None:
    import torch

    from exporters.quiet_converter import litert_torch

    px = job.model.resolution_px
    example = (torch.zeros(batch, px, px, 3),)
    network = evaluating(litert_torch.to_channel_last_io(torch_network(job), args=[0]))
    traced = torch.export.export(network, example).module()
    keep_pooled_axes(traced)
    drop_expands(traced)
    litert_torch.convert(traced, example).export(str(path))


FORMAT = Format(
    precisions=("fp32", "int8"),
    suffix=".tflite",
    source=source,
    export=export,
    default_batch=1,
    tools=("torch", "timm", "litert-torch", "litert-converter", "ai-edge-litert", "ai-edge-quantizer"),
    recipe=recipe,
    peak_bytes=peak_bytes,
    preload=("torch", "timm", "exporters.quiet_converter"),
    op_counts=op_counts,
)
