"""The states of a phone are given back whatever ends their use, before a session has the phone, too."""

import pytest

from devices.phone.adb import Reply
from devices.phone.listing import Listed
from devices.phone.options import PhoneOptions
from devices.phone.shared import SharedPhone
from system.digest import sha256_of

STATES = "stay=0\nautomatic=1\nbrightness=180\nairplane=0\n  mWakefulness=Asleep\n"


class Interrupted:
    """A link to a phone, whose user presses Ctrl-C at the first command that holds `at`."""

    def __init__(self, tool, at):
        self.phone, self.told = Listed("one", "device", "Pixel_2", usb=True), []
        self._said, self._at = f"{sha256_of(tool)}\n{STATES}", at

    def wait_until_back(self, timeout_s):
        pass

    def shell(self, command, timeout_s=20.0):
        self.told.append(command)
        if self._at and self._at in command:
            self._at = None
            raise KeyboardInterrupt
        return Reply(0, self._said)


@pytest.mark.parametrize("at", ["settings put system screen_brightness 1;", "dumpsys battery; echo"])
def test_ctrl_c_while_the_first_session_takes_the_phone_leaves_it_as_it_was(tmp_path, at):
    tool = tmp_path / "benchmark_model"
    tool.write_bytes(b"tool")
    link = Interrupted(tool, at)
    with pytest.raises(KeyboardInterrupt):
        SharedPhone(link, PhoneOptions(benchmark_model=str(tool), airplane="always")).take()
    given_back = link.told[-1]
    for command in ("screen_brightness 180", "airplane-mode disable", "KEYCODE_SLEEP", "rm -f"):
        assert command in given_back
