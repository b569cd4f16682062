"""Files that refer to other files or contain code: ONNX external data, pickles in checkpoints."""

import pickle
from collections.abc import Callable
from pathlib import Path

import onnx
import torch

from exporters.artifact import Job
from exporters.cache import Cache
from models import find
from tests.faults.command import TINY, command, one_error

_ELSEWHERE = ("../../../../etc/passwd", "/etc/passwd", "..", "weights.bin")


def external_data(folder: Path) -> tuple[int, str]:
    """An ONNX artifact rewritten to have its weights in another file."""
    cache, job = Cache(folder / "artifacts"), Job(model=find(TINY)[0], format="onnx", precision="fp32")
    path = Path(cache.obtain(job).path)
    content = path.read_bytes()
    for location in _ELSEWHERE:
        model = onnx.load_from_string(content)
        for tensor in model.graph.initializer:
            onnx.external_data_helper.set_external_data(tensor, location)
            tensor.ClearField("raw_data")
        path.write_bytes(model.SerializeToString())
        assert cache.find(job) is None
        ended = command("exporters", TINY, "--to", "onnx", "--out", folder / "artifacts")
        assert ended.returncode == 0, ended.stderr
        assert path.read_bytes() == content
    return len(_ELSEWHERE), "never loaded: its sha256 differs, so it is exported again"


class Evil:
    """Runs code when it is unpickled without restrictions."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.marker), "w")


def code(folder: Path) -> tuple[int, str]:
    """A checkpoint that tries to run code when it is read: zipped, a plain pickle, an old tar-like file."""
    marker, path = folder / "ran", folder / "evil.pth"

    def zipped() -> None:
        torch.save({"state_dict": {"weight": Evil(marker)}}, path)

    def plain() -> None:
        path.write_bytes(pickle.dumps({"weight": Evil(marker)}))

    def old() -> None:
        torch.save({"weight": Evil(marker)}, path, _use_new_zipfile_serialization=False)

    ways = (zipped, plain, old)
    for write in ways:
        write()
        one_error(command("exporters", TINY, "--to", "onnx", "--weights", path, "--out", folder / "artifacts"))
        assert not marker.exists()
    return len(ways), "refused by name; nothing ran"
