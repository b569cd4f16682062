"""Exported files run on this machine's CPU, by the interpreters that the exporters check them with."""

from pathlib import Path

import onnxruntime
import torch
from packaging.version import Version

from exporters import onnx_run, tflite_run
from exporters.formats import find_format
from tests.needs import leave_out


def _run_torch(job, path):
    module = job.model.build(path)

    def run(images):
        with torch.inference_mode():
            return module(torch.from_numpy(images)).numpy()

    return run


_RUN = {
    "onnx": lambda job, path: onnx_run.run_file(path),
    "onnx_int8": lambda job, path: onnx_run.run_file(path),
    "tflite": lambda job, path: tflite_run.run_file(path),
    "torch": _run_torch,
}

# Every format and precision whose files run here; plans of TensorRT need a GPU.
FILES = [(format_, precision) for format_ in _RUN for precision in find_format(format_).precisions]


def logits_of(job, artifact, images):
    """The logits (N, classes) of the file of `job` for images (N, 3, H, W)."""
    return _RUN[job.format](job, Path(artifact.path))(images)


def leave_out_where_onnxruntime_is_too_old(precision):
    if "int8-fp16" in precision and Version(onnxruntime.__version__) < Version("1.31"):
        leave_out(f"onnxruntime {onnxruntime.__version__} can't check {precision}", "1.31 does")
