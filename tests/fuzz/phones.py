"""What phones, adb and benchmark_model print."""

import re
import shlex

from devices.phone.adb import Reply
from devices.phone.benchmark_model import delegation_of, family_of, parse_benchmark_model, takes_images
from devices.phone.invocation import invoke
from devices.phone.listing import Listed, choose, parse_devices
from devices.phone.options import PhoneOptions
from devices.phone.preflight import listed_phones, server_address
from devices.phone.readings import parse_readings, throttled, too_hot
from devices.phone.shared import SharedPhone
from devices.phone.state import HeldState, restore_left
from devices.profilers.operators import mean_of_faster
from devices.profilers.phone import parse_op_profile
from tests.fuzz.parser import text_of


def devices(content: bytes) -> None:
    """`adb devices -l`, an adb server's answer, and where that server is."""
    listed_phones(content)
    server_address(None, None, {"ADB_SERVER_SOCKET": text_of(content)})
    server_address(None, text_of(content), {})
    choose(parse_devices(text_of(content)), serial=None, model="Pixel 2")


def readings(content: bytes) -> None:
    """A phone's services and /sys."""
    text = text_of(content)
    for affinity in (None, "f0"):
        found = parse_readings(text, affinity)
        throttled(found, found, limit_c=40.0)
        too_hot(found, 40.0)


def benchmark_model(content: bytes) -> None:
    """The tool's output and its usage."""
    text = text_of(content)
    delegation_of(text), family_of(text), takes_images(text)
    found = parse_benchmark_model(text)
    assert 0 <= found.min_s <= found.max_s * (1 + 1e-4) + 1e-5  # as it is printed, in ms with two decimals


def op_profiles(content: bytes) -> None:
    """The tool's table of operators."""
    mean_of_faster([parse_op_profile(text_of(content))])


class _Phone:
    """A phone that answers everything with the same text, and keeps what it was told."""

    def __init__(self, text: str) -> None:
        self.phone, self._text, self.told = Listed("one", "device", "Pixel_2", usb=True), text, list[str]()

    def shell(self, command: str, timeout_s: float = 20.0) -> Reply:
        self.told.append(command)
        return Reply(0, self._text)


def shells(content: bytes) -> None:
    """A phone's shell: the settings that are given back, and how an invocation ended."""
    text = text_of(content)
    phone = _Phone(text)
    state = HeldState(phone, "/data/local/tmp", airplane=True)
    state.hold()
    state.restore()
    told = phone.told[-2:]
    for command in [*told, *(phone.told[-1:] if restore_left(phone, "/data/local/tmp") else [])]:
        words = shlex.split(command)  # the phone's text is one word of it, whatever is in it
        assert set(words) & {"rm", "echo", "settings", "cmd", "input"}, command
        outside = re.sub(r"echo '[^']*' >", "", command)
        assert re.fullmatch(r"[\w ;/.><-]*", outside), command
    SharedPhone(phone, PhoneOptions()).about()
    invoke(phone, [], affinity=None, limit_s=1.0)
