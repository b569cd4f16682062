import hashlib

import pytest

from exporters.artifact import Artifact


@pytest.fixture
def a_file(tmp_path):
    """An artifact whose file lies in a driver's folder, and the content of the file."""
    content = bytes(range(256)) * 100
    path = tmp_path / "driver" / "net" / "file.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    artifact = Artifact(
        model="net",
        format="onnx",
        precision="fp32",
        batch=1,
        path=str(path),
        input_shape=(1, 3, 32, 32),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        weights="seed 0",
        made_by={},
        fidelity=None,
    )
    return artifact, content
