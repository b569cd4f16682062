"""Depthwise convolutions as convolutions in groups of several channels, the weights between channels being zero.

They compute the same, in as many times the multiplications. A builder without a kernel for narrow groups makes one
convolution of each group instead, hundreds of a depthwise one, each with kernels and tables of its own.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto


def widen_groups(model: "ModelProto", width: int) -> None:
    """Give each convolution in groups of one channel groups of `width`, changing `model`.

    Those whose channels are no multiple of `width`, or whose weights are no constant, are left as they are.
    """
    from onnx import numpy_helper

    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    widened = set()  # convolutions may share their weights
    for node in model.graph.node:
        group = _group_of(node)
        if group is None or node.input[1] not in constants:
            continue
        tensor = constants[node.input[1]]
        channels, per_group, *_ = tensor.dims
        if per_group == 1 and group.i == channels and channels % width == 0:
            wide = _widened(numpy_helper.to_array(tensor), width)
            tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))
            widened.add(tensor.name)
        if tensor.name in widened:
            group.i = channels // width


def _group_of(node: Any) -> "AttributeProto | None":
    """The number of groups of a convolution in several."""
    if node.op_type != "Conv":
        return None
    return next((each for each in node.attribute if each.name == "group" and each.i > 1), None)


def _widened(weights: Any, width: int) -> Any:
    """Weights (C, 1, ...) as (C, width, ...): each channel's stand at its place in its group."""
    import numpy as np

    channels, _, *kernel = weights.shape
    wide = np.zeros((channels, width, *kernel), dtype=weights.dtype)
    of_channel = np.arange(channels)
    wide[of_channel, of_channel % width] = weights[:, 0]
    return wide
