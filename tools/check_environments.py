"""Whether the tests pass in the versions that other environments than the CPU's pin, as far as these run on a CPU.

    python3 tools/check_environments.py               # what .ci/release runs: each environment, but another torch
    python3 tools/check_environments.py v100 --torch  # one, with its torch and 6.9 GB of CUDA libraries that it needs
    python3 tools/check_environments.py --list        # what would be installed over the CPU's environment

What an environment pins otherwise than .venv does is installed, from the package index alone, into an environment that
has .venv's packages behind its own, and is removed again. `make test` makes .venv.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"

# What NVIDIA's versions decide: exports and their checks, sessions, and what is told to the GPU's libraries.
_NVIDIA = (
    "tests/exporters/test_to_onnx.py",
    "tests/exporters/test_to_onnx_int8.py",
    "tests/devices/nvidia",
    "tests/devices/runtimes/test_torch_cuda.py",
    "tests/devices/test_sessions.py",
)
# Pytest's arguments by environment.
ENVIRONMENTS = {
    "v100": _NVIDIA,
    "t4": _NVIDIA,
    "executorch": ("tests/devices/runtimes/test_executorch.py", "-m", "executorch"),
}
_TORCH = ("torch", "torchvision")
_NEED_A_GPU = re.compile(r"tensorrt|nvidia-ml-py")


def differing(environment: str, *, torch: bool) -> list[str]:
    """What an environment pins otherwise than the CPU's, as requirements that a machine without a GPU can install."""
    cpu = _pins("cpu")
    pins = {name.removesuffix("-gpu"): version for name, version in _pins(environment).items()}
    wanted = {name: version.partition("+")[0] for name, version in pins.items() if not _NEED_A_GPU.match(name)}
    if not torch:
        wanted = {name: version for name, version in wanted.items() if name not in _TORCH}
    return [f"{name}=={version}" for name, version in wanted.items() if version != cpu.get(name)]


def _pins(environment: str) -> dict[str, str]:
    text = (ROOT / "constraints" / f"{environment}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"(?m)^([\w-]+)==([\w.+]+)", text))


def passes(environment: str, requirements: list[str]) -> bool:
    """Whether the tests pass with what an environment pins; says how long it took."""
    folder, begun = ROOT / f".venv-check-{environment}", time.monotonic()
    print(f"\n{environment}: {', '.join(requirements)}", flush=True)
    # What belongs to .venv, such as the wheels of TensorRT's bindings, may be missing here.
    variables = os.environ | {"ZENNET_REQUIRE_ALL_TESTS": "0"}
    try:
        python = _install(requirements, folder)
        installed_s = time.monotonic() - begun
        tests = [str(python), "-m", "pytest", *ENVIRONMENTS[environment]]
        passed = subprocess.run(tests, cwd=ROOT, env=variables, check=False).returncode == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took_s = time.monotonic() - begun
    outcome = "pass" if passed else "FAIL"
    print(f"{environment}: the tests {outcome}, in {took_s:.0f} s, {installed_s:.0f} of them to install", flush=True)
    return passed


def _install(requirements: list[str], folder: Path) -> Path:
    """The Python of an environment with these in front of what .venv has."""
    subprocess.run([PYTHON, "-m", "venv", "--clear", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (behind,) = PYTHON.parents[1].glob("lib/python*/site-packages")
    (packages / "behind.pth").write_text(f"{behind}\n", encoding="utf-8")
    python = folder / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements], check=True
    )
    return python


def main() -> int:
    """Check; exit 1 where tests fail."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment", type=_known, nargs="*", default=list(ENVIRONMENTS), help="all unless given")
    parser.add_argument("--torch", action="store_true", help="its torch too, where it pins another")
    parser.add_argument("--list", action="store_true", help="print what would be installed")
    arguments = parser.parse_args()
    wanted = {name: differing(name, torch=arguments.torch) for name in arguments.environment}
    if arguments.list:
        for name, requirements in wanted.items():
            print(f"{name}: {', '.join(requirements)}", flush=True)
        return 0
    good = [passes(name, requirements) for name, requirements in wanted.items()]
    return 0 if all(good) else 1


def _known(name: str) -> str:
    if name not in ENVIRONMENTS:
        raise argparse.ArgumentTypeError(f"expected {', '.join(ENVIRONMENTS)}, found {name!r}")
    return name


if __name__ == "__main__":
    sys.exit(main())
