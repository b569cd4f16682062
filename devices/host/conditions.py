"""What the machine was and did meanwhile: hardware, clocks, load and versions, as every record keeps them."""

import os
import platform
import time
from pathlib import Path

import msgspec

from devices.host.provenance import suite_version
from exporters.artifact import versions
from system.machine import available_bytes, usable_cores

# Every distribution that can move a number.
_LIBRARIES = (
    "torch",
    "torchvision",
    "timm",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-qnn",
    "openvino",
    "executorch",
    "ai-edge-litert",
    "tensorrt-cu12",
    "tensorrt-cu13",
    "numpy",
)
_CPU = Path("/sys/devices/system/cpu")
# Who made a processor, and what tells its kinds apart: our words and the fields of /proc/cpuinfo, x86's and Arm's.
_CPU_IDS = (
    ("vendor_id", (("family", "cpu family"), ("model", "model"), ("stepping", "stepping"))),
    ("CPU implementer", (("part", "CPU part"), ("revision", "CPU revision"))),
)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What doesn't change while a sweep runs; None where the system, or an older record, doesn't say.

    `cpu` is the vendor's name, which machines for rent often shorten to "AMD EPYC"; `cpu_id` tells generations apart:
    vendor, family, model and stepping of an x86 processor, or implementer, part and revision of an Arm core, as
    /proc/cpuinfo has them.
    """

    cpu: str | None = None
    cpu_id: str | None = None
    cores: int | None = None
    threads: int | None = None
    usable_cores: int | None = None
    governor: str | None = None
    memory_bytes: int | None = None
    system: str | None = None
    kernel: str | None = None
    virtualized: bool | None = None
    python: str | None = None
    versions: dict[str, str] = {}
    suite: str | None = None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What changes from moment to moment; None where the system, or an older record, doesn't say.

    `time` is UTC, in ISO 8601. `steal_s` is what other guests of the host took since it started and `busy_s` what this
    machine worked, all cores summed.
    """

    time: str = ""
    load_1min: float | None = None
    cpu_hz: float | None = None
    steal_s: float | None = None
    busy_s: float | None = None
    available_bytes: int | None = None


def machine() -> Machine:
    """This machine, its versions and the suite's own."""
    import psutil

    return Machine(
        cpu=cpu_model(),
        cpu_id=cpu_id(),
        cores=psutil.cpu_count(logical=False),
        threads=os.cpu_count(),
        usable_cores=usable_cores(),
        governor=_read(_CPU / "cpu0/cpufreq/scaling_governor"),
        memory_bytes=psutil.virtual_memory().total,
        system=platform.platform(),
        kernel=platform.release(),
        virtualized=_virtualized(),
        python=platform.python_version(),
        versions={name: version for name, version in versions(_LIBRARIES).items() if version != "absent"},
        suite=suite_version(),
    )


def moment() -> Moment:
    """This machine now: load, frequency, stolen and available resources."""
    import psutil

    frequency = psutil.cpu_freq()
    # Which times a system counts differs: steal and iowait are Linux's.
    times = psutil.cpu_times()._asdict()
    return Moment(
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        load_1min=os.getloadavg()[0],
        cpu_hz=frequency.current * 1e6 if frequency else None,
        steal_s=times.get("steal"),
        busy_s=sum(times.values()) - times["idle"] - times.get("iowait", 0.0),
        available_bytes=available_bytes(),
    )


def cpu_model() -> str:
    """The processor's name as its vendor gives it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def cpu_id() -> str | None:
    """Which processor this is, beyond its name: "AuthenticAMD family 25 model 1 stepping 1"; None outside Linux."""
    for maker, fields in _CPU_IDS:
        found = [(word, _cpuinfo(field)) for word, field in fields]
        if (made_by := _cpuinfo(maker)) and all(value for _, value in found):
            return " ".join([made_by, *(f"{word} {value}" for word, value in found)])
    return None


def _virtualized() -> bool | None:
    flags = _cpuinfo("flags")  # x86's field; Arm's processors tell no hypervisor in theirs
    return None if flags is None else "hypervisor" in flags.split()


def _cpuinfo(field: str) -> str | None:
    for line in (_read(Path("/proc/cpuinfo")) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
