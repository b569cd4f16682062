"""The phones that adb lists, and which of them a target runs on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from devices.phone.preflight import CONNECT, GUIDE
from system.errors import UserError

READY = "device"
# adb's names for what a phone can be, among which a line is told from whatever else adb says.
_STATES = (
    *(READY, "offline", "unauthorized", "authorizing", "connecting", "no permissions", "detached", "unknown"),
    *("recovery", "rescue", "sideload", "bootloader", "host"),
)
_ADVICE = {
    "unauthorized": "unlock it and accept its question “Allow USB debugging?”",
    "authorizing": "unlock it and accept its question “Allow USB debugging?”",
    "offline": "plug it in again, or switch its USB debugging off and on",
    "no permissions": "give your user access to it (Linux: udev rules, then `adb kill-server`)",
}

_LONGEST = 1000  # of a line, in characters
# The serial of a phone that was paired over Wi-Fi begins with "adb-" and may hold a blank.
_LINE = re.compile(rf"(?!List of |\*|adb[ :])(\S.*?)\s+({'|'.join(_STATES)})(?=[\s;]|$)(.*)")


@dataclass(frozen=True)
class Listed:
    """One line of `adb devices -l`; `model` as adb writes it (Pixel_2), empty where the phone doesn't say."""

    serial: str
    state: str
    model: str
    usb: bool


def parse_devices(text: str) -> list[Listed]:
    """The phones in the output of `adb devices -l`; whatever else it says is passed over."""
    phones = []
    for line in text.splitlines():
        # A longer one is no phone's, and matching it takes a time that grows with its square.
        if len(line) <= _LONGEST and (match := _LINE.fullmatch(line)):
            details = dict(re.findall(r"(\w+):(\S+)", match[3]))
            phones.append(Listed(match[1], match[2], details.get("model", ""), "usb" in details))
    return phones


def choose(phones: Sequence[Listed], *, serial: str | None, model: str) -> list[Listed]:
    """The phones that can be measured, equal in their model; `model` is a glob, "any" takes every one.

    Raises UserError that says why there is none, or that they are of several models.
    """
    if not phones:
        raise UserError("no adb device", found=CONNECT, fix=GUIDE)
    names = ", ".join(f"{phone.serial} ({phone.model.replace('_', ' ') or phone.state})" for phone in phones)
    if serial is not None:
        phones = [phone for phone in phones if phone.serial == serial]
        if not phones:
            raise UserError(f"no adb device {serial}", found=names, fix="choose one of those with --device SERIAL")
    ready = [phone for phone in phones if phone.state == READY]
    if not ready:
        states = ", ".join(f"{phone.serial} is {phone.state}" for phone in phones)
        raise UserError("no usable adb device", found=states, fix=_ADVICE.get(phones[0].state, "let it start Android"))
    fitting = [phone for phone in ready if _is_a(phone, model)]
    if not fitting:
        raise _none_fits(ready, model, names)
    # A phone that names no model may be any.
    if len(fitting) > 1 and (len({phone.model for phone in fitting}) > 1 or not fitting[0].model):
        raise UserError("several adb devices", found=names, fix="choose one with --device SERIAL")
    return fitting


def _none_fits(ready: Sequence[Listed], model: str, names: str) -> UserError:
    if len(ready) > 1:
        fix = "connect that one, or choose one of these with --device SERIAL and target android"
        return UserError(f"none is a {model}", found=names, fix=fix)
    found = f"{ready[0].serial} is a {ready[0].model.replace('_', ' ') or 'phone of no name'}"
    return UserError(f"not a {model}", found=found, fix="connect that one, or measure this one as target android")


def _is_a(phone: Listed, model: str) -> bool:
    # adb writes a model's other characters as "_"; a glob's own, and what stands within its brackets, stay.
    written = re.sub(r"(\[[^]]*\])|[^\w*?]", lambda match: match[1] or "_", model)
    return model == "any" or fnmatchcase(phone.model, written)
