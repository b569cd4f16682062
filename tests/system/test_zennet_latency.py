"""`zennet-latency` as it is installed, in a folder that has packages by our names."""

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("system", "models", "exporters", "devices", "bench", "reports")
TINY = "zennet:SuperConvK3BNRELU(3,8,4,1)@32"


@pytest.fixture
def zennet_latency(tmp_path):
    """Runs the command as its installed script does; the exit code, stdout and stderr."""
    module, _, function = PROJECT["project"]["scripts"]["zennet-latency"].partition(":")
    script = tmp_path / "bin" / "zennet-latency"
    script.parent.mkdir()
    script.write_text(
        f"import sys\nfrom {module} import {function}\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    folder = tmp_path / "folder"
    for package in (*ROOMS, "numpy", "timm"):  # child processes import the last two before anything of ours
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text("raise SystemExit('this is the package of another project')\n")

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(script), *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def test_it_says_its_version_and_its_commands(zennet_latency):
    assert zennet_latency("--version") == (0, f"zennet-latency {importlib.metadata.version('zennet-latency')}\n", "")
    code, stdout, _ = zennet_latency("--help")
    assert code == 0
    assert stdout.startswith("usage: zennet-latency ")
    assert (code, stdout, "") == zennet_latency()
    for name in ("models", "export", "devices", "bench", "report", "compare"):
        assert f"\n  {name} " in stdout


def test_help_and_version_import_no_room():
    code = "import sys; sys.argv = ['zennet-latency', sys.argv[1]]; from system.zennet_latency import main\n"
    code += "try: main()\nexcept SystemExit: print(*sorted(m for m in sys.modules), file=sys.stderr)"
    for flag in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", code, flag], cwd=ROOT, capture_output=True, text=True, check=True)
        assert not {*ROOMS[1:], "msgspec", "argparse", "numpy", "torch"} & set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "usage"),
    [
        (["models"], "zennet-latency models"),
        (["models", "classify"], "zennet-latency models classify"),
        (["export"], "zennet-latency export"),
        (["devices"], "zennet-latency devices"),
        (["bench"], "zennet-latency bench"),
        (["report"], "zennet-latency report"),
        (["compare"], "zennet-latency compare"),
    ],
)
def test_each_command_is_called_what_was_typed(zennet_latency, arguments, usage):
    code, stdout, _ = zennet_latency(*arguments, "--help")
    assert code == 0
    assert stdout.startswith(f"usage: {usage} [-h]")
    assert "python -m" not in stdout


@pytest.mark.parametrize(
    "modules", ["models", "models classify", "exporters", "devices", "bench", "reports", "reports render"]
)
def test_in_a_checkout_it_is_called_python_m(modules):
    command = [sys.executable, "-m", *modules.split(), "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: python -m {modules} [-h]")


def test_an_unknown_command_is_one_error_with_near_names(zennet_latency):
    assert zennet_latency("bnch") == (1, "", "error: no such command: 'bnch'; did you mean bench?\n")
    code, _, stderr = zennet_latency("*")
    assert (code, stderr.count("\n")) == (1, 1)


def test_the_whole_pipeline_runs_beside_packages_of_the_same_names(zennet_latency, tmp_path):
    for line in (["bench", "fake", "--model", "EfficientNet-B3"], ["report"], ["models", TINY], ["devices", "fake"]):
        code, stdout, stderr = zennet_latency(*line)
        assert code == 0, stderr
        assert stdout
    assert (tmp_path / "folder" / "out" / "report.html").exists()


def test_its_child_processes_export_and_measure_with_our_packages(zennet_latency):
    code, stdout, stderr = zennet_latency("bench", "cpu", "--model", TINY, "--budget", "1")
    assert code == 0, stdout + stderr
    assert "another project" not in stdout + stderr
    assert TINY in stdout


def test_every_package_tells_type_checkers_that_it_is_typed():
    assert PROJECT["tool"]["setuptools"]["package-data"]["*"] == ["py.typed"]
    for room in ROOMS:
        assert (ROOT / room / "py.typed").exists()
