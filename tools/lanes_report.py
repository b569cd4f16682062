"""One file that says how a target does on its hardware: the marked tests, a short sweep, records, versions and logs.

make lanes-report TARGET=t4                  # needs the hardware; python -m tools.lanes_report t4
make lanes-report TARGET=pixel2 ARGS='--device SERIAL'

Nothing in it is personal: no host name, no user name, no serial number.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from bench.options import add_options, with_options
from devices.host.provenance import suite_version
from devices.phone.adb import connect
from devices.runtime import absence_of
from devices.targets import Target, find_targets
from system.command_line import run
from system.errors import UserError
from tools.impersonal import impersonal, impersonal_json, personal_names
from tools.lane_hardware import hardware_text, marker_of, serials_of

ROOT = Path(__file__).parents[1]
TARGET = "ZENNET_LANE"  # the target as JSON, for the marked tests
_MODELS = ("*flops400M*", "*latency01ms*", "EfficientNet-B3")
_BUDGET_S = 60
_LONGEST_S = 3600.0


def main() -> int:
    """Write the file; exit 0 whatever it reports."""
    arguments, of_bench = _parser().parse_known_args()
    target = _target(arguments)
    if absence := absence_of(target):
        raise UserError(
            f"no lanes report of {target.name} from here", found=absence, fix="run it where the hardware is"
        )
    target = _of_one_phone(target, arguments)
    names = personal_names(serials_of(target)) | {str(ROOT): "REPOSITORY"}
    with tempfile.TemporaryDirectory() as folder:
        names[folder] = "FOLDER"
        files, steps = _collect(target, arguments, [*_options(arguments), *of_bench], Path(folder))
    summary = {
        "target": msgspec.to_builtins(target),
        "suite": suite_version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "steps": steps,
    }
    files["summary.json"] = json.dumps(summary, indent=2)
    out = arguments.out or Path(f"lanes-report-{target.name}.zip")
    _pack(files, names, out)
    told = ", ".join(f"{name} {'passed' if step['code'] == 0 else 'failed'}" for name, step in steps.items())
    print(f"{told}; send back {out} ({out.stat().st_size / 1e3:.0f} kB)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.lanes_report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", help="name in devices/targets.toml; further options go to python -m bench")
    parser.add_argument("--out", type=Path, help="the file (default: lanes-report-TARGET.zip)")
    parser.add_argument("--tests", default="tests", help="which tests are looked through (default: %(default)s)")
    parser.add_argument("--targets", type=Path, metavar="FILE", help="a TOML file of more targets")
    add_options(parser)
    return parser


def _target(arguments: argparse.Namespace) -> Target:
    targets = find_targets(arguments.target, arguments.targets)
    if len(targets) > 1:
        found = ", ".join(target.name for target in targets)
        raise UserError("a lanes report is of one target", found=found, fix="name one")
    return with_options(targets[0], arguments)


def _of_one_phone(target: Target, arguments: argparse.Namespace) -> Target:
    """The target with its phone named, so that every step is of that one, whose serial the report must not hold."""
    if marker_of(target) != "phone":
        return target
    arguments.device = connect(target).phone.serial
    return with_options(target, arguments)


def _options(arguments: argparse.Namespace) -> list[str]:
    """The options that were read here, as python -m bench reads them."""
    flags = {"--device": "device", "--benchmark-model": "benchmark_model", "-H": "adb_host", "-P": "adb_port"}
    given = [(flag, getattr(arguments, name)) for flag, name in {**flags, "--targets": "targets"}.items()]
    given += [("--option", option) for option in arguments.option]
    return [part for flag, value in given if value is not None for part in (flag, str(value))]


def _collect(
    target: Target, arguments: argparse.Namespace, options: list[str], folder: Path
) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """The files of the report by name, and of each step its exit code and seconds."""
    bench = ["bench", target.name, "--results", str(folder / "results"), *options]
    if "--model" not in options:
        bench += [part for model in _MODELS for part in ("--model", model)]
    if "--budget" not in options:
        bench += ["--budget", str(_BUDGET_S)]
    commands = {"sweep": bench}
    if marker := marker_of(target):
        commands = {"tests": ["pytest", "-n", "0", "-m", marker, "-p", "no:cacheprovider", arguments.tests]} | commands
    environment = os.environ | {TARGET: msgspec.json.encode(target).decode()}
    files, steps = {"hardware.txt": hardware_text(target), "versions.txt": _versions()}, {}
    for name, command in commands.items():
        print(f"{name}: python -m {' '.join(command)}", file=sys.stderr)
        files[f"{name}.txt"], steps[name] = _run(command, environment)
    for file in sorted((folder / "results").glob("*.jsonl")):
        files[file.name] = file.read_text(encoding="utf-8")
    return files, steps


def _run(command: list[str], environment: dict[str, str]) -> tuple[str, dict[str, float]]:
    begun_s = time.monotonic()
    with tempfile.TemporaryFile() as output:
        try:
            code = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                check=False, timeout=_LONGEST_S,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = 124
        output.seek(0)
        text = output.read().decode(errors="replace")
    return text, {"code": code, "seconds": round(time.monotonic() - begun_s, 1)}


def _versions() -> str:
    found = {str(each.metadata["Name"]): each.version for each in distributions()}
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found, key=str.lower))


def _pack(files: dict[str, str], names: dict[str, str], out: Path) -> None:
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, _cleaned(name, text, names))
    except OSError as error:
        raise UserError(f"can't write {out}", found=error.strerror or str(error), fix="give another --out") from error


def _cleaned(name: str, text: str, names: dict[str, str]) -> str:
    if name.endswith(".json"):
        return impersonal_json(text, names)
    if name.endswith(".jsonl"):
        return "".join(f"{impersonal_json(line, names)}\n" for line in text.splitlines() if line.strip())
    return impersonal(text, names)


if __name__ == "__main__":
    run(main)
