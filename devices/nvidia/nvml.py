"""What a GPU was doing meanwhile, by NVML: clocks and why they are low, power, temperature, other processes on it."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from devices import siblings
from devices.samples import CONTENDED, THROTTLED, DeviceReadings
from system.errors import UserError, one_line

# NVML's clocks-event reasons by bit; those in _SLOWED say that something is wrong: heat, or a lack of power. The
# software power cap is none of them: many cards under full load live at their power limit; that is their normal speed.
_REASONS = {
    0x1: "idle",
    0x2: "applications clocks setting",
    0x4: "software power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
    0x100: "display clock setting",
}
_SLOWED = 0x8 | 0x20 | 0x40 | 0x80
# Of several readings the worst one counts: the lowest of these, the highest of any other number.
_LOWEST = {"sm_clock_mhz", "memory_clock_mhz", "power_limit_w"}


class Watch:
    """One GPU, by its UUID. Raises UserError where NVML doesn't know it."""

    def __init__(self, uuid: str) -> None:
        import pynvml

        self._nvml: Any = pynvml
        try:
            pynvml.nvmlInit()
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        except pynvml.NVMLError as error:
            raise UserError(f"NVML can't watch {uuid}", found=one_line(error), fix="see nvidia-smi") from error
        self._known = self._computing()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Shut NVML down."""
        self._nvml.nvmlShutdown()

    def processes(self) -> list[int]:
        """The other processes that compute on the GPU now."""
        return sorted(self._computing() - {os.getpid()})

    def start(self) -> None:
        """Remember the processes on the GPU now; only later ones that are no siblings count as contention.

        Those that came since this was made are this process: in a container its number is not the one that NVML tells.
        """
        present = self._computing()
        siblings.own.update(present - self._known)
        self._known = present

    def free_bytes(self) -> int | None:
        """What is free of the GPU's memory; None where it has none of its own."""
        memory = self._ask(self._nvml.nvmlDeviceGetMemoryInfo)
        return None if memory is None else int(memory.free)

    def facts(self) -> dict[str, str | int]:
        """What doesn't change while a session lives."""
        nvml = self._nvml
        ecc = self._ask(nvml.nvmlDeviceGetCurrentEccMode)
        facts = {
            "gpu": self._ask(nvml.nvmlDeviceGetName),
            "driver": nvml.nvmlSystemGetDriverVersion(),
            "ecc": None if ecc is None else ("on" if ecc else "off"),
            "power_limit_w": self._watts(nvml.nvmlDeviceGetEnforcedPowerLimit),
            "max_sm_clock_mhz": self._ask(nvml.nvmlDeviceGetMaxClockInfo, nvml.NVML_CLOCK_SM),
            "max_memory_clock_mhz": self._ask(nvml.nvmlDeviceGetMaxClockInfo, nvml.NVML_CLOCK_MEM),
        }
        return {name: value for name, value in facts.items() if value is not None}

    def read(self) -> DeviceReadings:
        """The readings of this moment; `throttled` and `contended` only where they are."""
        nvml = self._nvml
        reasons = self._reasons()
        readings: DeviceReadings = {
            "sm_clock_mhz": self._ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_SM),
            "memory_clock_mhz": self._ask(nvml.nvmlDeviceGetClockInfo, nvml.NVML_CLOCK_MEM),
            "power_w": self._watts(nvml.nvmlDeviceGetPowerUsage),
            "power_limit_w": self._watts(nvml.nvmlDeviceGetEnforcedPowerLimit),
            "temperature_c": self._ask(nvml.nvmlDeviceGetTemperature, nvml.NVML_TEMPERATURE_GPU),
            "clocks_event_reasons": named(reasons),
            "clocks_locked": bool(reasons & 0x2),
        }
        if slowed := slowdown(reasons):
            readings[THROTTLED] = slowed
        if newcomers := sorted(set(self.processes()) - self._known - siblings.others):
            readings[CONTENDED] = f"process {', '.join(map(str, newcomers))} on the GPU"
        return readings

    def _computing(self) -> set[int]:
        running = self._ask(self._nvml.nvmlDeviceGetComputeRunningProcesses) or []
        return {process.pid for process in running}

    def _reasons(self) -> int:
        """The clocks-event reasons; drivers before 535 know only the older name of the function."""
        nvml = self._nvml
        for call in (nvml.nvmlDeviceGetCurrentClocksEventReasons, nvml.nvmlDeviceGetCurrentClocksThrottleReasons):
            if (bits := self._ask(call)) is not None:
                return int(bits)
        return 0

    def _ask(self, call: Callable[..., Any], *arguments: int) -> Any:
        """The answer of one of NVML's functions; None where this GPU or its driver doesn't give it."""
        nvml = self._nvml
        try:
            return call(self._handle, *arguments)
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_NoPermission, nvml.NVMLError_FunctionNotFound):
            return None

    def _watts(self, call: Callable[..., Any]) -> int | None:
        milliwatts = self._ask(call)
        return None if milliwatts is None else round(milliwatts / 1000)


def merged(readings: Sequence[DeviceReadings]) -> DeviceReadings:
    """The readings of one visit as one table: of numbers the worst, of reasons all that were told."""
    names = dict.fromkeys(name for reading in readings for name in reading)
    told = {name: [reading[name] for reading in readings if reading.get(name) is not None] for name in names}
    return {name: _worst(name, values) for name, values in told.items()} | {"readings": len(readings)}


def _worst(name: str, values: list[Any]) -> Any:
    if not values:
        return None
    if isinstance(values[0], list):
        return list(dict.fromkeys(reason for reasons in values for reason in reasons))
    if isinstance(values[0], str):
        return ", ".join(dict.fromkeys(part for value in values for part in value.split(", ")))
    return min(values) if name in _LOWEST else max(values)


def named(reasons: int) -> list[str]:
    """NVML's bits in words; one without a name as its number."""
    bits = [1 << number for number in range(reasons.bit_length()) if reasons >> number & 1]
    return [_REASONS.get(bit, hex(bit)) for bit in bits]


def slowdown(reasons: int) -> str | None:
    """Why a visit is throttled, or None."""
    return ", ".join(named(reasons & _SLOWED)) or None
