"""The fake phone's `benchmark_model`: runs the file through LiteRT on this machine and prints the official lines.

Of either family: LiteRT's has other flags, and sums up in milliseconds with two decimals.
"""

import contextlib
import os
import signal
import statistics
import sys
import time
from pathlib import Path

FAMILY = "tflite"
KNOWN = {
    "graph": "", "num_threads": "-1", "num_runs": "50", "min_secs": "1", "max_secs": "150", "warmup_runs": "1",
    "warmup_min_secs": "0.5", "use_gpu": "false", "require_full_delegation": "false",
}  # fmt: skip
KNOWN |= (
    {
        "use_xnnpack": "false",
        "gpu_precision_loss_allowed": "true",
        "enable_op_profiling": "false",
        "input_layer": "",
        "input_layer_shape": "",
        "input_layer_value_files": "",
        "output_filepath": "",
    }
    if FAMILY == "tflite"
    else {"use_cpu": "true", "use_npu": "false", "allow_fp16": "false"}
)


def main():
    if "--help" in sys.argv:
        print("usage: benchmark_model <flags>\nFlags:")
        for name, default in KNOWN.items():
            print(f"\t--{name}={default}\tflag")
        return 0
    given = dict(argument.removeprefix("--").split("=", 1) for argument in sys.argv[1:])
    fault = os.environ.get("FAKE_FAULT", "")
    unknown = [f"--{name}={value}" for name, value in given.items() if name not in KNOWN]
    if fault == "unconsumed":
        unknown.append("--use_xnnpack=true")
    if unknown:
        print("WARN: Unconsumed cmdline flags:", " ".join(unknown))
    options = KNOWN | given
    print("INFO: STARTING!", flush=True)
    if fault == "crash":
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "garbage":
        sys.stdout.buffer.write(b"\xff\xfe count=nonsense \x00\x01 avg=1e\n" * 20)
        return 0
    if fault == "hang":
        time.sleep(60)
    return benchmark(options, fault)


def benchmark(options, fault):
    from ai_edge_litert.interpreter import Interpreter

    start = time.perf_counter()
    try:
        interpreter = Interpreter(options["graph"], num_threads=int(options["num_threads"]))
    except ValueError:
        print("ERROR: Failed to load model", options["graph"], file=sys.stderr)
        return 1
    interpreter.allocate_tensors()
    print("INFO: Loaded model", options["graph"])
    if FAMILY == "litert":
        return benchmark_litert(interpreter, options, fault, init_s=time.perf_counter() - start)
    name = "GPU" if options["use_gpu"] == "true" else "XNNPACK"
    applied = f"INFO: Explicitly applied {name} delegate, and the model graph will be"
    if fault == "decline":
        applied = f"INFO: Though {name} delegate is explicitly applied, the model graph will not be"
    share = {"decline": "", "partial": "partially "}.get(fault, "completely ")
    kernels = " w/ 3 delegate kernels" if fault == "partial" else ""
    print(f"{applied} {share}executed by the delegate{kernels}.")
    print(f"INFO: The input model file size (MB): {Path(options['graph']).stat().st_size / 1e6:g}")
    fill(interpreter, options)
    init_us = (time.perf_counter() - start) * 1e6
    print(f"INFO: Initialized session in {init_us / 1e3:g}ms.")
    maximum = float(options["max_secs"])
    warm = block(interpreter, int(options["warmup_runs"]), warmup_s(options), maximum)
    measured = block(interpreter, int(options["num_runs"]), float(options["min_secs"]), maximum)
    first, average = (warm[0], statistics.fmean(warm)) if warm else (0, 0)
    print(
        f"INFO: Inference timings in us: Init: {init_us:.0f}, First inference: {first}, "
        f"Warmup (avg): {average:.6g}, Inference (avg): {statistics.fmean(measured):.6g}"
    )
    if options["enable_op_profiling"] == "true":
        op_profile(options["graph"], statistics.fmean(measured) / 1e3)
    if options["output_filepath"]:
        save(interpreter, Path(options["output_filepath"]), fault)
    heat(fault)
    return 0


def fill(interpreter, options):
    """Put raw values into the only input, whatever it is called; without a file they are random, here zeros."""
    if not options["input_layer_value_files"]:
        return
    import numpy as np

    (given,) = interpreter.get_input_details()
    layer, _, path = options["input_layer_value_files"].partition(":")
    shape = [int(size) for size in options["input_layer_shape"].split(",")]
    values = interpreter.get_tensor(given["index"])
    if layer != options["input_layer"] or len(shape) != values.ndim:
        print("ERROR: Cannot find the corresponding input_layer name", file=sys.stderr)
        os.abort()
    if not Path(path).exists() or Path(path).stat().st_size != values.nbytes:
        print(f"ERROR: The size of {path} should be {values.nbytes} bytes.", file=sys.stderr)
        os.abort()
    if layer != given["name"]:
        print(f"WARN: Tensor # {given['index']} is named {given['name']} but flags call it {layer}")
    interpreter.set_tensor(given["index"], np.fromfile(path, values.dtype).reshape(shape))


def save(interpreter, path, fault):
    """Write the only output's raw values; as the real one does, without a word where there is no room."""
    (produced,) = interpreter.get_output_details()
    values = interpreter.get_tensor(produced["index"]).tobytes()
    if fault != "unkept":
        path.write_bytes(values[: len(values) // 2] if fault == "cut" else values)


def benchmark_litert(interpreter, options, fault, *, init_s):
    if fault == "partial" and options["require_full_delegation"] == "true":
        print("ERROR: The model is not fully accelerated", file=sys.stderr)
        return 1
    maximum = float(options["max_secs"])
    with contextlib.redirect_stdout(None):  # this family prints no count lines
        warm = block(interpreter, int(options["warmup_runs"]), warmup_s(options), maximum)
        measured = block(interpreter, int(options["num_runs"]), float(options["min_secs"]), maximum)
    print("INFO: [benchmark_litert_model.h:57]\n========== BENCHMARK RESULTS ==========")
    print(f"INFO: [benchmark_litert_model.h:58] Model initialization: {init_s * 1e3:.2f} ms")
    if warm:
        print(f"INFO: [benchmark_litert_model.h:59] Warmup (first):       {warm[0] / 1e3:.2f} ms")
        print(
            f"INFO: [benchmark_litert_model.h:61] Warmup (avg):         {statistics.fmean(warm) / 1e3:.2f} ms "
            f"({len(warm)} runs)"
        )
    average = f"{statistics.fmean(measured) / 1e3:.2f} ms ({len(measured)} runs)"
    print("INFO: [benchmark_litert_model.h:63] Inference (avg):     ", average)
    print(f"INFO: [benchmark_litert_model.h:67] Inference (min):      {min(measured) / 1e3:.2f} ms")
    print(f"INFO: [benchmark_litert_model.h:69] Inference (max):      {max(measured) / 1e3:.2f} ms")
    print(f"INFO: [benchmark_litert_model.h:71] Inference (std):      {statistics.pstdev(measured) / 1e3:.2f}")
    print("INFO: [benchmark_litert_model.h:99] ======================================")
    heat(fault)
    return 0


def heat(fault):
    """What a run may do to the phone: its big cores are capped, Android tells of severe heat, its screen goes off."""
    root = Path(os.environ["ROOT"])
    if fault == "throttle":
        for core in range(4, 8):
            (root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_max_freq").write_text("1804800\n")
    if fault == "screen_off":
        (root / "dumpsys/power").write_text("  mWakefulness=Dozing\n")
    if fault == "overheat":
        (root / "dumpsys/thermalservice").write_text("IsStatusOverride: false\nThermal Status: 3\nHAL Ready: true\n")


def warmup_s(options):
    """A tenth of what is asked for: tiny networks are warm then, and a hundred tests run this program."""
    return float(options["warmup_min_secs"]) / 10


def block(interpreter, runs, min_s, max_s):
    print(
        f"INFO: Running benchmark for at least {runs} iterations and at least {min_s:g} seconds but terminate if "
        f"exceeding {max_s:g} seconds."
    )
    times, begin = [], time.perf_counter()
    while (len(times) < runs or time.perf_counter() - begin < min_s) and time.perf_counter() - begin <= max_s:
        start = time.perf_counter()
        interpreter.invoke()
        if FAMILY == "litert":
            time.sleep(1e-3)  # or two decimals of a millisecond would say nothing of a tiny network
        times.append(max(1, round((time.perf_counter() - start) * 1e6)))
    print("INFO:", line(times) + "\n", flush=True)
    return times


def op_profile(graph, total_ms):
    """The file's true operators and tensors; LiteRT tells no times here, so each takes the same share.

    A tiny network's would be rounded to nothing on a fast machine.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(graph, experimental_op_resolver_type=resolver)
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    operators = interpreter._get_ops_details()
    head = "[node type] [first] [avg ms] [%] [cdf%] [mem KB] [times called] [Name]".replace(" [", "\t[")
    print("INFO: Operator-wise Profiling Info for Regular Benchmark Runs:")
    print("=" * 30, "Run Order", "=" * 30)
    print(f"\t{head}")
    for at, operator in enumerate(operators):
        ms = max(0.001, total_ms / len(operators))
        name = names[int(operator["outputs"][0])]
        print(f"\t{operator['op_name']:>24}\t{ms:.3f}\t{ms:.3f}\t1.000%\t1.000%\t0.000\t1\t[{name}]:{at}")
    print()


def line(times):
    if not times:
        return "count=0"
    ordered = sorted(times)
    low, middle, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.05, 0.5, 0.95))
    percentiles = f"p5={low} median={middle} p95={high}"
    if len(times) == 1:
        return f"count=1 curr={times[0]} {percentiles}"
    if ordered[0] == ordered[-1]:
        return f"count={len(times)} curr={times[0]}(all same) {percentiles}"
    return (
        f"count={len(times)} first={times[0]} curr={times[-1]} min={ordered[0]} max={ordered[-1]} "
        f"avg={statistics.fmean(times):.6g} std={statistics.pstdev(times):.0f} {percentiles}"
    )


if __name__ == "__main__":
    sys.exit(main())
