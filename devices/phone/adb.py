"""Android phones behind an adb server, local or remote, through the `adb` program that adbutils brings along.

adbutils' own client isn't used: of a failed push it loses the phone's reason, it ignores ADB_SERVER_SOCKET, and where
a remote server doesn't answer it starts a local one.
"""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from devices.options import read_options
from devices.phone.listing import READY, Listed, choose, parse_devices
from devices.phone.options import PhoneOptions
from devices.phone.preflight import START
from devices.targets import Target
from system.errors import UserError, one_line

_SETTLING = ("offline", "authorizing", "connecting")  # what a phone is in the moment after it was plugged in
_SETTLE_S = 2.0
_ANSWER_S = 5.0  # a server on this machine starts within one
_PUSH_S = 900.0  # the largest file of the zoo, 0.7 GB, at 1 MB/s


@dataclass(frozen=True)
class Reply:
    """What a command on the phone answered."""

    code: int
    text: str


@dataclass(frozen=True)
class Link:
    """One phone. Every call raises UserError where adb or the phone doesn't answer in time."""

    adb: tuple[str, ...]  # the program and which server it asks
    phone: Listed

    def state(self) -> str:
        """`device` where it can be used, else what adb says instead."""
        done = _call([*self.adb, "-s", self.phone.serial, "get-state"], _ANSWER_S)
        return (done.stdout or done.stderr).strip().removeprefix("error: ")

    def shell(self, command: str, timeout_s: float = 20.0) -> Reply:
        """Run a command on the phone: its exit code, and stdout with stderr behind it.

        Raises UserError where the phone went away meanwhile.
        """
        done = _call([*self.adb, "-s", self.phone.serial, "shell", command], timeout_s)
        if done.returncode != 0 and (state := self.state()) != READY:
            raise self.gone(state)
        return Reply(done.returncode, done.stdout + done.stderr)

    def push(self, path: Path, remote: str) -> None:
        """Copy a file to the phone. Raises UserError with the phone's reason where it can't."""
        done = _call([*self.adb, "-s", self.phone.serial, "push", str(path), remote], _PUSH_S)
        if done.returncode == 0:
            return
        if (state := self.state()) != READY:
            raise self.gone(state)
        raise UserError(
            f"can't copy {path.name} to the phone",
            found=_reason(done.stderr + done.stdout),
            fix=f"make room there: adb shell rm -r {remote.rpartition('/')[0]}",
        )

    def wait_until_back(self, timeout_s: float) -> None:
        """Return when the phone can be used. Raises UserError where that takes longer."""
        end_s = time.monotonic() + timeout_s
        while (state := self.state()) != READY:
            if time.monotonic() >= end_s:
                raise self.gone(state)
            time.sleep(0.25)

    def gone(self, state: str) -> UserError:
        """The error of a phone that was there and isn't any more."""
        return UserError(f"phone {self.phone.serial} is gone", found=one_line(state, 120), fix="plug it in again")


def connect(target: Target) -> Link:
    """The phone that a target runs on: its option `serial`, or the first that `candidates` finds.

    Raises UserError as `candidates` does.
    """
    return candidates(target)[0]


def candidates(target: Target) -> list[Link]:
    """The phones that a target can run on, all of one model; starts the local server.

    Raises UserError where there is none, one that can't be used, one of another model, or several models.
    """
    options = read_options(target, PhoneOptions)
    adb, serial = (_program(), *_server(options)), options.serial
    end_s = time.monotonic() + _SETTLE_S
    while True:
        phones = _list(adb)
        settling = [phone for phone in phones if phone.state in _SETTLING and serial in (None, phone.serial)]
        if not settling or time.monotonic() >= end_s:
            return [Link(adb, phone) for phone in choose(phones, serial=serial, model=target.device)]
        time.sleep(0.25)


def listed(options: PhoneOptions) -> list[Listed]:
    """Every phone that the adb server knows, whatever its state; starts the local one. Raises UserError without adb."""
    return _list((_program(), *_server(options)))


def _list(adb: tuple[str, ...]) -> list[Listed]:
    done = _call([*adb, "devices", "-l"], _ANSWER_S)
    if done.returncode != 0:
        raise UserError("no adb server", found=_reason(done.stderr), fix=START)
    return parse_devices(done.stdout)


def _reason(text: str) -> str:
    """The last error that adb told, or what it said last; of a copy that failed the reason, not the two paths."""
    lines = text.strip().splitlines() or ["no reason given"]
    errors = [line for line in lines if "error" in line or "failed" in line]
    return one_line((errors or lines)[-1].rpartition("': ")[2], 200)


def _server(options: PhoneOptions) -> list[str]:
    """Which server to ask, as adb's arguments; without options adb itself reads ADB_SERVER_SOCKET and the like."""
    flags = {"-H": options.adb_host, "-P": options.adb_port}
    return [part for flag, value in flags.items() if value is not None for part in (flag, str(value))]


def _program() -> str:
    try:
        import adbutils

        return str(adbutils.adb_path())
    except ImportError:
        pass
    except adbutils.AdbError:  # a machine that adbutils has no adb for
        pass
    if found := shutil.which("adb"):
        return found
    raise UserError("no adb", found="neither on PATH nor from adbutils", fix="`make bench-pixel2` installs it")


def _call(command: list[str], timeout_s: float) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        found = f"no answer within {timeout_s:g} s to {one_line(command[-1], 60)!r}"
        fix = "plug the phone in again, or restart adb: adb kill-server"
        raise UserError("adb hangs", found=found, fix=fix) from error
    except OSError as error:  # adbutils takes what ADBUTILS_ADB_PATH names unseen
        found = f"{command[0]}: {error.strerror or error}"
        raise UserError("adb can't be started", found=found, fix="mend it, or unset ADBUTILS_ADB_PATH") from error
