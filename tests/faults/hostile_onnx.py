"""ONNX files that are no networks, made to harm or broken by their tools, given as `--model onnx:PATH`."""

from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.faults.brought import outcomes, said
from tests.onnx_files import onnx_file

Spoil = Callable[[onnx.ModelProto], object]


def graphs(folder: Path) -> tuple[int, str]:
    """ONNX graphs that can't be: a cycle, a node that feeds itself, an input that nothing makes, names given twice."""

    def cycle(model: onnx.ModelProto) -> None:
        model.graph.node[1].input[0] = model.graph.node[3].output[0]

    def itself(model: onnx.ModelProto) -> None:
        model.graph.node[1].input[0] = model.graph.node[1].output[0]

    def missing(model: onnx.ModelProto) -> None:
        model.graph.node[1].input[0] = "nothing"

    def outputs_twice(model: onnx.ModelProto) -> None:
        model.graph.node[2].output[0] = model.graph.node[1].output[0]

    def weights_twice(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(model.graph.initializer[0])

    def names_twice(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            node.name = "same"

    def nothing(model: onnx.ModelProto) -> None:
        del model.graph.node[:]

    def backwards(model: onnx.ModelProto) -> None:
        nodes = list(model.graph.node)[::-1]
        del model.graph.node[:]
        model.graph.node.extend(nodes)

    return tried(folder, cycle, itself, missing, outputs_twice, weights_twice, names_twice, nothing, backwards)


def ends(folder: Path) -> tuple[int, str]:
    """ONNX files without inputs or outputs, with several, of other types, or of shapes that can't be."""

    def shaped(*sizes: int | str) -> Spoil:
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(sizes))
        return lambda model: model.graph.input[0].CopyFrom(value)

    def typed(kind: int) -> Spoil:
        return lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", kind)

    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [1]))
    return tried(
        folder,
        lambda model: model.graph.ClearField("input"),
        lambda model: model.graph.ClearField("output"),
        lambda model: model.graph.input.append(model.graph.input[0]),
        lambda model: model.graph.output.append(model.graph.output[0]),
        lambda model: model.graph.input[0].ClearField("type"),
        lambda model: model.graph.input[0].type.CopyFrom(sequence),
        typed(TensorProto.STRING),
        typed(TensorProto.COMPLEX64),
        typed(99),
        shaped(),
        shaped(1, 3, 0, 0),
        shaped(1, 3, -5, -5),
        shaped(0, 3, 16, 16),
        shaped(1, 3, 2**40, 2**40),
        shaped(1, 3, 1, 1),
        shaped("n", 3, "n", "n"),
        shaped(*[1] * 500),
    )


def tensors(folder: Path) -> tuple[int, str]:
    """ONNX weights that declare what they don't hold: terabytes, negative sizes, another type, no content."""

    def weight(**changes: object) -> Spoil:
        def change(model: onnx.ModelProto) -> None:
            tensor = model.graph.initializer[0]
            for name, value in changes.items():
                if name == "dims":
                    tensor.ClearField("dims")
                    tensor.dims.extend(value)  # type: ignore[arg-type]
                else:
                    setattr(tensor, name, value)

        return change

    def made(model: onnx.ModelProto) -> None:
        shape = numpy_helper.from_array(_sizes([2**20, 2**20, 2**10]), "sizes")
        model.graph.initializer.append(shape)
        model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["sizes"], ["huge"]))
        model.graph.node.insert(1, helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0))
        model.graph.node.insert(2, helper.make_node("Add", ["x", "sum"], ["x2"]))
        model.graph.node[3].input[0] = "x2"

    return tried(
        folder,
        weight(dims=[2**31, 2**31]),
        weight(dims=[2**62, 2**62]),
        weight(dims=[-1, 3, 3, 3]),
        weight(dims=[]),
        weight(data_type=TensorProto.DOUBLE),
        weight(data_type=TensorProto.STRING),
        weight(data_type=77),
        weight(raw_data=b""),
        weight(raw_data=b"abc"),
        made,
    )


def _sizes(values: list[int]) -> object:
    import numpy as np

    return np.array(values, np.int64)


def operators(folder: Path) -> tuple[int, str]:
    """ONNX operators that there are none of: unknown names and domains, future opsets, wrong attributes, no opset."""

    def node(at: int, **changes: str) -> Spoil:
        def change(model: onnx.ModelProto) -> None:
            for name, value in changes.items():
                setattr(model.graph.node[at], name, value)

        return change

    def opset(version: int) -> Spoil:
        return lambda model: setattr(model.opset_import[0], "version", version)

    return tried(
        folder,
        node(1, op_type="Reluu"),
        node(1, op_type=""),
        node(1, op_type="\n\x1b[2J"),
        node(1, domain="com.mine"),
        node(1, domain="com.microsoft"),
        node(1, domain="ai.onnx.ml"),
        opset(0),
        opset(-1),
        opset(10**9),
        lambda model: model.ClearField("opset_import"),
        lambda model: setattr(model, "ir_version", 10**6),
        lambda model: model.graph.node[0].attribute.append(helper.make_attribute("kernel_shape", [10**9, 10**9])),
        lambda model: model.graph.node[0].attribute.append(helper.make_attribute("pads", [-1] * 7)),
        lambda model: model.graph.node[0].attribute.append(helper.make_attribute("group", 0)),
        lambda model: model.graph.node[0].attribute.append(helper.make_attribute("strides", [0, 0])),
    )


def tried(folder: Path, *spoils: Spoil) -> tuple[int, str]:
    """Spoil a sound ONNX file in each way; how many, and what came of them."""
    paths = []
    for number, spoil in enumerate(spoils):
        path = onnx_file(folder / f"{number:02}.onnx")
        model = onnx.load(str(path))
        spoil(model)
        path.write_bytes(model.SerializeToString())
        paths.append(path)
    return len(paths), said(outcomes(folder, [f"onnx:{path}" for path in paths]))
