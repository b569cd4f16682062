"""What FP16 can't hold: an export that would round it to another number, or to infinity, is refused."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from system.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def refuse_large_weights(model: Any) -> None:
    """Raise UserError where a weight or bias of an FP32 ONNX graph is larger than FP16's largest number, 65,504.

    ONNX Runtime's converter would write that number instead. Small ones lose nothing that shows beside the rest: below
    6e-5 they are off by 3e-8 at most, as FP16 rounds a weight of 1e-4.
    """
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    weighted = {name: None for node in model.graph.node if node.op_type in _WEIGHTED for name in node.input[1:]}
    refuse_large((name, numpy_helper.to_array(constants[name])) for name in weighted if name in constants)


def refuse_large(named: "Iterable[tuple[str, NDArray[np.float32]]]") -> None:
    """Raise UserError where one of these values is larger than FP16's largest number."""
    import numpy as np

    most = float(np.finfo(np.float16).max)
    for name, values in named:
        if (largest := float(np.abs(values).max(initial=0))) > most:
            found = f"{largest:.3g} in {name}, more than {most:.0f}"
            raise UserError("FP16 can't hold the weights of this network", found=found, fix="export it in FP32")
