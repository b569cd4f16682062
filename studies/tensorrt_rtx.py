"""What TensorRT for RTX makes of this suite's networks: time, bytes and warnings of each plan, without a GPU.

python -m studies.tensorrt_rtx                                   # every network, for 7.5 and 8.6
python -m studies.tensorrt_rtx '*flops400M*' --precision int8-fp16 --capability 8.6
python -m studies.tensorrt_rtx EfficientNet-B3 --layers          # each of its convolutions built alone, by kind
python -m studies.tensorrt_rtx --check                           # exit 1 where a plan is refused, or too large

The files that are built have the nodes and weights of the exporters' files; their ranges are all 1 and their logits are
not checked, since neither matters to what is built.
"""

import argparse
import functools
import itertools
import multiprocessing
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from exporters import to_tensorrt_rtx
from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.prepared import prepare
from exporters.int8.tensorrt import insert_pairs
from exporters.to_onnx import fix_batch, halve
from models.groups import DEFAULT
from models.model import Model
from models.zoo import find_all
from studies.tensorrt_rtx_layers import convolutions
from system.command_line import print_table, run
from system.errors import UserError
from system.machine import usable_cores

_BATCH = 64
# How many times its ONNX file a plan may be. Beside the weights it holds kernels, 0.1 to 0.5 MB for each kind of layer,
# which are most of it in the smallest networks; for 7.5 the weights of depthwise convolutions are eightfold too.
_LARGEST = {"7.5": 5.0}
_LARGEST_ELSEWHERE = 2.0
# What the builder says of scales in FP16. Any other warning may be of a pair that it doesn't take as one.
_HARMLESS = ("Converting conv activation scales to fp32.", "Converting conv weight scales to fp32.")


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """One plan; `refused` is the reason where there is none. Its time is the processor's, over all cores."""

    cpu_s: float = 0.0
    bytes: int = 0
    warnings: list[str] = []
    refused: str = ""


def main() -> int:
    """Build, a network on each core at a time; with --check exit 1 where a plan is refused or larger than the limit."""
    arguments = _parser().parse_args()
    models = find_all(arguments.model)
    # The largest, which are the last published, first: one that began last would end after all others.
    with ProcessPoolExecutor(usable_cores(), multiprocessing.get_context("spawn")) as pool:
        studied = list(pool.map(functools.partial(study, arguments=arguments), models[::-1]))[::-1]
    rows = [row for network in studied for row, _ in network]
    faults = [fault for network in studied for _, found in network for fault in found]
    print_table(["network", "precision", "for", "part", "ONNX, MB", "plan, MB", "of ONNX", "CPU s", "warnings"], rows)
    for fault in faults if arguments.check else ():
        print(f"error: {fault}", file=sys.stderr)
    return 1 if arguments.check and faults else 0


def study(model: Model, arguments: argparse.Namespace) -> list[tuple[list[str], list[str]]]:
    """A row for each plan of a network, or for all plans of a kind of layer, and what is wrong with them."""
    found = []
    for precision in arguments.precision:
        with tempfile.TemporaryDirectory() as folder:
            path = network_file(model, precision, Cache(arguments.artifacts), Path(folder))
            parts = convolutions(path, Path(folder)) if arguments.layers else {"whole": [path]}
            for capability, (part, files) in itertools.product(arguments.capability, parts.items()):
                built = [build(file, capability, arguments.width) for file in files]
                wrong = filter(None, (_fault(each, capability, path) for each in built))
                faults = [f"{model.name} {precision} for {capability}: {fault}" for fault in wrong]
                found.append((_row(model, precision, capability, part, path, built), faults))
                print(*found[-1][0], sep="  ", file=sys.stderr, flush=True)
    return found


def network_file(model: Model, precision: str, cache: Cache, folder: Path) -> Path:
    """The ONNX file of a network at batch 64, in FP16 or in a precision of to_onnx_int8, its ranges all 1."""
    fp32 = Path(cache.obtain(Job(model=model, format="onnx", precision="fp32")).path)
    prepared, made, fixed = (folder / name for name in ("prepared.onnx", "made.onnx", "network.onnx"))
    if precision == "fp16":
        halve(fp32, made)
    else:
        prepare(fp32, prepared)
        insert_pairs(precision, prepared, made, defaultdict(lambda: 1.0))
    fix_batch(made, fixed, _BATCH)
    return fixed


def build(onnx_file: Path, capability: str, width: int) -> Built:
    """One plan for a compute capability, its bytes counted and forgotten."""
    begun = time.process_time()
    try:
        plan, warnings = to_tensorrt_rtx.build(onnx_file, (capability,), width=width)
    except UserError as error:
        return Built(refused=str(error))
    return Built(cpu_s=time.process_time() - begun, bytes=memoryview(plan).nbytes, warnings=warnings)


def _fault(built: Built, capability: str, onnx_file: Path) -> str:
    most = _LARGEST.get(capability, _LARGEST_ELSEWHERE)
    times = built.bytes / onnx_file.stat().st_size
    if built.refused or times > most:
        return built.refused or f"a plan {times:.1f} times its ONNX file, more than {most:g}"
    return next((warning for warning in built.warnings if not warning.endswith(_HARMLESS)), "")


def _row(model: Model, precision: str, capability: str, part: str, path: Path, built: list[Built]) -> list[str]:
    onnx_bytes, plan_bytes = path.stat().st_size, sum(each.bytes for each in built)
    said = dict.fromkeys(each.strip() for plan in built for each in ([plan.refused] if plan.refused else plan.warnings))
    return [
        model.name,
        precision,
        capability,
        part if len(built) == 1 else f"{len(built)} {part}",
        f"{onnx_bytes / 1e6:.1f}",
        f"{plan_bytes / 1e6:.1f}",
        f"{plan_bytes / onnx_bytes:.2f}",
        f"{sum(each.cpu_s for each in built):.1f}",
        "; ".join(said),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="*", default=[DEFAULT])
    parser.add_argument("--precision", nargs="+", default=["fp16", "int8-fp16-dense"])
    parser.add_argument("--capability", nargs="+", default=["7.5", "8.6"])
    parser.add_argument("--width", type=int, default=8, help="channels of a depthwise group for 7.5; 1 is depthwise")
    parser.add_argument("--layers", action="store_true", help="build each convolution alone, and add up by kind")
    parser.add_argument("--check", action="store_true", help="exit 1 where a plan is refused, or too large")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    return parser


if __name__ == "__main__":
    run(main)
