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


class HeldState:
    """What a phone is like before `hold`, and is again after `restore`.

    `hold` keeps it in a file on the phone too: where a run loses the phone, the next run restores it.
    """

    def __init__(self, link: Link, folder: str, *, airplane: bool) -> None:
        """Read it, or what an earlier run left in the file; `airplane` is whether airplane mode is to be held."""
        self._link, self._file = link, f"{folder}/state"
        left = link.shell(f"cat {self._file} 2>/dev/null").text
        self._before = left if "stay=" in left else link.shell(_READ).text
        # Which settings are held may have changed: by a newer version, or since the phone lost its power.
        if missing := [name for name in _SETTINGS if not self._has(name)]:
            self._before += "\n" + link.shell("; ".join(map(_reading, missing))).text
        wakefulness = re.search(r"mWakefulness=(\w+)", self._before)
        self._asleep = wakefulness is not None and wakefulness[1] != "Awake"
        self._grounded = airplane and "airplane=0" in self._before
        self._held = {name: setting for name, setting in _SETTINGS.items() if self._has(name)}

    def hold(self) -> None:
        """Set the states."""
        kept = self._before.replace("'", "")
        commands = [f"echo '{kept}' > {self._file}"]
        commands += [f"settings put {setting.key} {setting.held}" for setting in self._held.values()]
        commands += ["input keyevent KEYCODE_WAKEUP"] if self._asleep else []
        # Android 11 and later; older ones don't know the verb or refuse it to adb, and the readings tell.
        commands += ["cmd connectivity airplane-mode enable"] if self._grounded else []
        self._link.shell("; ".join(commands))

    def restore(self) -> None:
        """Set back what was changed; a phone that is gone is restored by the next run, and a warning says so."""
        # Backwards, so that a brightness is given back before Android chooses one again.
        commands = [self._set_back(name, setting.key) for name, setting in reversed(self._held.items())]
        commands += ["cmd connectivity airplane-mode disable"] if self._grounded else []
        commands += ["input keyevent KEYCODE_SLEEP"] if self._asleep else []
        try:
            self._link.shell("; ".join([*commands, f"rm -f {self._file}"]))
        except UserError as error:
            print(f"warning: screen and airplane mode not restored, the next run does it: {error}", file=sys.stderr)  # noqa: T201

    def _has(self, name: str) -> bool:
        return re.search(rf"^{name}=", self._before, re.MULTILINE) is not None

    def _set_back(self, name: str, key: str) -> str:
        """The command that gives a setting its number again; one that had none gets none."""
        before = re.search(rf"^{name}=(\d+)", self._before, re.MULTILINE)
        return f"settings put {key} {before[1]}" if before else f"settings delete {key}"


def _reading(name: str) -> str:
    setting = _SETTINGS[name]
    echo = f"echo {name}=$(settings get {setting.key})"
    return f"if {setting.asked}; then {echo}; fi" if setting.asked else echo
