"""Which GPU is here, whether it is the right one, free, and has kernels; what NVML says, judged."""

import ctypes
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import siblings
from devices.nvidia import compatibility, nvml, preflight
from devices.nvidia.cuda_events import time_each
from devices.runtime import absence_of
from devices.targets import find_targets
from models import UserError
from system import gpu as gpus
from system.gpu import Gpu

ROOT = Path(__file__).parents[3]
V100 = Gpu(name="Tesla V100-SXM2-16GB", uuid="GPU-1", compute_capability=(7, 0), driver_cuda=(12, 4))
T4 = Gpu(name="Tesla T4", uuid="GPU-2", compute_capability=(7, 5), driver_cuda=(12, 4))
H100 = Gpu(name="NVIDIA H100 80GB HBM3", uuid="GPU-3", compute_capability=(9, 0), driver_cuda=(13, 0))
GTX_1080 = Gpu(name="NVIDIA GeForce GTX 1080", uuid="GPU-4", compute_capability=(6, 1), driver_cuda=(13, 0))
TITAN_V = Gpu(name="NVIDIA TITAN V", uuid="GPU-5", compute_capability=(7, 0), driver_cuda=(13, 0))
B200 = Gpu(name="NVIDIA B200", uuid="GPU-7", compute_capability=(10, 0), driver_cuda=(13, 0))
RTX_2080 = Gpu(name="NVIDIA GeForce RTX 2080", uuid="GPU-6", compute_capability=(7, 5), driver_cuda=(13, 0))
GPU_TARGETS = [target.name for pattern in ("v100*", "t4*", "gpu*", "rtx*") for target in find_targets(pattern)]


class Nvml:
    """NVML's real module with its driver calls answered here; errors and constants are its own."""

    def __init__(self, monkeypatch) -> None:
        self.reasons, self.pids, self.limit_mw = 0, [], 300_000
        answers = {
            "nvmlInit": lambda: None,
            "nvmlShutdown": lambda: None,
            "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
            "nvmlDeviceGetComputeRunningProcesses": lambda handle: [SimpleNamespace(pid=pid) for pid in self.pids],
            "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=16 << 30, free=15 << 30, used=1 << 30),
            "nvmlDeviceGetName": lambda handle: "Tesla V100-SXM2-16GB",
            "nvmlSystemGetDriverVersion": lambda: "535.183.01",
            "nvmlDeviceGetCurrentEccMode": lambda handle: 1,
            "nvmlDeviceGetEnforcedPowerLimit": lambda handle: self.limit_mw,
            "nvmlDeviceGetMaxClockInfo": lambda handle, kind: {1: 1530, 2: 877}[kind],
            "nvmlDeviceGetClockInfo": lambda handle, kind: {1: 1380, 2: 877}[kind],
            "nvmlDeviceGetPowerUsage": lambda handle: 251_400,
            "nvmlDeviceGetTemperature": lambda handle, sensor: 61,
            "nvmlDeviceGetCurrentClocksEventReasons": lambda handle: self.reasons,
        }
        for name, answer in answers.items():
            assert hasattr(pynvml, name)
            monkeypatch.setattr(pynvml, name, answer)


class NoCuda:
    """Events that take a millisecond."""

    def Event(self, *, enable_timing):
        return SimpleNamespace(record=lambda stream: None, elapsed_time=lambda end: 1.0)

    def synchronize(self):
        pass


@pytest.fixture
def driver(monkeypatch):
    return Nvml(monkeypatch)


def at_hand(monkeypatch, gpu) -> None:
    monkeypatch.setattr(preflight, "find_gpu", lambda: gpu)


@pytest.mark.parametrize("name", GPU_TARGETS)
def test_without_a_driver_every_gpu_target_says_just_that(name, monkeypatch):
    monkeypatch.setattr(gpus.ctypes, "CDLL", _missing)
    (target,) = find_targets(name)
    assert absence_of(target) == "no NVIDIA driver (libcuda.so.1)"


def _missing(name):
    raise OSError(name)


def test_a_driver_without_a_gpu_says_so(monkeypatch):
    library = SimpleNamespace(cuInit=lambda flags: 100, cuDeviceGetCount=lambda count: 0)
    monkeypatch.setattr(gpus.ctypes, "CDLL", lambda name: library)
    assert gpus.find_gpu() == "an NVIDIA driver, but no NVIDIA GPU"
    assert gpus.gpu_names() == []
    library.cuInit = lambda flags: 803
    assert gpus.find_gpu() == "an NVIDIA driver that does not start (CUDA error 803)"


class Cuda:
    """The driver's C functions, as far as they are called."""

    def __init__(self) -> None:
        self.cuInit = lambda flags: 0
        self.cuDeviceGet = lambda device, ordinal: 0

    def cuDeviceGetCount(self, count):
        count._obj.value = 1
        return 0

    def cuDeviceGetName(self, name, size, device):
        name.value = b"Tesla T4"

    def cuDeviceGetUuid(self, uuid, device):
        ctypes.memmove(uuid, bytes(range(16)), 16)

    def cuDriverGetVersion(self, version):
        version._obj.value = 12040

    def cuDeviceGetAttribute(self, value, attribute, device):
        value._obj.value = {75: 7, 76: 5}[attribute]


def test_the_driver_tells_name_uuid_architecture_and_its_cuda(monkeypatch):
    monkeypatch.setattr(gpus.ctypes, "CDLL", lambda name: Cuda())
    found = gpus.find_gpu()
    assert found == Gpu(
        name="Tesla T4",
        uuid="GPU-00010203-0405-0607-0809-0a0b0c0d0e0f",
        compute_capability=(7, 5),
        driver_cuda=(12, 4),
    )
    assert found.sm == "sm_75"
    assert gpus.gpu_names() == ["Tesla T4"]


def test_the_wrong_gpu_is_named_and_so_is_the_target_that_takes_it(monkeypatch, driver):
    at_hand(monkeypatch, H100)
    assert preflight.absence(find_targets("t4")[0]) == (
        "found NVIDIA H100 80GB HBM3, not Tesla T4; make bench-gpu measures on it"
    )
    assert preflight.absence(find_targets("gpu-torch")[0]) is None


@pytest.mark.parametrize(
    ("name", "wanted", "right"),
    [
        ("Tesla V100-SXM2-16GB", "Tesla V100", True),
        ("Tesla V100-PCIE-32GB", "Tesla V100", True),
        ("Tesla T4", "Tesla T4", True),
        ("NVIDIA T400", "Tesla T4", False),
        ("Tesla T40", "Tesla T4", False),
        ("NVIDIA A100-SXM4-40GB", "Tesla V100", False),
        ("anything", "NVIDIA GPU", True),
    ],
)
def test_a_model_is_matched_as_a_word(name, wanted, right):
    assert (preflight.mismatch(replace(H100, name=name), wanted) is None) == right


@given(st.text(), st.sampled_from(["Tesla V100", "Tesla T4", "NVIDIA GPU"]))
def test_any_name_is_right_or_wrong_in_one_line(name, wanted):
    wrong = preflight.mismatch(replace(H100, name=name), wanted)
    assert wrong is None or (wanted in wrong and "make bench-" in wrong)


WANTED = {"make bench-v100": "Tesla V100", "make bench-t4": "Tesla T4", "make bench-gpu": "NVIDIA GPU"}
_names = st.text() | st.sampled_from([V100.name, T4.name, "NVIDIA TITAN V", "Quadro GV100"])
_newest = st.just((99, 0))
_gpus = st.builds(Gpu, name=_names, uuid=st.just(""), driver_cuda=_newest, compute_capability=st.sampled_from([
    (6, 1), (7, 0), (7, 5), (9, 0),
]))  # fmt: skip


@given(_gpus, st.sampled_from([*WANTED.values(), preflight.RTX]))
def test_no_advice_leads_to_an_environment_that_refuses_the_gpu(gpu, wanted):
    """Whatever environment is asked for: where its preflight names another, that one's takes the GPU."""
    says = preflight.incompatibility(gpu, wanted)
    command = preflight.installer_of(gpu)
    assert command is None or preflight.incompatibility(gpu, WANTED[command]) is None
    assert says is None or says.endswith(f"; {command} measures on it" if command else "; no environment supports it")
    advice = compatibility.torch_mismatch(gpu, [], 0)
    nothing = f"; no environment supports {gpu.name}"
    assert advice.endswith(f"; {command} installs one that has" if command else nothing)


@pytest.mark.parametrize(
    ("gpu", "wanted", "says"),
    [
        (
            GTX_1080,
            "NVIDIA GPU",
            "found NVIDIA GeForce GTX 1080, sm_61, which is older than Turing (sm_75); no environment",
        ),
        (GTX_1080, "Tesla V100", "not Tesla V100; no environment supports it"),
        (TITAN_V, "Tesla T4", "not Tesla T4; no environment supports it"),
        (V100, "NVIDIA GPU", "older than Turing (sm_75); make bench-v100 measures on it"),
        (RTX_2080, "Tesla T4", "not Tesla T4; make bench-gpu measures on it"),
        (T4, "Tesla V100", "not Tesla V100; make bench-t4 measures on it"),
        (
            replace(T4, driver_cuda=(11, 4)),
            "Tesla T4",
            "is for CUDA 11.4, this environment for CUDA 12; install driver R525",
        ),
        (replace(V100, driver_cuda=(11, 8)), "Tesla V100", "install driver R525 or later"),
        (T4, "NVIDIA GPU", "its driver is for CUDA 12.4, this environment for CUDA 13; install driver R580 or later"),
        (T4, "Tesla T4", None),
        (V100, "Tesla V100", None),
        (H100, "NVIDIA GPU", None),
        (
            H100,
            preflight.RTX,
            "found NVIDIA H100 80GB HBM3, sm_90, which TensorRT for RTX doesn't support; make bench-gpu measures on it",
        ),
        (T4, preflight.RTX, "its driver is for CUDA 12.4, this environment for CUDA 13; install driver R580 or later"),
        (RTX_2080, preflight.RTX, None),
    ],
)
def test_the_preflight_refuses_what_its_environment_can_not_run_on(monkeypatch, capsys, gpu, wanted, says):
    at_hand(monkeypatch, gpu)
    monkeypatch.setattr(sys, "argv", ["nvidia", wanted])
    assert preflight.main() == (0 if says is None else 1)
    stderr = capsys.readouterr().err
    assert (stderr == "") if says is None else (says in stderr and stderr.count("\n") == 1)


def test_the_options_of_a_sweep_are_no_name_of_a_gpu(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["nvidia", "--model", "*B3"])
    at_hand(monkeypatch, H100)
    assert preflight.main() == 0
    at_hand(monkeypatch, "no NVIDIA driver")
    assert preflight.main() == 1
    assert capsys.readouterr().err.startswith("error: no NVIDIA GPU to run on: no NVIDIA driver;")


def test_a_shared_gpu_is_an_error(monkeypatch, driver):
    at_hand(monkeypatch, V100)
    driver.pids = [4242]
    assert preflight.absence(find_targets("v100")[0]) == "a shared Tesla V100-SXM2-16GB: process 4242 uses it"


def test_without_nvml_the_error_names_what_installs_it(monkeypatch):
    at_hand(monkeypatch, V100)
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    assert preflight.absence(find_targets("v100")[0]) == "no nvidia-ml-py; make bench-v100 installs it"


def test_without_nvml_no_card_is_sent_to_an_environment_that_refuses_it(monkeypatch):
    at_hand(monkeypatch, GTX_1080)
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    assert preflight.absence(find_targets("gpu")[0]).endswith("older than Turing (sm_75); no environment supports it")


def test_the_preflight_needs_nothing_but_python_and_is_quick(tmp_path):
    # -S: no installed package can be imported. What libcuda.so.1 says differs from machine to machine.
    begun_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-m", "devices.nvidia.preflight", "Tesla K80"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - begun_s < 10
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Tesla K80 to run on: ")
    assert done.stderr.count("\n") == 1


# What NVML says.


def test_the_place_holds_what_does_not_change(driver):
    with nvml.Watch("GPU-1") as watch:
        assert watch.facts() == {
            "gpu": "Tesla V100-SXM2-16GB",
            "driver": "535.183.01",
            "ecc": "on",
            "power_limit_w": 300,
            "max_sm_clock_mhz": 1530,
            "max_memory_clock_mhz": 877,
        }


def test_a_quiet_visit_has_readings_and_no_reason_against_it(driver):
    with nvml.Watch("GPU-1") as watch:
        assert watch.read() == {
            "sm_clock_mhz": 1380,
            "memory_clock_mhz": 877,
            "power_w": 251,
            "power_limit_w": 300,
            "temperature_c": 61,
            "clocks_event_reasons": [],
            "clocks_locked": False,
        }


def test_a_throttled_visit_says_why(driver):
    driver.reasons = pynvml.nvmlClocksEventReasonSwThermalSlowdown | pynvml.nvmlClocksEventReasonGpuIdle
    with nvml.Watch("GPU-1") as watch:
        readings = watch.read()
    assert readings["throttled"] == "software thermal slowdown"
    assert readings["clocks_event_reasons"] == ["idle", "software thermal slowdown"]


@pytest.mark.parametrize("limit_w", [70, 300, 700])
def test_the_power_cap_is_reported_on_every_card_and_held_against_none(driver, limit_w):
    driver.reasons, driver.limit_mw = pynvml.nvmlClocksEventReasonSwPowerCap, limit_w * 1000
    with nvml.Watch("GPU-1") as watch:
        readings = watch.read()
    assert readings["clocks_event_reasons"] == ["software power cap"]
    assert readings["power_limit_w"] == limit_w
    assert "throttled" not in readings


@pytest.mark.parametrize(
    ("bit", "word"),
    [
        (0x8, "hardware slowdown"),
        (0x20, "software thermal slowdown"),
        (0x40, "hardware thermal slowdown"),
        (0x80, "hardware power brake"),
    ],
)
def test_heat_hardware_slowdown_and_power_brake_are_held_against_a_visit(bit, word):
    assert nvml.slowdown(bit) == nvml.slowdown(bit | 0x4 | 0x1) == word


@pytest.mark.parametrize(
    ("constant", "word"),
    [
        ("GpuIdle", "idle"),
        ("ApplicationsClocksSetting", "applications clocks setting"),
        ("SwPowerCap", "software power cap"),
        ("HwSlowdown", "hardware slowdown"),
        ("SyncBoost", "sync boost"),
        ("SwThermalSlowdown", "software thermal slowdown"),
        ("HwThermalSlowdown", "hardware thermal slowdown"),
        ("HwPowerBrakeSlowdown", "hardware power brake"),
        ("DisplayClockSetting", "display clock setting"),
    ],
)
def test_the_bits_mean_what_nvml_says(constant, word):
    bit = next(
        getattr(pynvml, f"nvmlClocks{kind}Reason{constant}")
        for kind in ("Event", "Throttle")
        if hasattr(pynvml, f"nvmlClocks{kind}Reason{constant}")
    )
    assert nvml.named(bit) == [word]


def test_an_older_driver_is_asked_by_the_older_name(driver, monkeypatch):
    def unknown(handle):
        raise pynvml.NVMLError_FunctionNotFound

    monkeypatch.setattr(pynvml, "nvmlDeviceGetCurrentClocksEventReasons", unknown)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCurrentClocksThrottleReasons", lambda handle: 0x40)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCurrentEccMode", unknown)
    with nvml.Watch("GPU-1") as watch:
        assert watch.read()["throttled"] == "hardware thermal slowdown"
        assert "ecc" not in watch.facts()


@given(st.integers(0, 2**64 - 1))
def test_any_reasons_have_names_and_a_slowdown_is_among_them(reasons):
    names = nvml.named(reasons)
    assert len(names) == reasons.bit_count()
    slowed = nvml.slowdown(reasons)
    assert slowed is None or set(slowed.split(", ")) <= set(names)


def test_a_newcomer_contends_and_whoever_was_there_at_the_start_does_not(driver):
    with nvml.Watch("GPU-1") as watch:
        driver.pids = [17]  # this very process, as the world outside its container counts
        watch.start()
        assert "contended" not in watch.read()
        driver.pids = [17, 99]
        assert watch.read()["contended"] == "process 99 on the GPU"


def test_sessions_of_one_sweep_do_not_contend_and_a_stranger_does(driver, monkeypatch):
    """Processes as NVML numbers them from outside a container: none of them is this one's own number."""
    for name in ("own", "others"):
        monkeypatch.setattr(siblings, name, set())
    driver.pids = [17]  # a sibling that was opened before
    with nvml.Watch("GPU-1") as watch:
        driver.pids = [17, 18]
        watch.start()
        assert siblings.own == {18}
        driver.pids = [17, 18, 19]
        assert watch.read()["contended"] == "process 19 on the GPU"
        siblings.others.update({17, 18, 19})  # what the sweep tells once it has opened a third one
        assert "contended" not in watch.read()
        driver.pids = [17, 18, 19, 99]
        assert watch.read()["contended"] == "process 99 on the GPU"


def test_outside_a_container_a_sessions_own_number_is_its_process(driver, monkeypatch):
    monkeypatch.setattr(siblings, "own", set())
    with nvml.Watch("GPU-1") as watch:
        driver.pids = [os.getpid()]
        watch.start()
        assert siblings.own == {os.getpid()}
        assert watch.processes() == []


def test_the_free_memory_is_what_nvml_says(driver, monkeypatch):
    at_hand(monkeypatch, V100)
    (target,) = find_targets("v100")
    assert preflight.free_bytes(target) == 15 << 30

    def unsupported(handle):
        raise pynvml.NVMLError_NotSupported

    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", unsupported)
    assert preflight.free_bytes(target) is None


def test_a_visit_is_sampled_while_it_runs_and_its_worst_moment_counts(driver):
    """NVML's own module answers: a power brake and a newcomer that are gone again before the visit's last reading."""
    moments = iter([(0, []), (0x80, [99]), (0x20, [])])
    seen = threading.Event()

    def reasons(handle):
        driver.now, driver.pids = next(moments, (0, []))
        if driver.now == 0x20:
            seen.set()
        return driver.now

    pynvml.nvmlDeviceGetCurrentClocksEventReasons = reasons  # the fixture sets it back
    with nvml.Watch("GPU-1") as watch:
        samples = time_each(lambda: seen.wait(30), 1, cuda=NoCuda(), stream=None, read=watch.read)
    (table,) = samples.conditions
    assert table["readings"] >= 4
    assert table["clocks_event_reasons"] == ["hardware power brake", "software thermal slowdown"]
    assert table["throttled"] == "hardware power brake, software thermal slowdown"
    assert table["contended"] == "process 99 on the GPU"
    assert watch.read().keys() & {"throttled", "contended"} == set()


@given(st.lists(st.fixed_dictionaries({"sm_clock_mhz": st.integers() | st.none(), "power_w": st.integers()})))
def test_of_any_readings_the_lowest_clock_and_the_highest_power_are_kept(readings):
    table = nvml.merged(readings)
    assert table["readings"] == len(readings)
    if readings:
        clocks = [reading["sm_clock_mhz"] for reading in readings if reading["sm_clock_mhz"] is not None]
        assert table["sm_clock_mhz"] == min(clocks, default=None)
        assert table["power_w"] == max(reading["power_w"] for reading in readings)


def test_what_a_gpu_does_not_tell_is_left_out(driver, monkeypatch):
    def unsupported(handle):
        raise pynvml.NVMLError_NotSupported

    monkeypatch.setattr(pynvml, "nvmlDeviceGetCurrentEccMode", unsupported)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetEnforcedPowerLimit", unsupported)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", unsupported)
    with nvml.Watch("GPU-1") as watch:
        assert "ecc" not in watch.facts()
        assert watch.read()["power_limit_w"] is None
        assert watch.processes() == []


def test_a_gpu_that_nvml_does_not_know_is_an_error(driver, monkeypatch):
    def unknown(uuid):
        raise pynvml.NVMLError_NotFound

    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", unknown)
    with pytest.raises(UserError, match="NVML can't watch GPU-9"):
        nvml.Watch("GPU-9")


# Whether what is installed has kernels for it.

TODAY = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
CU126 = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"]


@pytest.mark.parametrize(
    ("gpu", "architectures", "cudnn", "says"),
    [
        (V100, TODAY, 91002, "this torch has no sm_70 kernels"),
        (V100, CU126, 91002, None),
        (V100, CU126, 91100, "cuDNN 91100 has no sm_70 kernels"),
        (T4, TODAY, 92400, None),
        (T4, ["sm_70"], 92400, None),  # binaries run within a major version
        (T4, ["sm_70", "sm_80"], 92400, None),
        (H100, ["sm_80", "compute_80"], 92400, None),  # compiled when loaded
        (H100, ["sm_80"], 92400, "this torch has no sm_90 kernels"),
        (H100, ["sm_90a"], 92400, None),
        (H100, [], 0, "this torch has no sm_90 kernels"),
    ],
)
def test_a_torch_without_kernels_is_named_with_what_installs_one(gpu, architectures, cudnn, says):
    wrong = compatibility.torch_mismatch(gpu, architectures, cudnn)
    assert (wrong is None) if says is None else (says in wrong)
    if gpu is V100 and wrong:
        assert wrong.endswith("make bench-v100 installs one that has")


@given(st.lists(st.text()))
def test_architectures_that_cannot_be_read_are_none(architectures):
    compatibility.torch_mismatch(T4, architectures, 92400)


def test_a_torch_for_the_cpu_is_named(monkeypatch):
    import torch

    monkeypatch.setattr(torch.version, "cuda", None)
    assert "has no CUDA; make bench-t4 installs one that has" in compatibility.torch_lacks(T4)


@pytest.mark.parametrize(
    ("gpu", "version", "says"),
    [
        (V100, "10.4.0", None),
        (V100, "8.6.1", None),
        (V100, "10.5.0", "TensorRT 10.5.0 has no sm_70 (10.4 is the last); make bench-v100-tensorrt installs 10.4"),
        (V100, "11.4.0.106", "has no sm_70"),
        (T4, "11.4.0.106", None),
    ],
)
def test_a_tensorrt_that_dropped_the_gpu_is_named(gpu, version, says):
    wrong = compatibility.tensorrt_mismatch(gpu, version)
    assert (wrong is None) if says is None else (says in wrong)


@pytest.mark.parametrize(
    ("gpu", "provider", "version", "says"),
    [
        (V100, "CUDAExecutionProvider", "1.23.2", None),
        (V100, "CUDAExecutionProvider", "1.27.0", "is for CUDA 13, which has no sm_70; make bench-v100"),
        (T4, "CUDAExecutionProvider", "1.27.0", None),
        (T4, "TensorrtExecutionProvider", "1.26.0", "has no TensorrtExecutionProvider; make bench-t4"),
        (H100, "CUDAExecutionProvider", "1.31.1", None),
        (T4, "CUDAExecutionProvider", "1.31.1", None),
        (B200, "CUDAExecutionProvider", "1.31.1", "has no sm_100 kernels (only sm_75 sm_80 sm_86 sm_89 sm_90 sm_120)"),
        (B200, "CUDAExecutionProvider", "1.26.0", None),  # compiled when loaded
        (B200, "CUDAExecutionProvider", "1.99.0", None),  # nobody has read its list
    ],
)
def test_an_onnxruntime_that_lacks_the_gpu_or_the_provider_is_named(gpu, provider, version, says):
    wrong = compatibility.ort_mismatch(gpu, provider, ["CUDAExecutionProvider", "CPUExecutionProvider"], version)
    assert (wrong is None) if says is None else (says in wrong)


def test_a_target_says_which_package_is_in_the_way(monkeypatch, driver):
    at_hand(monkeypatch, T4)
    assert "no TensorRT; make bench-t4 installs it" in absence_of(find_targets("t4")[0])
    assert "has no TensorrtExecutionProvider" in absence_of(find_targets("t4-onnxruntime")[0])
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["TensorrtExecutionProvider"])
    assert absence_of(find_targets("t4-onnxruntime")[0]) == "no TensorRT; make bench-t4 installs it"


@pytest.mark.parametrize("name", ["v100", "t4", "gpu"])
def test_the_list_of_each_pinned_onnxruntime_holds_what_its_environment_is_for(name):
    pins = (ROOT / "constraints" / f"{name}.txt").read_text()
    version = re.search(r"^onnxruntime-gpu==(\S+)", pins, re.M)[1]
    wanted = {"v100": V100, "t4": T4, "gpu": H100}[name]
    assert version in compatibility._ORT_ARCHITECTURES
    assert compatibility.ort_mismatch(wanted, "CUDAExecutionProvider", ["CUDAExecutionProvider"], version) is None


@pytest.mark.gpu
def test_the_gpu_that_is_here_is_found_free_and_watched():
    found = gpus.find_gpu()
    assert isinstance(found, Gpu)
    with nvml.Watch(found.uuid) as watch:
        assert watch.facts()["gpu"] == found.name
        assert watch.read()["sm_clock_mhz"] > 0
