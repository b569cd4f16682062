"""ONNX files nested beyond reason, damaged, or with weights elsewhere, given as `--model onnx:PATH`."""

import itertools
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tests.faults.brought import outcomes, read, said
from tests.faults.damage import damaged
from tests.faults.hostile_onnx import tried
from tests.onnx_files import onnx_file


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
    cases, outcome = tried(folder, branches, chain)
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
