import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.structure import SuperBlock, parse_structure
from models.zoo import zoo
from system.errors import UserError


def test_every_published_structure_is_read_whole():
    for model in zoo().values():
        if model.family == "ZenNet":
            text = model.source.partition(":")[2]
            assert sum(_length(block) for block in parse_structure(text)) == len(text)


def _length(block: SuperBlock) -> int:
    return len(write(block))


def write(block: SuperBlock) -> str:
    head = {
        "conv": f"SuperConvK{block.kernel_px}BNRELU",
        "res_kk": f"SuperResK{block.kernel_px}K{block.kernel_px}",
        "res_1k1": f"SuperResK1K{block.kernel_px}K1",
        "res_idw": f"SuperResIDWE{block.expansion}K{block.kernel_px}",
    }[block.kind]
    bottleneck = [] if block.kind == "conv" else [block.bottleneck_channels]
    numbers = [block.in_channels, block.out_channels, block.stride, *bottleneck, block.layers]
    return f"{head}({','.join(map(str, numbers))})"


@st.composite
def chains(draw) -> list[SuperBlock]:
    channels = st.integers(1, 512)
    blocks, incoming = [], 3
    for kind in draw(st.lists(st.sampled_from(["conv", "res_kk", "res_1k1", "res_idw"]), min_size=1, max_size=6)):
        block = SuperBlock(
            kind=kind,
            kernel_px=draw(st.sampled_from([1, 3, 5, 7] if kind in ("conv", "res_idw") else [3, 5, 7])),
            in_channels=incoming,
            out_channels=draw(channels),
            stride=draw(st.integers(1, 2)),
            layers=draw(st.integers(1, 5)),
            bottleneck_channels=0 if kind == "conv" else draw(channels),
            expansion=draw(st.integers(1, 6)) if kind == "res_idw" else 1,
        )
        blocks.append(block)
        incoming = block.out_channels
    return blocks


@given(chains())
def test_what_is_written_is_read_back(blocks):
    assert parse_structure("".join(map(write, blocks))) == blocks


@given(st.text(alphabet="SuperConvResIDWEKBNRLU0123456789(),-_ ", max_size=80) | st.text(max_size=40))
def test_any_text_gives_blocks_or_one_clear_line(text):
    try:
        assert parse_structure(text)
    except UserError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty structure string"),
        ("SuperConvK3BNRELU(3,16,2", "cut off"),
        ("SuperConvK3BNRELU(3,16,2,1)SuperConv", "character 27"),
        ("SuperConvK3BNRELU(3,16,2)", "expected (in, out, stride, layers)"),
        ("SuperConvK3BNRELU(3,16,two,1)", "whole numbers"),
        ("SuperConvK3BNRELU(3,-16,2,1)", "whole numbers"),
        ("SuperConvK4BNRELU(3,16,2,1)", "even kernel"),
        ("SuperConvK3BNRELU(3,999999999,2,1)", "out of range"),
        ("SuperConvK3BNRELU(3,16,2,0)", "layers out of range"),
        ("SuperConvK3BNRELU(4,16,2,1)", "must take an image"),
        ("SuperConvK3BNRELU(3,16,2,1)SuperConvK1BNRELU(8,16,1,1)", "super-block 2 does not fit"),
        ("SuperResK3K5(3,16,2,8,1)", "unreadable structure string"),
    ],
)
def test_each_mistake_is_named(text, says):
    with pytest.raises(UserError, match=says.replace("(", r"\(").replace(")", r"\)")):
        parse_structure(text)
