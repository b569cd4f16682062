"""Files that users give: photographs, checkpoints, networks; and what profilers and servers say of theirs."""

import io
from types import SimpleNamespace

from devices.profilers.ort import read_trace, scopes_of
from models.checkpoint_cache import _damage
from models.given.onnx_file import read_onnx
from models.given.program import read_program
from models.given.tflite_file import read_tflite
from models.photographs.decode import decode
from models.photographs.preprocessing import Preprocessing, preprocess
from models.weights import read_state
from system.download import UndeliveredError, _read_head
from tests.fuzz.parser import a_file

_HOW = Preprocessing(short_px=36, crop_px=32, resolution_px=24)


def images(content: bytes) -> None:
    """A photograph, as it is and upright, and the network's input of it."""
    with a_file("photo.jpg", content) as path:
        for upright in (False, True):
            image, remark = decode(path, upright=upright)
            assert image.mode == "RGB"
            assert len(remark.splitlines()) <= 1
        assert preprocess(image, _HOW).shape == (3, 24, 24)


def checkpoints(content: bytes) -> None:
    """A checkpoint, and what its checksums say."""
    with a_file("net.pth", content) as path:
        _damage(path)
        for tensor in read_state(path).values():
            assert tensor.device.type == "cpu"


def onnx_files(content: bytes) -> None:
    """A network in an ONNX file, and the modules that its nodes name."""
    with a_file("net.onnx", content) as path:
        read_onnx(path)
        scopes_of(path)


def tflite_files(content: bytes) -> None:
    """A network in a TFLite file."""
    with a_file("net.tflite", content) as path:
        read_tflite(path)


def programs(content: bytes) -> None:
    """A network in a file of torch.export."""
    with a_file("net.pt2", content) as path:
        read_program(path)


def ort_traces(content: bytes) -> None:
    """The trace of ONNX Runtime's profiler."""
    read_trace(content, {"Conv_1": "module_list.0"})


def http_answers(content: bytes) -> None:
    """The head of a server's answer."""
    import http.client

    for status in (200, 206):
        headers = http.client.parse_headers(io.BytesIO(content))
        _read_head(SimpleNamespace(headers=headers, status=status))


HTTP_ERRORS = (UndeliveredError,)
