"""The screen, airplane and stay-awake states of a phone: set while it measures, restored afterwards."""

import re
import sys
from typing import NamedTuple

from devices.phone.adb import Link
from system.errors import UserError


class _Setting(NamedTuple):
    key: str  # Android's namespace and name
    held: int  # its value while the phone measures
    asked: str = ""  # a condition in the phone's shell; always held without one


_SETTINGS = {
    "stay": _Setting("global stay_on_while_plugged_in", 7),  # plugged into anything: mains, USB or wireless
    # A lit screen warms a phone: first no brightness of Android's own choice, then the least that is not off.
    "automatic": _Setting("system screen_brightness_mode", 0),
    "brightness": _Setting("system screen_brightness", 1),
    # Staying awake is for a phone that is powered; of one on its battery the screen's timeout is held too, at the
    # longest that Android takes.
    "timeout": _Setting("system screen_off_timeout", (1 << 31) - 1, "! dumpsys battery | grep -q 'powered: true'"),
}
_READ = """
echo airplane=$(settings get global airplane_mode_on)
dumpsys power 2>/dev/null | grep -m 1 mWakefulness=
"""
_AIRPLANE = "cmd connectivity airplane-mode"


class HeldState:
    """What a phone is like before `hold`, and is again after `restore`.

    `hold` keeps it in a file on the phone too: where a run loses the phone or is killed, the next owner restores it, on
    whichever machine that is.
    """

    def __init__(self, link: Link, folder: str, *, airplane: bool) -> None:
        """Read it, or what an earlier run left in the file; `airplane` is whether airplane mode is to be held."""
        self._link, self._file = link, _file_in(folder)
        self._left = _left(link, self._file)
        self._before = self._left or link.shell(_READ).text
        # Which settings are held may have changed: by a newer version, or since the phone lost its power.
        if missing := [name for name in _SETTINGS if not _has(self._before, name)]:
            self._before += "\n" + link.shell("; ".join(map(_reading, missing))).text
        self._grounded = airplane and _airplane_was_off(self._before)

    def hold(self) -> None:
        """Set the states."""
        held = [setting for name, setting in _SETTINGS.items() if _has(self._before, name)]
        kept = self._before.replace("'", "")
        commands = [f"echo '{kept}' > {self._file}"]
        commands += [f"settings put {setting.key} {setting.held}" for setting in held]
        commands += ["input keyevent KEYCODE_WAKEUP"] if _was_asleep(self._before) else []
        # Android 11 and later; older ones don't know the verb or refuse it to adb, and the readings tell.
        if self._grounded:
            commands.append(f"{_AIRPLANE} enable")
        elif _airplane_was_off(self._left):  # its last owner may have been asked for airplane mode, this one isn't
            commands.append(f"{_AIRPLANE} disable")
        self._link.shell("; ".join(commands))

    def restore(self) -> None:
        """Set back what was changed; a phone that is gone is restored by its next owner, and a warning says so."""
        try:
            self._link.shell("; ".join([*_back(self._before, airplane=self._grounded), f"rm -f {self._file}"]))
        except UserError as error:
            print(f"warning: screen and airplane mode not restored, the next run does it: {error}", file=sys.stderr)  # noqa: T201


def restore_left(link: Link, folder: str) -> bool:
    """Set back what a run changed that lost the phone or was killed; whether there was anything.

    Raises UserError where the phone doesn't answer.
    """
    file = _file_in(folder)
    left = _left(link, file)
    if left:
        link.shell("; ".join([*_back(left, airplane=_airplane_was_off(left)), f"rm -f {file}"]))
    return bool(left)


def _file_in(folder: str) -> str:
    return f"{folder}/state"


def _left(link: Link, file: str) -> str:
    """What a run that could not restore the phone kept in the file; "" without one."""
    text = link.shell(f"cat {file} 2>/dev/null").text
    return text if "stay=" in text else ""


def _back(before: str, *, airplane: bool) -> list[str]:
    """The commands that set everything back, for `airplane` that mode too."""
    # Backwards, so that a brightness is given back before Android chooses one again.
    held = [(name, setting.key) for name, setting in reversed(_SETTINGS.items()) if _has(before, name)]
    commands = [_set_back(before, name, key) for name, key in held]
    commands += [f"{_AIRPLANE} disable"] if airplane else []
    return commands + (["input keyevent KEYCODE_SLEEP"] if _was_asleep(before) else [])


def _airplane_was_off(before: str) -> bool:
    return "airplane=0" in before


def _was_asleep(before: str) -> bool:
    wakefulness = re.search(r"mWakefulness=(\w+)", before)
    return wakefulness is not None and wakefulness[1] != "Awake"


def _has(before: str, name: str) -> bool:
    return re.search(rf"^{name}=", before, re.MULTILINE) is not None


def _set_back(before: str, name: str, key: str) -> str:
    """The command that gives a setting its number again; one that had none gets none."""
    number = re.search(rf"^{name}=(\d+)", before, re.MULTILINE)
    return f"settings put {key} {number[1]}" if number else f"settings delete {key}"


def _reading(name: str) -> str:
    setting = _SETTINGS[name]
    echo = f"echo {name}=$(settings get {setting.key})"
    return f"if {setting.asked}; then {echo}; fi" if setting.asked else echo
