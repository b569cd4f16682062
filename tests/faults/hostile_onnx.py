"""ONNX files that are no networks, made to harm or broken by their tools, given as `--model onnx:PATH`."""

import itertools
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.faults.brought import outcomes, read, said
from tests.faults.damage import damaged
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

    return _tried(folder, cycle, itself, missing, outputs_twice, weights_twice, names_twice, nothing, backwards)


def ends(folder: Path) -> tuple[int, str]:
    """ONNX files without inputs or outputs, with several, of other types, or of shapes that can't be."""

    def shaped(*sizes: int | str) -> Spoil:
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(sizes))
        return lambda model: model.graph.input[0].CopyFrom(value)

    def typed(kind: int) -> Spoil:
        return lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", kind)

    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [1]))
    return _tried(
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

    return _tried(
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

    return _tried(
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


def nested(folder: Path) -> tuple[int, str]:
    """ONNX graphs nested in graphs, 25 and 3,000 deep, and chains of 2,000 nodes."""

    def branches(model: onnx.ModelProto) -> None:
        inner = _leaf()
        for _ in range(25):
            inner = _graph(helper.make_node("If", ["yes"], ["o"], then_branch=inner, else_branch=_leaf()))
        model.graph.initializer.append(helper.make_tensor("yes", TensorProto.BOOL, [], [True]))
        model.graph.node[1].CopyFrom(helper.make_node("If", ["yes"], ["h2"], then_branch=inner, else_branch=_leaf()))

    def chain(model: onnx.ModelProto) -> None:
        names = ["h1", *(f"c{number}" for number in range(2000))]
        links = [helper.make_node("Relu", [one], [other]) for one, other in itertools.pairwise(names)]
        nodes = list(model.graph.node)
        nodes[1].input[0] = names[-1]
        del model.graph.node[:]
        model.graph.node.extend([nodes[0], *links, *nodes[1:]])

    deep, content = folder / "deep.onnx", b""
    for _ in range(3000):  # a node's attribute that is a graph
        content = _field(1, _field(5, _field(6, content)))
    deep.write_bytes(_field(7, content))
    _, refused = read([f"onnx:{deep}"])
    assert refused
    cases, outcome = _tried(folder, branches, chain)
    return cases + 1, f"3,000 deep is refused with one error when read; of the others: {outcome}"


def _leaf() -> onnx.GraphProto:
    return _graph(helper.make_node("Identity", ["h1"], ["o"]))


def _graph(node: onnx.NodeProto) -> onnx.GraphProto:
    return helper.make_graph([node], "g", [], [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)])


def _field(number: int, content: bytes) -> bytes:
    """A protobuf field of bytes."""
    length, size = b"", len(content)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def _tried(folder: Path, *spoils: Spoil) -> tuple[int, str]:
    """Spoil a sound file in each way; how many, and what came of them."""
    paths = []
    for number, spoil in enumerate(spoils):
        path = onnx_file(folder / f"{number:02}.onnx")
        model = onnx.load(str(path))
        spoil(model)
        path.write_bytes(model.SerializeToString())
        paths.append(path)
    return len(paths), said(outcomes(folder, [f"onnx:{path}" for path in paths]))


def damaged_files(folder: Path) -> tuple[int, str]:
    """An ONNX file, damaged, and other files in its place."""
    paths = []
    for number, broken in enumerate(damaged(onnx_file(folder / "sound.onnx").read_bytes(), 24, 14)):
        paths.append(folder / f"{number:02}.onnx")
        paths[-1].write_bytes(broken)
    (folder / "folder.onnx").mkdir()
    others = [folder / "folder.onnx", folder / "none.onnx"]
    return len(paths) + len(others), said(outcomes(folder, [f"onnx:{path}" for path in (*paths, *others)]))


def elsewhere(folder: Path) -> tuple[int, str]:
    """An ONNX file whose weights lie outside its folder: absolute, above, by a link, in a device, at a wrong place."""
    (folder / "secret").write_bytes(bytes(2000))
    here = folder / "here"
    here.mkdir()
    (here / "link").symlink_to(folder / "secret")
    (here / "short").write_bytes(b"ab")
    places = ("/etc/passwd", "../secret", "link", "/dev/zero", "", ".", "a\nb", "none", "short", "../here/../secret")
    paths = []
    for number, place in enumerate(places):
        paths.append(onnx_file(here / f"{number}.onnx"))
        model = onnx.load(str(paths[-1]))
        for tensor in model.graph.initializer:
            onnx.external_data_helper.set_external_data(tensor, place, offset=0, length=64)
            tensor.ClearField("raw_data")
        paths[-1].write_bytes(model.SerializeToString())
    found = outcomes(folder, [f"onnx:{path}" for path in paths])
    assert not found["measured"], found
    return len(places), said(found)
