"""Room for biases in INT8 TFLite files, whose biases are INT32 of input scale times weight scale.

Trained networks have dead channels, whose weights are tiny beside their bias: that integer would overflow, and the
quantizer cuts it off. Their weights get wider ranges, as in the ONNX files (`exporters.int8.insertion`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from exporters.int8.insertion import LEVELS, MOST_IN_BIAS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Which axis of the weights has the channels.
_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
_STEPS = 255  # between the ends of an activation's range
_LEAST = 1e-9  # of a range, as ai-edge-quantizer has it


def weight_ranges(
    interpreter: Any, ranges: "Mapping[str, Mapping[str, NDArray[np.float32]]]"
) -> "dict[str, dict[str, NDArray[np.float32]]]":
    """The ranges of weights, by name, of each layer with such a channel; those of all other layers fit as they are.

    `interpreter` is one of the FP32 file, `ranges` the calibrated ones of its activations: {"min": …, "max": …}.
    """
    import numpy as np

    names = {tensor["index"]: str(tensor["name"]) for tensor in interpreter.get_tensor_details()}
    found = {}
    for operator in interpreter._get_ops_details():
        axis = _CHANNEL_AXIS.get(operator["op_name"])
        given, kernel, bias, *_ = (*map(int, operator["inputs"]), -1, -1, -1)
        if axis is None or bias < 0 or names[given] not in ranges:
            continue
        weights, input_range = interpreter.get_tensor(kernel), ranges[names[given]]
        others = tuple(other for other in range(weights.ndim) if other != axis)
        largest = np.maximum(np.abs(weights).max(axis=others, keepdims=True), _LEAST)
        width = max(0.0, float(np.max(input_range["max"]))) - min(0.0, float(np.min(input_range["min"])))
        in_units = np.abs(interpreter.get_tensor(bias)) / (max(width, _LEAST) / _STEPS)
        needed = in_units.reshape(largest.shape) * (LEVELS / MOST_IN_BIAS)
        if (needed > largest).any():
            widened = np.maximum(largest, needed).astype(np.float32)
            found[names[kernel]] = {"min": -widened, "max": widened}
    return found
