"""What a phone says of its heat, clocks and charge."""

import re

import msgspec

from devices.phone.adb import Link

_CPU = "/sys/devices/system/cpu"
# One call for everything: each costs a phone some work.
READ = f"""
dumpsys battery; echo; dumpsys thermalservice 2>/dev/null; echo
dumpsys power 2>/dev/null | grep -m 1 mWakefulness=; echo airplane=$(settings get global airplane_mode_on)
for f in {_CPU}/cpu[0-9]*/cpufreq; do
  echo "$f $(cat $f/cpuinfo_max_freq) $(cat $f/scaling_max_freq) $(cat $f/scaling_cur_freq) $(cat $f/scaling_governor)"
done 2>/dev/null
"""
# Bounded, and without line feeds: a search would else take a time that grows with the square of the text.
_BEGIN, _END = r"^[ \t]{0,80}", r"[ \t\r]{0,80}$"
_CORE = re.compile(rf"^{_CPU}/cpu(\d{{1,4}})/cpufreq (\d{{1,12}}) (\d{{1,12}}) (\d{{1,12}}) (\S+){_END}", re.MULTILINE)


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """One core: its highest frequency, the cap on it now, its frequency now, and its frequency governor."""

    number: int
    max_hz: float
    cap_hz: float
    now_hz: float
    governor: str


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of a phone; None where it doesn't say (thermal status: before Android 10)."""

    battery_percent: int | None
    battery_c: float | None
    powered: bool
    thermal_status: int | None
    awake: bool | None
    airplane: bool | None
    cores: list[Core]


def read(link: Link, affinity: str | None) -> Readings:
    """The phone now, with the cores that the mask allows; without one the fastest."""
    return parse_readings(link.shell(READ).text, affinity)


def parse_readings(text: str, affinity: str | None) -> Readings:
    """The readings in what the phone's services and /sys printed; whatever is missing is None."""
    tenths_c = _number(rf"{_BEGIN}temperature: (-?\d{{1,6}}){_END}", text)
    awake = re.search(r"mWakefulness=(\w+)", text)
    airplane = re.search(rf"^airplane=([01]){_END}", text, re.MULTILINE)
    return Readings(
        battery_percent=_number(rf"{_BEGIN}level: (\d{{1,3}}){_END}", text),
        battery_c=None if tenths_c is None else tenths_c / 10,
        powered=re.search(rf"{_BEGIN}\w{{1,40}} powered: true{_END}", text, re.MULTILINE) is not None,
        thermal_status=_number(rf"{_BEGIN}Thermal Status: (\d){_END}", text),
        awake=awake and awake[1] == "Awake",
        airplane=airplane and airplane[1] == "1",
        cores=_cores(text, affinity),
    )


def throttled(before: Readings, after: Readings, *, limit_c: float) -> str | None:
    """Why a visit between the two readings can't be trusted, or None."""
    if heat := too_hot(before, limit_c):
        return f"began at {heat}"
    if after.thermal_status:
        return f"thermal status {after.thermal_status} at its end"
    if after.awake is False:  # Android saves power then, whether or not a cap shows it
        return "screen off at its end"
    for when, readings in (("before", before), ("after", after)):
        for core in readings.cores:
            if core.cap_hz < core.max_hz:
                return f"core {core.number} capped at {core.cap_hz / 1e9:.2f} of {core.max_hz / 1e9:.2f} GHz {when} it"
    return None


def too_hot(readings: Readings, limit_c: float) -> str | None:
    """What is too hot, or None."""
    if readings.battery_c is not None and readings.battery_c > limit_c:
        return f"{readings.battery_c:.1f} °C, above {limit_c:g} °C"
    return f"thermal status {readings.thermal_status}" if readings.thermal_status else None


def _cores(text: str, affinity: str | None) -> list[Core]:
    cores = [
        Core(number=number, max_hz=maximum * 1e3, cap_hz=cap * 1e3, now_hz=now * 1e3, governor=governor)
        for *numbers, governor in _CORE.findall(text)
        for number, maximum, cap, now in [map(int, numbers)]
    ]
    if affinity is not None:
        return [core for core in cores if int(affinity, 16) >> core.number & 1]
    fastest_hz = max((core.max_hz for core in cores), default=0.0)
    return [core for core in cores if core.max_hz == fastest_hz]


def _number(pattern: str, text: str) -> int | None:
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1]) if match else None
