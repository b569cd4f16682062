"""Exclusive use of a device: a file lock that ends with the process that holds it, and beside it who that is.

The files lie in /tmp. It is the one folder that every process and every user of a machine has in common: TMPDIR may
differ between two of them, and a cache folder does. It also belongs to root and is sticky, so that nobody can remove or
replace the files of another user. What another user may still do is to put a link, a pipe or a file of any content
there beforehand: so links are not followed, only regular files are opened, none is written but by its own user, none
waits to be opened, and what is read is checked before it is shown.

A lock file stays when the lock ends: if it were removed, one process could lock it and another one its successor. It is
locked through a descriptor that only reads, so that it needs no write permission for others, and that programs started
meanwhile don't inherit. (`filelock` refuses the file of another user in a sticky folder.)
"""

import fcntl
import getpass
import hashlib
import os
import re
import shlex
import socket
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from system.errors import UserError, one_line
from system.files import write_whole
from system.unreadable import UNREADABLE

# Names another folder for the files, where processes share no /tmp.
FOLDER_VARIABLE = "ZENNET_LEASES"
_LONGEST, _SHOWN = 200, 80  # characters of a text, in the file and in a message
_MOST_BYTES = 4096  # that are read of a file; its three texts have 800 bytes each at most
_SAFE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_Text = Annotated[str, Meta(max_length=_LONGEST)]


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a device, and since when, as that process wrote it. Text that a terminal would obey is refused."""

    pid: Annotated[int, Meta(ge=1, lt=1 << 31)]
    host: _Text
    user: _Text
    since: Annotated[datetime, Meta(tz=True)]
    command: _Text

    def __post_init__(self) -> None:
        """Raises ValueError where a text has other characters than printable ones."""
        if not (self.host + self.user + self.command).isprintable():
            raise ValueError("unprintable characters")

    def __str__(self) -> str:
        """In words, for a message."""
        since = self.since.strftime("%Y-%m-%d %H:%M %z")
        return f"pid {self.pid} of {self.user} on {self.host} since {since} ({one_line(self.command, _SHOWN)})"


@contextmanager
def first_free(devices: Sequence[str], *, of: str, wrong: str, fix: str) -> Iterator[str]:
    """Hold the first of some devices that nobody else holds, here or in another process, and yield its name.

    `of` is what has the devices, such as a server: equal names of another are other devices. Raises UserError, which
    says what is `wrong` and who holds them, where all are held, or where the files of the locks can't be used.
    """
    for device in devices:
        lock = _stem(of, device).with_suffix(".lock")
        descriptor = _locked(lock)
        if descriptor is not None:
            break
    else:
        found = "; ".join(f"{device} is held by {owner_of(of, device) or 'another process'}" for device in devices)
        raise UserError(wrong, found=found, fix=fix)
    facts = _facts(lock, os.getuid())
    try:
        with suppress(UserError):  # they are for messages only
            write_whole(facts, msgspec.json.encode(_this_process()), fix="")
        yield device
    finally:
        with suppress(OSError):
            facts.unlink()
        os.close(descriptor)


def owner_of(of: str, device: str) -> Owner | None:
    """Who holds a device that is held, None where its facts are missing, unreadable or of a process that ended."""
    lock = _stem(of, device).with_suffix(".lock")
    found = []
    for path in lock.parent.glob(f"{lock.stem}.*.json"):
        owner = _read(path)
        if owner is not None and (owner.host != socket.gethostname() or _runs(owner.pid)):
            found.append(owner)
    return max(found, key=lambda owner: owner.since, default=None)


def _stem(of: str, device: str) -> Path:
    """The name of a device's files, without an ending; a name may hold any character, and two may differ in one."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or "/tmp")  # nosec B108
    digest = hashlib.sha256(f"{of}\0{device}".encode()).hexdigest()[:16]
    return folder / f"zennet-latency-{re.sub(r'[^A-Za-z0-9]+', '-', device)[:40]}-{digest}"


def _facts(lock: Path, uid: int) -> Path:
    # A file for each user, since nobody can write over that of another.
    return lock.with_suffix(f".{uid}.json")


def _locked(path: Path) -> int | None:
    """The descriptor of a lock that is held from now on; None where another process, or this one, holds it."""
    try:
        descriptor = _opened(path)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, "it is no regular file")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        fix = f"have it removed, or name a folder that all share by {FOLDER_VARIABLE}"
        raise UserError(f"can't lock {path}", found=error.strerror or str(error), fix=fix) from error
    return descriptor


def _opened(path: Path) -> int:
    with suppress(FileNotFoundError):
        return os.open(path, _SAFE_FLAGS)
    # Made only where it is missing: Linux refuses to open another user's file in a sticky folder with O_CREAT.
    try:
        descriptor = os.open(path, _SAFE_FLAGS | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:  # another process was faster
        return os.open(path, _SAFE_FLAGS)
    os.fchmod(descriptor, 0o644)  # whatever the umask, other users have to read it
    return descriptor


def _this_process() -> Owner:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        user = str(os.getuid())
    texts = (socket.gethostname(), user, shlex.join(sys.orig_argv))
    host, user, command = (_printable(text) for text in texts)
    return Owner(pid=os.getpid(), host=host, user=user, since=datetime.now(UTC).replace(microsecond=0), command=command)


def _printable(text: str) -> str:
    return one_line("".join(each if each.isprintable() else " " for each in text), _LONGEST)


def _read(path: Path) -> Owner | None:
    try:
        descriptor = os.open(path, _SAFE_FLAGS)
        try:
            about = os.fstat(descriptor)
            # Nobody speaks for another user.
            if not stat.S_ISREG(about.st_mode) or path.suffixes[-2:] != [f".{about.st_uid}", ".json"]:
                return None
            return msgspec.json.decode(os.read(descriptor, _MOST_BYTES), type=Owner)
        finally:
            os.close(descriptor)
    except (OSError, *UNREADABLE):
        return None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
