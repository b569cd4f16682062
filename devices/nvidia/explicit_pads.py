"""Convolutions whose padding differs between two sides, rewritten as a Pad and a convolution of equal padding.

The zeros are the same, so the logits are too. EfficientNets have such convolutions at stride 2, as TensorFlow pads.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

# The rewrite rule by which ONNX Runtime would put a Pad back into the convolution behind it.
FOLDING = "Pad_Fusion"


def pad_explicitly(model: "onnx.ModelProto") -> int:
    """Give every such convolution of `model` a Pad before it; how many there were."""
    from onnx import TensorProto, helper

    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if excess := _excess(node):
            name = f"{node.name or node.output[0]}_pads"
            # Of batch and channels, then of height and width: what each begins with, then what each ends with.
            half = len(excess) // 2
            pads = [0, 0, *excess[:half], 0, 0, *excess[half:]]
            model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [len(pads)], pads))
            nodes.append(helper.make_node("Pad", [node.input[0], name], [f"{name}_padded"], name=name))
            node.input[0] = f"{name}_padded"
            _subtract(node, excess)
        nodes.append(node)
    found = len(nodes) - len(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return found


def unequal_pads(model: "onnx.ModelProto") -> list[str]:
    """The convolutions whose padding differs between two sides, by name."""
    return [node.name for node in model.graph.node if _excess(node)]


def _excess(node: "onnx.NodeProto") -> list[int]:
    """How many pixels each side of a convolution has more than the opposite one; empty where none has."""
    pads = _pads(node) if node.op_type == "Conv" else []
    half = len(pads) // 2
    begins, ends = pads[:half], pads[half:]
    least = [min(pair) for pair in zip(begins, ends, strict=True)]
    return [] if begins == ends else [side - common for side, common in zip(pads, least * 2, strict=True)]


def _pads(node: "onnx.NodeProto") -> list[int]:
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == "pads"), [])


def _subtract(node: "onnx.NodeProto", excess: list[int]) -> None:
    (attribute,) = (attribute for attribute in node.attribute if attribute.name == "pads")
    attribute.ints[:] = [pad - more for pad, more in zip(attribute.ints, excess, strict=True)]
