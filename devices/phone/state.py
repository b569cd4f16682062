"""The screen, its timeout, airplane and stay-awake states of a phone: set while it measures, restored afterwards."""

import re
import sys

from devices.phone.adb import Link
from system.errors import UserError

_STAY, _AIRPLANE, _TIMEOUT = "stay_on_while_plugged_in", "airplane_mode_on", "screen_off_timeout"
_ALWAYS = 7  # plugged into anything: mains, USB or wireless
_NEVER_MS = (1 << 31) - 1  # the longest timeout that Android takes
_READ = f"""
echo stay=$(settings get global {_STAY}); echo airplane=$(settings get global {_AIRPLANE})
dumpsys power 2>/dev/null | grep -m 1 mWakefulness=
"""
# Staying awake is for a phone that is powered; of one on its battery the screen's timeout is held too.
_READ_TIMEOUT = f"dumpsys battery | grep -q 'powered: true' || echo timeout=$(settings get system {_TIMEOUT})"


class HeldState:
    """What a phone was like before.

    It is kept in a file on the phone too: where a run loses the phone, the next run restores it.
    """

    def __init__(self, link: Link, folder: str, *, airplane: bool) -> None:
        self._link, self._file = link, f"{folder}/state"
        left = link.shell(f"cat {self._file} 2>/dev/null").text
        self._before = left if "stay=" in left else link.shell(_READ).text
        if "timeout=" not in self._before:  # what a powered phone left may be read on one that is no longer
            self._before += link.shell(_READ_TIMEOUT).text
        wakefulness = re.search(r"mWakefulness=(\w+)", self._before)
        self._asleep = wakefulness is not None and wakefulness[1] != "Awake"
        self._on_battery = "timeout=" in self._before
        self._grounded = airplane and "airplane=0" in self._before
        kept = self._before.replace("'", "")
        commands = [f"echo '{kept}' > {self._file}", f"settings put global {_STAY} {_ALWAYS}"]
        commands += [f"settings put system {_TIMEOUT} {_NEVER_MS}"] if self._on_battery else []
        commands += ["input keyevent KEYCODE_WAKEUP"] if self._asleep else []
        # Android 11 and later; older ones refuse it to adb, and the readings tell.
        commands += ["cmd connectivity airplane-mode enable"] if self._grounded else []
        link.shell("; ".join(commands))

    def restore(self) -> None:
        """Set back what was changed; a phone that is gone is restored by the next run, and a warning says so."""
        commands = [self._set_back("stay", f"global {_STAY}")]
        commands += [self._set_back("timeout", f"system {_TIMEOUT}")] if self._on_battery else []
        commands += ["cmd connectivity airplane-mode disable"] if self._grounded else []
        commands += ["input keyevent KEYCODE_SLEEP"] if self._asleep else []
        try:
            self._link.shell("; ".join([*commands, f"rm -f {self._file}"]))
        except UserError as error:
            print(f"warning: screen and airplane mode not restored, the next run does it: {error}", file=sys.stderr)  # noqa: T201

    def _set_back(self, name: str, setting: str) -> str:
        """The command that gives a setting its number again; one that had none gets none."""
        before = re.search(rf"^{name}=(\d+)", self._before, re.MULTILINE)
        return f"settings put {setting} {before[1]}" if before else f"settings delete {setting}"
