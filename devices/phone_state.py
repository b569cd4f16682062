"""The screen, airplane and stay-awake states of a phone: set while it measures, restored afterwards."""

import re
import sys

from devices.adb import Link
from models.errors import UserError

_STAY, _AIRPLANE = "stay_on_while_plugged_in", "airplane_mode_on"
_ALWAYS = 7  # plugged into anything: mains, USB or wireless
_READ = f"""
echo stay=$(settings get global {_STAY}); echo airplane=$(settings get global {_AIRPLANE})
dumpsys power 2>/dev/null | grep -m 1 mWakefulness=
"""


class HeldState:
    """What a phone was like before; kept in a file on the phone too, so that the next run restores what one that
    lost the phone could not."""

    def __init__(self, link: Link, folder: str, *, airplane: bool) -> None:
        self._link, self._file = link, f"{folder}/state"
        left = link.shell(f"cat {self._file} 2>/dev/null").text
        self._before = left if "stay=" in left else link.shell(_READ).text
        wakefulness = re.search(r"mWakefulness=(\w+)", self._before)
        self._asleep = wakefulness is not None and wakefulness[1] != "Awake"
        self._grounded = airplane and "airplane=0" in self._before
        kept = self._before.replace("'", "")
        commands = [f"echo '{kept}' > {self._file}", f"settings put global {_STAY} {_ALWAYS}"]
        commands += ["input keyevent KEYCODE_WAKEUP"] if self._asleep else []
        # Android 11 and later; older ones refuse it to adb, and the readings tell.
        commands += ["cmd connectivity airplane-mode enable"] if self._grounded else []
        link.shell("; ".join(commands))

    def restore(self) -> None:
        """Set back what was changed; a phone that is gone is restored by the next run, and a warning says so."""
        stay = re.search(r"^stay=(\d+)", self._before, re.MULTILINE)
        commands = [f"settings put global {_STAY} {stay[1]}" if stay else f"settings delete global {_STAY}"]
        commands += ["cmd connectivity airplane-mode disable"] if self._grounded else []
        commands += ["input keyevent KEYCODE_SLEEP"] if self._asleep else []
        try:
            self._link.shell("; ".join([*commands, f"rm -f {self._file}"]))
        except UserError as error:
            print(f"warning: screen and airplane mode not restored, the next run does it: {error}", file=sys.stderr)  # noqa: T201
