"""What the machine was and did meanwhile: hardware, clocks, load and versions, as every record keeps them."""

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

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
    "tensorrt-cu12",
    "tensorrt-cu13",
    "numpy",
)
_CPU = Path("/sys/devices/system/cpu")


def machine() -> dict[str, Any]:
    """What doesn't change while a sweep runs: hardware, system, versions and the suite's own commit."""
    import psutil

    return {
        "cpu": cpu_model(),
        "cores": psutil.cpu_count(logical=False),
        "threads": os.cpu_count(),
        "usable_cores": usable_cores(),
        "governor": _read(_CPU / "cpu0/cpufreq/scaling_governor"),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.platform(),
        "kernel": platform.release(),
        "virtualized": "hypervisor" in (_cpuinfo("flags") or ""),
        "python": platform.python_version(),
        "versions": {name: version for name, version in versions(_LIBRARIES).items() if version != "absent"},
        "suite": suite_commit(),
    }


def moment() -> dict[str, Any]:
    """What changes from moment to moment: the time, load, frequencies, stolen and available resources."""
    import psutil

    frequency = psutil.cpu_freq()
    times = psutil.cpu_times()
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_1min": os.getloadavg()[0],
        "cpu_hz": frequency.current * 1e6 if frequency else None,
        "steal_s": getattr(times, "steal", None),
        "busy_s": sum(times) - times.idle - getattr(times, "iowait", 0.0),
        "available_bytes": available_bytes(),
    }


def cpu_model() -> str:
    """The processor's name as its vendor gives it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def suite_commit() -> str | None:
    """The git commit of this suite, "-dirty" behind it where files differ; None outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


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
