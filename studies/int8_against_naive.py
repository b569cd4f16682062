"""The INT8 files of this suite and of a plain `quantize_static` call: Q/DQ nodes and latency.

python -m studies.int8_against_naive '*flops400M*' '*latency01ms*' EfficientNet-B3

How far they lie from FP32, with trained weights, is in `studies.int8_calibration`.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime
from onnxruntime.quantization import quantize_static

from exporters.artifact import Job
from exporters.cache import Cache
from exporters.int8.calibration import calibration_images
from exporters.int8.ranges import Feed
from exporters.onnx_run import INPUT
from models.images import synthetic_images
from models.model import Model
from models.zoo import find
from system.command_line import print_table, run
from system.machine import usable_cores

_CALIBRATED = 32  # images; every variant is calibrated on the same ones


def main() -> int:
    """Compare each network; exit 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="+")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument(
        "--passes", type=int, default=60, help="timed runs of each variant; a pass runs each of them once"
    )
    arguments = parser.parse_args()
    rows = []
    for pattern in arguments.model:
        for model in find(pattern):
            with tempfile.TemporaryDirectory() as folder:
                rows += _compare(model, Cache(arguments.artifacts), Path(folder), arguments.passes)
    print_table(["network", "variant", "Q/DQ left", "float conv", "ms", "fastest"], rows)
    return 0


def _compare(model: Model, cache: Cache, folder: Path, passes: int) -> list[list[str]]:
    fp32 = Job(model=model, format="onnx", precision="fp32")
    variants = {"FP32": Path(cache.obtain(fp32).path)}
    source, naive = folder / "source.onnx", folder / "naive.onnx"
    source.write_bytes(variants["FP32"].read_bytes())  # quantize_static writes beside its source
    quantize_static(str(source), str(naive), Feed(calibration_images(fp32, _CALIBRATED)))
    variants["naive"] = naive
    for precision in ("int8-cpu", "int8"):
        variants[precision] = Path(cache.obtain(Job(model=model, format="onnx_int8", precision=precision)).path)
    seconds, nodes = _time(variants, folder, model, passes)
    return [
        [
            model.name,
            name,
            str(nodes[name]["QuantizeLinear"] + nodes[name]["DequantizeLinear"]),
            str(nodes[name]["Conv"] + nodes[name]["FusedConv"]),
            f"{1e3 * statistics.median(seconds[name]):.2f}",
            f"{1e3 * min(seconds[name]):.2f}",
        ]
        for name in variants
    ]


def _time(
    variants: dict[str, Path], folder: Path, model: Model, passes: int
) -> tuple[dict[str, list[float]], dict[str, Counter[str]]]:
    sessions, nodes = {}, {}
    for name, path in variants.items():
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = usable_cores()
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.optimized_model_filepath = str(folder / "optimized.onnx")
        sessions[name] = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        nodes[name] = Counter(node.op_type for node in onnx.load(folder / "optimized.onnx").graph.node)
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    image = {INPUT: synthetic_images(1, model.resolution_px)}
    for timed in range(-3, passes):
        for name, session in sessions.items():
            start_s = time.perf_counter()
            session.run(None, image)
            if timed >= 0:
                seconds[name].append(time.perf_counter() - start_s)
    return seconds, nodes


if __name__ == "__main__":
    run(main)
