"""What a GPU or a phone says of itself, in the tools' own words, so that a surprise can be read from a report."""

import subprocess
from collections.abc import Iterator

from devices.phone.adb import Link, connect
from devices.phone.readings import READ
from devices.targets import Target
from system.errors import UserError

# Chosen one by one: serial numbers, UUIDs and processes are not among them.
_GPU = (
    *("name", "driver_version", "vbios_version", "compute_cap", "memory.total", "memory.used", "pstate"),
    *("mig.mode.current", "persistence_mode", "compute_mode", "ecc.mode.current"),
    *("power.limit", "power.draw", "temperature.gpu"),
    *("clocks.sm", "clocks.mem", "clocks.max.sm", "clocks.max.mem", "clocks_throttle_reasons.active"),
)
_PHONE = (
    *("ro.product.model", "ro.product.device", "ro.product.manufacturer", "ro.product.cpu.abilist", "ro.hardware"),
    *("ro.board.platform", "ro.soc.model", "ro.build.version.release", "ro.build.version.sdk", "ro.build.fingerprint"),
)
_NOT_NVIDIA = {"CPU", "none", "Apple silicon", "Qualcomm Hexagon"}
_SETTINGS = (
    *("global stay_on_while_plugged_in", "global airplane_mode_on"),
    *("system screen_off_timeout", "system screen_brightness", "system screen_brightness_mode"),
)


def marker_of(target: Target) -> str | None:
    """The marker of the tests that need a target's hardware; None where it needs none."""
    if target.runtime == "android":
        return "phone"
    return None if target.device in _NOT_NVIDIA else "gpu"


def hardware_text(target: Target) -> str:
    """What the hardware of a target says of itself; why it doesn't, where it doesn't."""
    match marker_of(target):
        case "phone":
            try:
                return "\n".join(_of_phone(connect(target)))
            except UserError as error:
                return f"{error}\n"
        case "gpu":
            return "\n".join(_ask_gpu(field) for field in _GPU) + "\n"
    return "no hardware of its own\n"


def serials_of(target: Target) -> list[str]:
    """The names of the phone of a target, which a report must not hold."""
    if marker_of(target) != "phone":
        return []
    try:
        link = connect(target)
        own = link.shell("getprop ro.serialno; getprop ro.boot.serialno").text.split()
        return [link.phone.serial, *own]
    except UserError:
        return []


def _of_phone(link: Link) -> Iterator[str]:
    for name in _PHONE:
        yield f"{name}: {link.shell(f'getprop {name}').text.strip()}"
    for name in _SETTINGS:
        yield f"{name}: {link.shell(f'settings get {name}').text.strip()}"
    yield link.shell(READ).text


def _ask_gpu(field: str) -> str:
    """One field: one that a driver doesn't know costs only itself."""
    command = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{field}: {error}"
    return f"{field}: {'; '.join((done.stdout or done.stderr).splitlines())}"
