import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import find
from models.given import factory
from models.given.factory import NetworkError
from system.errors import UserError

CODE = """
import torch
from torch import nn

STRIDE = 2

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.linear, self.drop = nn.Conv2d(3, 4, 3, bias=True), nn.Linear(4, 7), nn.Dropout(0.5)

    def forward(self, images):
        maps = nn.functional.conv2d(images, self.convolution.weight, self.convolution.bias, stride=STRIDE)
        return self.drop(self.linear(maps.mean((2, 3))))

class Lists(Network):
    def forward(self, images):
        return [images]

def made(): return Network().train()
def half(): return Network().half()
def lists(): return Lists()
def number(): return 3
def fails(): raise ValueError("no data set\\nhere")
def leaves(): raise SystemExit(3)
def asks(one): return Network()
def dies():
    import os
    os._exit(1)
constant = 3
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Writes a module of the user's into the working directory; returns its name."""
    count = iter(range(100))

    def write(code: str = CODE) -> str:
        name = f"mine_{tmp_path.name}_{next(count)}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(code)
        return name

    monkeypatch.chdir(tmp_path)
    yield write
    for name in [name for name in sys.modules if name.startswith(f"mine_{tmp_path.name}".replace("-", "_"))]:
        del sys.modules[name]


def network(module: str, function: str, px: int = 16):
    return find(f"torch:{module}:{function}@{px}")[0]


def content(module: str, function: str, px: int = 16) -> str:
    """As `Model.content`, without a process of its own."""
    return factory._fingerprint(f"{module}:{function}", px)


def test_a_function_in_the_working_directory_makes_a_network_in_eval_mode_and_fp32(mine):
    name = mine()
    for function in ("made", "half"):
        module = network(name, function).build()
        assert not module.training and {tensor.dtype for tensor in module.state_dict().values()} == {torch.float32}
        images = torch.rand(2, 3, 16, 16)
        assert torch.equal(module(images), module(images))  # no dropout


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone(mine):
    model = network(mine(), "made")
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = model.build().state_dict(), model.build().state_dict()
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_its_content_is_the_code_the_weights_and_what_an_image_goes_through(mine):
    first = content(mine(), "made")
    assert len(first) == 64 and first == content(mine(), "made")
    assert first != content(mine(CODE.replace("STRIDE = 2", "STRIDE = 1")), "made")
    assert first != content(mine(CODE.replace("nn.Linear(4, 7)", "nn.Linear(4, 6)")), "made")
    assert first != content(mine(), "made", px=20)


def test_what_an_image_goes_through_counts_where_the_code_lies_elsewhere(mine):
    """The function's own file is the same; what it imports isn't."""
    contents = set()
    for stride in (1, 2):
        inner = mine(CODE.replace("STRIDE = 2", f"STRIDE = {stride}"))
        outer = mine(
            "import importlib, pathlib\ndef made():\n"
            "    return importlib.import_module(pathlib.Path('inner').read_text()).made()\n"
        )
        Path("inner").write_text(inner)
        contents.add(content(outer, "made"))
    assert len(contents) == 2


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("number", r"makes no network: a int; return an nn\.Module"),
        ("fails", r"fails: ValueError: no data set here; mend the function"),
        ("leaves", r"fails: SystemExit: 3; mend the function"),
        ("asks", r"fails: TypeError: .*missing 1 required positional argument"),
        ("lists", r"gives no logits: a list; return one tensor"),
        ("absent", r"no torch:mine\w+:absent: no absent in mine\w+; give torch:MODULE:FUNCTION"),
        ("constant", r"is no function: a int"),
    ],
)
def test_what_makes_no_network_is_one_line(mine, function, said):
    with pytest.raises(NetworkError, match=said) as raised:
        content(mine(), function)
    assert "\n" not in str(raised.value)


def test_a_module_that_is_not_there_or_fails_is_one_line(mine):
    with pytest.raises(NetworkError, match="can't import nowhere_at_all: ModuleNotFoundError"):
        content("nowhere_at_all", "made")
    with pytest.raises(NetworkError, match=r"can't import mine\w+: ZeroDivisionError: division by zero"):
        content(mine("1 / 0"), "made")


def test_images_of_another_size_than_it_takes_are_one_line(mine):
    code = CODE.replace("maps.mean((2, 3))", "maps.flatten(1)").replace("nn.Linear(4, 7)", "nn.Linear(4 * 7 * 7, 7)")
    name = mine(code)
    assert content(name, "made", px=16)
    with pytest.raises(NetworkError, match="takes no images of 20 px: RuntimeError"):
        content(name, "made", px=20)


def test_the_function_runs_in_a_process_of_its_own_which_it_may_end(mine):
    name = mine()
    assert network(name, "made").content() == content(name, "made")
    with pytest.raises(NetworkError, match=rf"^torch:{name}:leaves fails: SystemExit: 3; mend the function$"):
        network(name, "leaves").content()
    with pytest.raises(NetworkError, match=rf"the process that calls torch:{name}:dies: it ended without an answer"):
        network(name, "dies").content()


@given(st.text(max_size=30))
def test_a_name_is_checked_before_anything_is_imported(text):
    try:
        (model,) = find(f"torch:{text}")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        module, _, function = model.source.removeprefix("torch:").partition(":")
        assert function.isidentifier() and all(part.isidentifier() for part in module.split("."))
