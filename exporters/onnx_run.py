"""ONNX files run by ONNX Runtime on the CPU, and the names of inputs, outputs and batch in those that exports write."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.in_batches import in_batches

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
    """The logits of an ONNX file, by ONNX Runtime on the CPU; float32 in and out."""
    return run_file(path)(images)


def run_file(path: Path) -> "Callable[[NDArray[np.float32]], NDArray[np.float32]]":
    """An ONNX file as a function of images (N, 3, H, W), by ONNX Runtime on the CPU; float32 in and out.

    Where its batch is fixed, the images are shown so many at a time.
    """
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=[INTEGER_BIASES]
    )
    (given,), (produced,) = session.get_inputs(), session.get_outputs()
    batch = fixed_size(given.shape[0])

    def logits(images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        (values,) = session.run([produced.name], {given.name: images.astype(DTYPES[given.type])})
        return np.asarray(values, dtype=np.float32)

    return lambda images: in_batches(logits, images, batch)


def fixed_batch(path: Path) -> int | None:
    """The batch that an ONNX file declares, None where it is dynamic."""
    import onnx

    (given,) = onnx.load(str(path), load_external_data=False).graph.input
    return given.type.tensor_type.shape.dim[0].dim_value or None


def fixed_size(size: object) -> int | None:
    """A size as ONNX Runtime gives it; None where it is the name of a dynamic one."""
    return size if isinstance(size, int) else None
