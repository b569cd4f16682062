"""Where an INT8 network quantizes for TensorRT, so that its kernels fuse.

TensorRT runs a convolution, the sum behind it and the ReLU behind that as one INT8 kernel, provided that nothing is
quantized between them and that the other summand, the skip branch, arrives quantized.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_FEW_CHANNELS = 16  # with fewer, INT8 tensor cores compute padding


@dataclass(frozen=True)
class Placement:
    """`activations`: of each node by name, the inputs that are quantized; `weights`: the same for weights."""

    activations: dict[str, list[int]]
    weights: dict[str, int]


@dataclass(frozen=True)
class Rules:
    """What is quantized beside dense convolutions, sums and the classifier.

    `depthwise`: depthwise convolutions. `pooled`: all around pooled maps, that is the inputs of poolings and of
    what flattens them, the convolutions of squeeze-excite and both inputs of its product. With it every network of the
    zoo that was compared is quantized as NVIDIA's own quantizer (modelopt 0.47) does.
    """

    depthwise: bool = True
    pooled: bool = False


def place_qdq(graph: "GraphProto", rules: Rules) -> Placement:
    """Choose what is quantized in an FP32 ONNX graph.

    Sigmoid and Mul, as in squeeze-excite and SiLU, stay in floating point: TensorRT fuses them with each
    other, and a quantized tensor between them would be one more pass over memory; `rules` may take squeeze-excite in.
    So do convolutions of pooled maps: a matrix of one pixel an image is too small to gain anything.
    """
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    chosen = {
        node.name
        for node in graph.node
        if (node.op_type == "Conv" and _is_quantized(node, shapes, producers, rules))
        or (node.op_type == "Gemm" and min(shapes.get(node.input[1], (0,))) >= _FEW_CHANNELS)
    }
    activations: dict[str, list[int]] = defaultdict(list)
    for name in chosen:
        activations[name].append(0)
    for node in graph.node:
        if node.op_type == "Add" and (index := _skip_input(node, producers, chosen)) is not None:
            activations[node.name].append(index)
        elif rules.pooled and _is_gate(node, producers):
            activations[node.name] += [0, 1]
        elif rules.pooled and node.op_type in {"GlobalAveragePool", "Flatten"}:
            activations[node.name].append(0)
    return Placement(activations=dict(activations), weights=dict.fromkeys(chosen, 1))


def is_depthwise(node: "NodeProto") -> bool:
    """Whether a node is a convolution in groups; those of this suite's networks have one channel a group."""
    return node.op_type == "Conv" and any(each.name == "group" and each.i > 1 for each in node.attribute)


def _is_quantized(
    node: "NodeProto", shapes: dict[str, tuple[int, ...]], producers: "dict[str, NodeProto]", rules: Rules
) -> bool:
    """Whether INT8 makes a convolution faster: enough channels, and more than a pixel an image."""
    if node.input[1] not in shapes:  # weights that are computed have no range
        return False
    out_channels, in_channels, *kernel_px = shapes[node.input[1]]
    if is_depthwise(node):
        return rules.depthwise and out_channels % 8 == 0 and min(kernel_px) >= 3
    first = node.input[0] not in producers
    if _is_pooled(node.input[0], producers):
        return rules.pooled
    few = min(out_channels, in_channels) < _FEW_CHANNELS
    return not few or (first and out_channels % 8 == 0 and len(set(kernel_px)) == 1)


def _is_pooled(tensor: str, producers: "dict[str, NodeProto]") -> bool:
    """Whether a tensor is one pixel an image: derived from a global pooling by pointwise operations only."""
    while (node := producers.get(tensor)) is not None:
        if node.op_type in {"GlobalAveragePool", "ReduceMean"}:
            return True
        if node.op_type not in {"Conv", "Relu", "Sigmoid", "Mul"}:
            return False
        if _is_gate(node, producers):
            return False
        tensor = node.input[0]
    return False


def _is_gate(node: "NodeProto", producers: "dict[str, NodeProto]") -> bool:
    """Whether a node is the product of a feature map and one factor a channel, as squeeze-excite ends in."""
    return node.op_type == "Mul" and len(set(node.input)) == 2 and not _is_silu(node, producers)


def _is_silu(node: "NodeProto", producers: "dict[str, NodeProto]") -> bool:
    sigmoid = producers.get(node.input[1])
    return sigmoid is not None and sigmoid.op_type == "Sigmoid" and sigmoid.input[0] == node.input[0]


def _skip_input(node: "NodeProto", producers: "dict[str, NodeProto]", chosen: set[str]) -> int | None:
    """Which input of a sum is the skip branch: the one that does not end in the convolution that the sum fuses with."""
    behind = [producers.get(tensor) for tensor in node.input]
    fusible = [index for index, producer in enumerate(behind) if producer is not None and producer.name in chosen]
    if not fusible:
        return None
    # Where both do, the branch with fewer convolutions is the skip branch, a projection of the block's input.
    depths = [_depth(tensor, producers) for tensor in node.input]
    main = max(fusible, key=lambda index: depths[index])
    return 1 - main


def _depth(tensor: str, producers: "dict[str, NodeProto]") -> int:
    """How many convolutions lie on the branch, up to the sum or the activation of a sum before it."""
    depth = 0
    while (node := producers.get(tensor)) is not None and node.op_type != "Add":
        depth += node.op_type == "Conv"
        tensor = node.input[0]
    return depth
