"""What a machine measures for the gallery: the published networks on every target of its own processor, and more.

Beside the twelve networks, whose weights are seeded, each target runs EfficientNet-Lite0 with trained weights, integer
files calibrated on photographs, and says on how many other photographs the file that was timed answers as torch does.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from devices.runtime import absence_of
from devices.targets import find_targets
from studies import lite0
from studies.photograph_crops import halves, write_crops
from system.errors import UserError
from tools.gallery.contribution import ROOT

# Of this machine's own processor. ExecuTorch, Core ML and QNN are asked for by name: they need more than
# `make gallery` installs.
TARGETS = ("cpu", "cpu-torch", "cpu-int8", "cpu-tflite", "cpu-tflite-int8", "openvino", "openvino-int8")
PROFILED = ("zennet_imagenet1k_flops400M_SE_res224", "EfficientNet-B3")
# Four times the protocol's: intervals are about half of what they are, and a busy host's are usable more often.
BUDGET_S = 300
_CROPS = 20  # of each photograph: four photographs calibrate, four others are evaluated


def measure(results: Path, targets: Sequence[str], further: Sequence[str]) -> None:
    """Fill a results folder; `further` are options of the sweeps.

    Raises UserError where a target can't run here, or a measurement is interrupted.
    """
    for target in (found for name in targets for found in find_targets(name)):
        if absence := absence_of(target):
            raise UserError(f"target {target.name} can't run here", found=absence, fix="name others with --target")
    for command in _commands(results, targets, further):
        print(f"python -m {' '.join(command)}", file=sys.stderr, flush=True)
        code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode
        if code == 1:  # a network without a number has a record with the reason, which the pages show
            print(f"warning: python -m {command[0]} ended with exit 1: see above", file=sys.stderr, flush=True)
        elif code:
            raise UserError(f"python -m {command[0]} was ended", found=f"exit {code}", fix="run it again")


def _commands(results: Path, targets: Sequence[str], further: Sequence[str]) -> Iterator[list[str]]:
    kept = ["--results", str(results)]
    # Of two budgets the last one counts, so `further` may give another.
    yield ["bench", *targets, *kept, "--budget", str(BUDGET_S), *further]
    trained, crops = results / "lite0.pth", {name: results / name for name in ("calibration", "photographs")}
    if not trained.exists():
        lite0.write_checkpoint(trained)
    for folder, half in zip(crops.values(), halves(), strict=True):
        if not folder.exists():
            write_crops(half, folder, each=_CROPS, seed=1)
    network = ["--model", lite0.NAME, "--weights", str(trained), "--calibration", str(crops["calibration"])]
    yield ["bench", *targets, *network, *kept, *further]
    yield ["bench", *targets, *network, *kept, "--accuracy", str(crops["photographs"])]
    for profiled in PROFILED:
        yield ["bench", targets[0], "--profile", profiled, *kept]
    yield ["devices.host.probe", *kept]
