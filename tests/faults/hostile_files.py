"""TFLite files, programs of torch.export and code that users bring, broken or made to harm."""

import io
import os
import warnings
import zipfile
from pathlib import Path

import torch

from tests.faults.brought import read, swept
from tests.faults.command import TINY, command
from tests.faults.damage import damaged
from tests.faults.trespass import Evil

_CODE = {
    "raises": "raise ValueError('no data set here')",
    "leaves": "import sys; sys.exit(3)",
    "aborts": "import os; os.abort()",
    "is_killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "recurses": "return recurses()",
    "returns_a_number": "return 3",
    "returns_nothing": "pass",
    "takes_no_images": "from torch import nn; return nn.Linear(5, 2)",
    "gives_two": "from torch import nn; return Two()",
    "prints": "import sys; print('x' * 100000); sys.stderr.write('y' * 100000); return Sound()",
    "closes": "import os; os.close(0); os.close(1); return Sound()",
    "moves": "import os, tempfile; os.chdir(tempfile.gettempdir()); return Sound()",
}
_NETWORKS = """
from torch import nn

class Two(nn.Module):
    def forward(self, images):
        return images, images

class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        self.classes = nn.Linear(3, 4)

    def forward(self, images):
        return self.classes(images.mean((2, 3)))
"""


def tflite(folder: Path) -> tuple[int, str]:
    """A TFLite file, damaged, and other files in its place."""
    whole = _tflite(folder)
    sources = []
    others = [b"TFL3", b"\0" * 4 + b"TFL3", b"\xff" * 4 + b"TFL3" + b"\xff" * 400, b"PK\x03\x04" * 50]
    for number, content in enumerate([*damaged(whole.read_bytes(), 41, 60), *others]):
        path = folder / f"{number:02}.tflite"
        path.write_bytes(content)
        sources.append(f"tflite:{path}")
    taken, refused = read(sources)
    assert refused
    rest = "the others are read"
    return len(sources), f"{len(refused)} refused with one error when read; {rest}: {len(taken)}"


def tflite_run(folder: Path) -> tuple[int, str]:
    """Damaged TFLite files that can still be read, measured."""
    whole = _tflite(folder)
    sources = []
    for number, content in enumerate(damaged(whole.read_bytes(), 42, 40)):
        path = folder / f"{number:02}.tflite"
        path.write_bytes(content)
        sources.append(f"tflite:{path}")
    taken = read(sources)[0][:8]
    records = swept(folder, taken, target="cpu-tflite")
    assert set(records) == set(taken)
    measured = sum(records.values())
    return len(taken), f"{measured} measured, {len(taken) - measured} have a record with the reason"


def programs(folder: Path) -> tuple[int, str]:
    """A program of torch.export (.pt2), damaged."""
    whole = _program(folder / "whole.pt2")
    sources = []
    for number, content in enumerate(damaged(whole.read_bytes(), 43, 40)):
        path = folder / f"{number:02}.pt2"
        path.write_bytes(content)
        sources.append(f"pt2:{path}")
    taken, refused = read(sources)
    assert refused
    return len(sources), f"{len(refused)} refused with one error when read, {len(taken)} still programs"


def program_code(folder: Path) -> tuple[int, str]:
    """A program of torch.export with pickled code in its inputs, its constants or its weights."""
    whole, marker = _program(folder / "whole.pt2"), folder / "ran"
    pickled = io.BytesIO()
    torch.save((Evil(marker),), pickled)
    with zipfile.ZipFile(whole) as archive:
        names = [name for name in archive.namelist() if name.endswith(".pt") or "weight_" in name]
        for number, spoilt in enumerate(names):
            path = folder / f"{number}.pt2"
            with zipfile.ZipFile(path, "w") as written:
                for name in archive.namelist():
                    written.writestr(name, pickled.getvalue() if name == spoilt else archive.read(name))
            read([f"pt2:{path}"])
            assert not marker.exists(), spoilt
        assert any("sample_inputs" in name for name in names)
    return len(names), "nothing ran; refused with one error where torch unpickles it"


def code(folder: Path) -> tuple[int, str]:
    """A user's own function that raises, exits, aborts, is killed, recurses, makes no network, or prints at length."""
    functions = "".join(f"def {name}():\n    {body}\n\n" for name, body in _CODE.items())
    (folder / "hostile.py").write_text(f"{_NETWORKS}\n{functions}")
    here = Path.cwd()
    os.chdir(folder)
    try:
        sources = [f"torch:hostile:{name}@16" for name in _CODE]
        taken, _ = read(sources)
        os.environ["PYTHONPATH"] = str(here)
        records = swept(folder, taken)
    finally:
        os.chdir(here)
        os.environ.pop("PYTHONPATH")
    assert set(records) == set(sources)
    sound = {name for name, measured in records.items() if measured}
    assert sound <= {f"torch:hostile:{name}@16" for name in ("prints", "closes", "moves")}, sound
    return len(
        sources
    ), f"each costs its network alone: {len(sources) - len(sound)} a record with the reason, {len(sound)} measured"


def _tflite(folder: Path) -> Path:
    """A sound file, exported by another process: what converts it starts threads, beside which none may be forked."""
    ended = command("exporters", TINY, "--to", "tflite", "--out", folder / "artifacts")
    assert ended.returncode == 0, ended.stderr
    (path,) = (folder / "artifacts").rglob("*.tflite")
    return path


def _program(path: Path) -> Path:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    with warnings.catch_warnings(action="ignore"):
        torch.export.save(torch.export.export(module.eval(), (torch.zeros(1, 3, 16, 16),)), path)
    return path
