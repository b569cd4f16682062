"""Whether an Android phone can be here; `python -m devices.phone.preflight` asks before gigabytes are installed.

Needs nothing but Python, and ends only where no phone can be: `python -m devices TARGET` finds out all the rest.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_HOST, _PORT = "127.0.0.1", 5037
LOOPBACK = ("localhost", _HOST, "::1", "[::1]")  # names of this machine
_ANSWER_S = 4.0
_USB = Path("/sys/bus/usb/devices")
_ADB_INTERFACE = ("ff", "42", "01")  # class, subclass and protocol
# Phones that were paired over Wi-Fi: an adb server finds those by itself.
_PAIRED = ".android/adb_known_hosts.pb"
# What devices.phone.adb advises too.
CONNECT = "connect one by cable with USB debugging on, or with `adb connect HOST:PORT`"
GUIDE = "docs/phone.md says how, step by step"
START = "start it there: adb -a nodaemon server start"
_NONE = f"no adb device; {CONNECT}; {GUIDE}"


def main() -> int:
    """Exit 1 with the reason where there is no phone; takes the options of `python -m bench` that say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=False, allow_abbrev=False)
    parser.add_argument("--device")
    parser.add_argument("-H", "--adb-host")
    parser.add_argument("-P", "--adb-port")
    parser.add_argument("--option", action="append", default=[])
    arguments, _ = parser.parse_known_args()
    options = {name: value.strip("\"'") for name, _, value in (given.partition("=") for given in arguments.option)}
    host, port = arguments.adb_host or options.get("adb_host"), arguments.adb_port or options.get("adb_port")
    found = absence(host, port, arguments.device or options.get("serial"))
    if found is None:
        return 0
    print(f"error: no phone to measure on: {found}", file=sys.stderr)  # noqa: T201
    return 1


def absence(host: str | None, port: str | None, serial: str | None) -> str | None:
    """Why no phone can be there, or None where one is or may be."""
    address = server_address(host, port, os.environ)
    if address is None:
        return None
    listed = _ask(*address)
    if listed is None and address[0] not in LOOPBACK:
        return f"no adb server at {address[0]}:{address[1]}; {START}"
    if listed is None and (program := shutil.which("adb")):
        listed = _start(program, address[1])
    if listed is not None:
        return _missing(listed, serial)
    usb_can_tell = sys.platform == "linux" and _USB.is_dir() and not (Path.home() / _PAIRED).exists()
    return _NONE if usb_can_tell and not on_usb(_USB) else None


def server_address(host: str | None, port: str | None, environment: "os._Environ[str]") -> tuple[str, int] | None:
    """The host and port of the adb server, as adb finds them; None where that is no TCP address."""
    said = environment.get("ADB_SERVER_SOCKET", "")
    match = re.fullmatch(r"tcp:(?:(.*):)?([0-9]{1,5})", said)
    if said and match is None and host is None and port is None:
        return None
    if match is None or host is not None or port is not None:
        names = ("ANDROID_ADB_SERVER_ADDRESS", "ANDROID_ADB_SERVER_PORT")
        host, port = host or environment.get(names[0]), port or environment.get(names[1])
    else:
        host, port = match[1], match[2]
    number = str(port or _PORT)
    return (host or _HOST, int(number)) if re.fullmatch("[0-9]{1,9}", number) and int(number) < 1 << 16 else None


def listed_phones(answer: bytes) -> list[str] | None:
    """The serials in a server's answer to `host:devices`; None where it is no such answer."""
    match = re.match(rb"OKAY([0-9a-fA-F]{4})", answer)
    if match is None or len(answer) < 8 + int(match[1], 16):
        return None
    return _serials(answer[8 : 8 + int(match[1], 16)].decode(errors="replace"))


def on_usb(devices: Path) -> bool:
    """Whether any USB device here offers adb."""

    def read(folder: Path, name: str) -> str:
        try:
            return (folder / name).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return ""

    names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    return any(tuple(read(folder, name) for name in names) == _ADB_INTERFACE for folder in devices.iterdir())


def _missing(listed: Sequence[str], serial: str | None) -> str | None:
    if not listed:
        return _NONE
    if serial is not None and serial not in listed:
        return f"no adb device {serial}, found {', '.join(listed)}; choose one of those with --device SERIAL"
    return None


def _ask(host: str, port: int) -> list[str] | None:
    """What the server there lists; None where there is none."""
    try:
        with socket.create_connection((host, port), _ANSWER_S) as server:
            server.settimeout(_ANSWER_S)
            server.sendall(b"000chost:devices")
            return listed_phones(_everything(server.recv))
    except OSError:
        return None


def _everything(receive: Callable[[int], bytes]) -> bytes:
    parts = []
    while part := receive(1 << 16):
        parts.append(part)
    return b"".join(parts)


def _start(program: str, port: int) -> list[str] | None:
    """What the server that this adb starts lists; None where it doesn't come up."""
    command = [program, "-P", str(port), "devices"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _serials("\n".join(line for line in done.stdout.splitlines() if not line.startswith(("*", "List of"))))


def _serials(text: str) -> list[str]:
    # A tab parts serial and state; the serial of a phone that was paired over Wi-Fi may hold a blank.
    return [line.partition("\t")[0].strip() for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    sys.exit(main())
