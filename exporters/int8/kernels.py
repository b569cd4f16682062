"""What ONNX Runtime's integer kernels do on this CPU."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_INPUTS, _OUTPUTS = 64, 16


@functools.cache
def saturates() -> bool:
    """Whether products of unsigned activations and signed weights are lost: their sums in pairs exceed 16 bits.

    x86 processors without VNNI add two products in 16 bits, which 255 * 127 * 2 exceeds and 255 * 64 * 2 doesn't
    (source: ONNX Runtime's documentation of `reduce_range`). Asked of the kernels themselves.
    """
    return not is_exact(127)


def is_exact(weight: int) -> bool:
    """Whether the kernels add up the products of the largest activation and this weight without loss."""
    import numpy as np

    product = integer_product(np.full((_INPUTS, _OUTPUTS), weight, dtype=np.int8))
    sums = product(np.full((1, _INPUTS), 255, dtype=np.uint8))
    return bool((sums == 255 * weight * _INPUTS).all())


def integer_product(
    weights: "NDArray[np.int8]", threads: int = 1
) -> "Callable[[NDArray[np.uint8]], NDArray[np.int32]]":
    """The matrix product of activations (rows, K) with these weights (K, columns), by ONNX Runtime's kernels."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    inputs, outputs = weights.shape
    node = helper.make_node("MatMulInteger", ["activations", "weights"], ["sums"])
    given = helper.make_tensor_value_info("activations", TensorProto.UINT8, [None, inputs])
    found = helper.make_tensor_value_info("sums", TensorProto.INT32, [None, outputs])
    graph = helper.make_graph([node], "product", [given], [found], [numpy_helper.from_array(weights, "weights")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def product(activations: "NDArray[np.uint8]") -> "NDArray[np.int32]":
        sums: NDArray[np.int32] = session.run(None, {"activations": activations})[0]
        return sums

    return product
