"""What ONNX Runtime's integer kernels do on this CPU."""

import functools

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
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.full((_INPUTS, _OUTPUTS), weight, dtype=np.int8), "weights")
    node = helper.make_node("MatMulInteger", ["activations", "weights"], ["sums"])
    given = helper.make_tensor_value_info("activations", TensorProto.UINT8, [1, _INPUTS])
    found = helper.make_tensor_value_info("sums", TensorProto.INT32, [1, _OUTPUTS])
    graph = helper.make_graph([node], "pairs", [given], [found], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"activations": np.full((1, _INPUTS), 255, dtype=np.uint8)})
    return bool((sums == 255 * weight * _INPUTS).all())
