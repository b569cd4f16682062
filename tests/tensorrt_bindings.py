"""TensorRT's real Python bindings without TensorRT: their wheels, unpacked beside stub libraries that let them import.

The bindings lack nothing but a dozen C functions of the libraries; stubs of these return null. So every class, enum and
signature of the real API is there, and nothing can be built. The stubs are made by gcc.
"""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.needs import NOT_FOR_THIS_PYTHON, leave_out, program

ROOT = Path(__file__).parents[1]
WHEELS = Path(sys.prefix) / "tensorrt-wheels"
LISTED = ROOT / "constraints" / "tensorrt-bindings.txt"
# Each version, with the first Python that it has no wheel for, or "".
_FIRST_WITHOUT = dict(
    re.findall(
        r"""(?m)^tensorrt-cu12-bindings==([\d.]+)(?: *; python_version < "3\.(\d+)")?""",
        LISTED.read_text(encoding="utf-8"),
    )
)
VERSIONS = list(_FIRST_WITHOUT)
COMPILER = "apt-get install gcc binutils brings it"

_LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
_FUNCTION = re.compile(r"U ((?:createInfer|createNvOnnx|get|initLib)\w+)$", re.MULTILINE)

# What the generator makes of C++ signatures that Python's grammar refuses.
_DEFAULT_BEFORE_NONE = re.compile(r"(?m)^ *def .* = \.\.\., \w+: [^=,)]+[,)].*$")


def wheel_of(version: str) -> Path:
    """The wheel of a version that `make test` fetched; the tests that need it are left out where there is none."""
    minor, first_without = sys.version_info.minor, _FIRST_WITHOUT[version]
    name = f"tensorrt-cu12-bindings {version}"
    if first_without and minor >= int(first_without):
        instead = f"python3.{int(first_without) - 1}"
        command = f"make test PYTHON={instead} VENV=.venv-{instead} runs them"
        leave_out(f"{name} {NOT_FOR_THIS_PYTHON}, 3.{minor}", command)
    wheels = sorted(WHEELS.glob(f"tensorrt_cu12_bindings-{version}-cp3{minor}-*.whl"))
    fetch = f"{sys.executable} -m pip download --no-deps --dest {WHEELS} {name.replace(' ', '==')} brings it"
    return wheels[0] if wheels else leave_out(f"no wheel of {name} here", fetch)


class Bindings:
    """One version, unpacked into a folder of its own."""

    def __init__(self, version: str, folder: Path) -> None:
        self._nm, self._gcc = program("nm", fix=COMPILER), program("gcc", "cc", fix=COMPILER)
        zipfile.ZipFile(wheel_of(version)).extractall(folder)
        self.version, self.folder = version, folder
        alias = folder / "tensorrt"
        alias.mkdir()
        (alias / "__init__.py").write_text(
            "import sys\nimport tensorrt_bindings\nsys.modules[__name__] = tensorrt_bindings\n"
        )
        self._make_libraries(folder / "tensorrt_bindings" / "tensorrt.so")

    def run(self, *arguments: str) -> str:
        """Run Python in a process of its own that imports this version; its standard output."""
        environment = os.environ | {
            "LD_LIBRARY_PATH": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)]),
        }
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stubs(self, folder: Path) -> Path:
        """A folder with type stubs of this version, as the package `tensorrt`."""
        command = "import sys; from mypy.stubgen import main; main(sys.argv[1:])"
        self.run("-c", command, "-p", "tensorrt_bindings.tensorrt", "--inspect-mode", "-o", str(folder / "generated"))
        text = (folder / "generated" / "tensorrt_bindings" / "tensorrt.pyi").read_text(encoding="utf-8")
        (folder / "tensorrt").mkdir()
        text = _DEFAULT_BEFORE_NONE.sub(lambda line: line[0].replace(" = ...", ""), text)
        text = text.replace("\nbool: DataType\n", "\n")  # it would hide what every method returns
        # A buffer, as C code sees it.
        buffer = "class IHostMemory:\n    def __buffer__(self, flags: int) -> memoryview: ...\n"
        text = text.replace("class IHostMemory:\n", buffer)
        head = "from typing_extensions import Buffer as buffer\n__version__: str\n"  # as 10.4's signatures call it
        (folder / "tensorrt" / "__init__.pyi").write_text(head + text, encoding="utf-8")
        return folder

    def _make_libraries(self, bindings: Path) -> None:
        symbols = subprocess.run(
            [self._nm, "-D", "--undefined-only", str(bindings)], capture_output=True, text=True, check=True
        ).stdout
        functions = _FUNCTION.findall(symbols)
        source = self.folder / "stubs.c"
        source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in functions))
        major = self.version.partition(".")[0]
        for library in _LIBRARIES:
            name = f"lib{library}.so.{major}"
            subprocess.run(
                [self._gcc, "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", str(self.folder / name), str(source)],
                check=True,
            )
