"""The outputs below are written from the formats of the tools' sources; the figures are made up."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.android import parse_benchmark_model
from devices.phone.benchmark_model import command_line, delegation_of, family_of
from devices.phone.options import PhoneOptions
from system.errors import UserError

NEW = """\
INFO: STARTING!
INFO: Log parameter values verbosely: [0]
INFO: Min num runs: [50]
INFO: Graph: [/data/local/tmp/x.tflite]
INFO: Loaded model /data/local/tmp/x.tflite
INFO: Explicitly applied XNNPACK delegate, and the model graph will be completely executed by the delegate.
INFO: The input model file size (MB): 22.9
INFO: Initialized session in 88.1ms.
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=5 first=120001 curr=101000 min=100900 max=120001 avg=105000 std=7000 p5=100900 median=101100 p95=120001

INFO: Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.
INFO: count=50 first=90500 curr=88240 min=88134 max=91635 avg=88536.2 std=613 p5=88168 median=88430 p95=90447

INFO: Inference timings in us: Init: 88100, First inference: 120001, Warmup (avg): 105000, Inference (avg): 88536.2
INFO: Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE.
INFO: Memory footprint delta from the start of the tool (MB): init=6.14844 overall=109.848
"""

OLD = """\
Running benchmark for at least 1 iterations and at least 0.5 seconds
count=1 curr=1241765

Running benchmark for at least 50 iterations and at least 1 seconds
count=50 first=1042635 curr=1042240 min=1042134 max=1052635 avg=1.04354e+06 std=4813

Average inference timings in us: Warmup: 1.24177e+06, Init: 143669, Inference: 1.04354e+06
"""

LITERT = """\
INFO: [benchmark_litert_model.h:57]
========== BENCHMARK RESULTS ==========
INFO: [benchmark_litert_model.h:58] Model initialization: 143.67 ms
INFO: [benchmark_litert_model.h:59] Warmup (first):       72.64 ms
INFO: [benchmark_litert_model.h:61] Warmup (avg):         43.54 ms (12 runs)
INFO: [benchmark_litert_model.h:63] Inference (avg):      42.44 ms (50 runs)
INFO: [benchmark_litert_model.h:67] Inference (min):      42.13 ms
INFO: [benchmark_litert_model.h:69] Inference (max):      49.64 ms
INFO: [benchmark_litert_model.h:71] Inference (std):      1.81
INFO: [benchmark_litert_model.h:80] Throughput:           13.55 MB/s
INFO: [benchmark_litert_model.h:91] Peak memory:          109.80 MB
INFO: [benchmark_litert_model.h:99] ======================================
"""

PROFILE = """\
INFO: Operator-wise Profiling Info for Regular Benchmark Runs:
Timings (microseconds): count=50 first=1 curr=2 min=1 max=2 avg=1.5 std=0
Memory (bytes): count=0
2 nodes observed
"""


def test_a_new_tflite_output_gives_the_measured_block_in_seconds():
    found = parse_benchmark_model(NEW)
    assert found.count == 50
    figures = [found.min_s, found.max_s, found.mean_s, found.std_s, found.p5_s, found.median_s, found.p95_s]
    assert figures == pytest.approx([0.088134, 0.091635, 0.0885362, 613e-6, 0.088168, 0.08843, 0.090447])


def test_an_old_tflite_output_has_no_percentiles_and_exponents():
    found = parse_benchmark_model(OLD)
    assert (found.count, found.p5_s, found.median_s, found.p95_s) == (50, None, None, None)
    assert [found.min_s, found.max_s, found.mean_s] == pytest.approx([1.042134, 1.052635, 1.04354])


def test_a_litert_output_is_in_milliseconds():
    found = parse_benchmark_model(LITERT)
    assert (found.count, found.median_s) == (50, None)
    figures = [found.min_s, found.max_s, found.mean_s, found.std_s]
    assert figures == pytest.approx([0.04213, 0.04964, 0.04244, 0.00181])


def test_a_litert_output_with_count_lines_gives_their_finer_figures():
    assert parse_benchmark_model(NEW + LITERT) == parse_benchmark_model(NEW)


def test_the_percentiles_of_the_python_tool_are_taken():
    text = LITERT + "Inference (median):    42.40 ms\nInference (p5):   42.20 ms\nInference (p95):   45.00 ms\n"
    found = parse_benchmark_model(text)
    assert [found.p5_s, found.median_s, found.p95_s] == pytest.approx([0.0422, 0.0424, 0.045])


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "INFO: ",
        "I tflite  : ",
        "11-24 08:30:38.445  8496  8496 I tflite  : ",
        "I/tflite  ( 8496): ",
        "I/tflite (8496): INFO: ",
    ],
)
def test_any_prefix_gives_the_same(prefix):
    text = "".join(prefix + line.removeprefix("INFO: ") + "\n" for line in NEW.splitlines())
    assert parse_benchmark_model(text) == parse_benchmark_model(NEW)


def test_carriage_returns_and_a_profile_change_nothing():
    assert parse_benchmark_model((NEW + PROFILE).replace("\n", "\r\n")) == parse_benchmark_model(NEW)


@pytest.mark.parametrize(
    "line",
    [
        "count=50 curr=3312000(all same)",
        "count=50 curr=3312000(all same) p5=3312000 median=3312000 p95=3312000",
        "count=1 curr=3312000",
        "count=1 curr=3312000 p5=3312000 median=3312000 p95=3312000",
        "count=2 first=3312000 curr=3312000 min=3312000 max=3312000 avg=3.312e+06 std=0",
    ],
)
def test_every_shape_of_the_line(line):
    found = parse_benchmark_model(f"INFO: count=1 curr=9\nINFO: {line}\n")
    assert [found.min_s, found.mean_s, found.max_s, found.std_s] == pytest.approx([3.312, 3.312, 3.312, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("INFO: STARTING!", "WARN: Unconsumed cmdline flags: --use_xnnpak=true"), "does not know every flag"),
        (
            (
                "INFO: Explicitly applied XNNPACK delegate, and the model graph will be completely",
                "INFO: Though GPU delegate is explicitly applied, the model graph will not be",
            ),
            "delegate declined",
        ),
        (("INFO: STARTING!", "ERROR: Failed to apply GPU delegate."), "delegate declined"),
        (("INFO: STARTING!", "ERROR: Disallowed CPU fallback detected."), "fell back to the CPU"),
        (
            ("STARTING!", "Restored original execution plan after delegate application failure."),
            "fell back to the CPU",
        ),
        (("count=50 first=90500", "count=0 first=90500"), "no inference was counted"),
        (("min=88134", "min=99999"), "contradict"),
        (("avg=88536.2", "avg=1e999"), "contradict"),
        (("std=613", "std=nan"), "no std"),
        (("median=88430", "median=188430"), "contradict"),
    ],
)
def test_what_makes_a_number_worthless_is_an_error(change, message):
    assert change[0] in NEW
    with pytest.raises(UserError, match=message):
        parse_benchmark_model(NEW.replace(*change))


def test_a_warm_up_alone_is_no_measurement():
    cut = NEW[: NEW.index("INFO: Running benchmark for at least 50")]
    with pytest.raises(UserError, match="no measured block"):
        parse_benchmark_model(cut)


@pytest.mark.parametrize(
    ("text", "found"),
    [("", "no output"), ("ERROR: Failed to load model x\nINFO: bye", "Failed to load model x"), ("\x00\xff", "\xff")],
)
def test_an_output_without_a_result_is_quoted(text, found):
    with pytest.raises(UserError, match=found):
        parse_benchmark_model(text)


_PARTS = ["count=", "count=5", " min=1", " max=9", " avg=3e+00", " std=0", " curr=7", "(all same)", " p5=", " median=2"]
_PREFIXES = [
    "INFO: ",
    "\n",
    "\r\n",
    "I tflite  : ",
    "Inference (avg):  ",
    "1.5 ms (3 runs)",
    "nan",
    "1e400",
    "-",
    "9" * 50,
]
_WORDS = st.sampled_from([*_PARTS, *_PREFIXES])


@given(st.one_of(st.text(max_size=300), st.lists(_WORDS, max_size=40).map("".join)))
@example("count=1 curr=1\n" * 2)
def test_any_text_gives_a_result_or_one_error(text):
    try:
        found = parse_benchmark_model(text)
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert found.count > 0
        assert 0 <= found.min_s <= found.max_s < math.inf
        assert found.mean_s > 0


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=60))
def test_what_the_tool_would_print_comes_back(times_us):
    mean = sum(times_us) / len(times_us)
    line = (
        f"count={len(times_us)} first={times_us[0]} curr={times_us[-1]} min={min(times_us)} max={max(times_us)} "
        f"avg={mean:.6g} std=1"
    )
    found = parse_benchmark_model(f"INFO: count=1 curr=1\nINFO: {line}\n")
    figures = [found.count, found.min_s * 1e6, found.max_s * 1e6, found.mean_s * 1e6]
    assert figures == pytest.approx([len(times_us), min(times_us), max(times_us), mean], rel=1e-5)


def test_every_flag_is_of_the_family():
    shape = {"runs": 50, "min_s": 1.0, "max_s": 900.0, "warmup": True}
    tflite = command_line("tflite", "x.tflite", options=PhoneOptions(threads=4), **shape)
    assert {"--num_threads=4", "--use_xnnpack=true", "--use_gpu=false", "--max_secs=900"} <= set(tflite)
    gpu = command_line("tflite", "x.tflite", options=PhoneOptions(delegate="gpu"), **shape)
    assert {"--use_gpu=true", "--use_xnnpack=false", "--require_full_delegation=true"} <= set(gpu)
    litert = command_line("litert", "x.tflite", options=PhoneOptions(), **shape)
    assert "--use_cpu=true" in litert
    assert not any("xnnpack" in flag for flag in litert)


def test_the_family_is_told_by_the_usage():
    assert family_of("--use_xnnpack=false  bool  use xnnpack\n--use_gpu") == "tflite"
    assert family_of("--use_cpu=true bool\n--use_npu=false bool") == "litert"


def test_what_the_delegate_took_is_told():
    assert delegation_of(NEW) == "XNNPACK, completely"
    line = (
        "Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 3 kernels."
    )
    assert delegation_of(line) == "GPU, partially, 3 kernels"
