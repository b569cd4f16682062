"""TFLite files run by the LiteRT interpreter on the CPU, and what their inputs and outputs are."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from exporters.in_batches import in_batches
from system.errors import UserError, one_line
from system.silence import silence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TensorDetails(TypedDict):
    """What a LiteRT interpreter says of an input or output; `quantization` is (scale, zero point) of an integer one."""

    index: int
    shape: "NDArray[np.int32]"
    dtype: type
    quantization: tuple[float, int]


def run_file(path: Path, threads: int = 2) -> "Callable[[NDArray[np.float32]], NDArray[np.float32]]":
    """A function from images (N, 3, H, W) to logits, by the LiteRT interpreter, which is shown a batch at a time."""
    interpreter = load(path, threads)
    (input_details,), (output_details,) = interpreter.get_input_details(), interpreter.get_output_details()
    batch = int(input_details["shape"][0])

    def run(images: "NDArray[np.float32]") -> "NDArray[np.float32]":
        interpreter.set_tensor(input_details["index"], input_of(input_details, images))
        interpreter.invoke()
        return output_of(output_details, interpreter.get_tensor(output_details["index"]))

    return lambda images: in_batches(run, images, batch)


def input_of(details: TensorDetails, images: "NDArray[np.float32]") -> "NDArray[Any]":
    """Images (N, 3, H, W) as the input that `details` describe: NHWC or as they are, quantized for an integer."""
    import numpy as np

    values = images if tuple(details["shape"]) == images.shape else channels_last(images)
    if details["dtype"] == np.float32:
        return values
    scale, zero = details["quantization"]
    limits = np.iinfo(details["dtype"])
    quantized: NDArray[Any] = np.clip(np.round(values / scale) + zero, limits.min, limits.max).astype(details["dtype"])
    return quantized


def load(path: Path, threads: int) -> Any:
    """An interpreter with XNNPACK, its tensors allocated. Raises UserError where LiteRT can't read the file."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        with silence():  # LiteRT prints which delegate it made
            interpreter = Interpreter(str(path), num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise UserError(f"LiteRT can't load {path.name}", found=one_line(error, 200), fix="export it again") from error
    return interpreter


def ends(path: Path) -> tuple[TensorDetails, TensorDetails]:
    """What the one input and the one output of a file are. Raises UserError where LiteRT can't read it."""
    interpreter = load(path, 1)
    (given,), (produced,) = interpreter.get_input_details(), interpreter.get_output_details()
    return given, produced


def channels_last(images: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """Images (N, 3, H, W) as (N, H, W, 3)."""
    import numpy as np

    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def output_of(details: TensorDetails, values: "NDArray[Any]") -> "NDArray[np.float32]":
    """The values of an output that `details` describe, float32: dequantized where they are integers."""
    import numpy as np

    if details["dtype"] == np.float32:
        return values
    scale, zero = details["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale, dtype=np.float32)
