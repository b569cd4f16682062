"""INT8 for TensorRT, by Q/DQ pairs where `place_qdq` chooses them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from exporters.half import refuse_large_weights
from exporters.int8.insertion import halve, insert
from exporters.int8.placement import Rules, place_qdq
from exporters.int8.ranges import POOLED, QUANTIZED, largest_magnitudes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What is quantized, by precision; "fp16" in it says what the rest is.
_RULES = {
    "int8": Rules(),
    "int8-fp16": Rules(),
    "int8-fp16-dense": Rules(depthwise=False),
    "int8-fp16-modelopt": Rules(pooled=True),
}
PRECISIONS = tuple(_RULES)


def quantize_for_tensorrt(
    precision: str, prepared: Path, path: Path, images: "NDArray[np.float32]", *, averaged: bool
) -> None:
    """Write a prepared FP32 file in INT8 to `path`, its ranges from the images as `largest_magnitudes` takes them.

    Raises UserError where the rest is FP16, which can't hold one of the weights.
    """
    kinds = QUANTIZED + POOLED * _RULES[precision].pooled
    insert_pairs(precision, prepared, path, largest_magnitudes(prepared, images, averaged=averaged, kinds=kinds))


def insert_pairs(precision: str, prepared: Path, path: Path, magnitudes: Mapping[str, float]) -> None:
    """Write a prepared file with the pairs of a precision to `path`; `magnitudes` are the largest of each tensor.

    Raises UserError where the rest is FP16, which can't hold one of the weights.
    """
    import onnx

    model = onnx.load(str(prepared))
    if "fp16" in precision:
        refuse_large_weights(model)
    insert(model, place_qdq(model.graph, _RULES[precision]), magnitudes)
    if "fp16" in precision:
        halve(model)
    onnx.save(model, str(path))


def quantized_layers(precision: str, prepared: Path) -> Collection[str]:
    """The names of the layers of a prepared file whose weights a precision rounds; none where it quantizes nothing."""
    import onnx

    return place_qdq(onnx.load(str(prepared)).graph, _RULES[precision]).weights
