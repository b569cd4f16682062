"""ONNX files run by ONNX Runtime on the CPU, and the names of inputs, outputs and batch in those that exports write."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INPUT, OUTPUT, BATCH = "images", "logits", "batch"
# The types of inputs and outputs, as ONNX Runtime names them and as numpy and torch do.
DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16"}

# A rule of ONNX Runtime's optimizer that is left out. It makes an INT32 of a float bias beside Q/DQ, in units of input
# scale times weight scale, which FP16 lacks: EfficientNet-Lite0 with trained weights, INT8 with the rest in FP16,
# has a smallest cosine of 0.10 with it and 0.99 without (1.32.0).
INTEGER_BIASES = "WeightBiasQuantization"


def run(path: Path, images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The logits of an ONNX file with a dynamic batch, by ONNX Runtime on the CPU; float32 in and out."""
    return load(path)(images)


def load(path: Path) -> "Callable[[NDArray[np.float32]], NDArray[np.float32]]":
    """An ONNX file as a function, by ONNX Runtime on the CPU; float32 in and out."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=[INTEGER_BIASES]
    )
    dtype = DTYPES[session.get_inputs()[0].type]

    def logits(images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        (values,) = session.run([OUTPUT], {INPUT: images.astype(dtype)})
        return np.asarray(values, dtype=np.float32)

    return logits
