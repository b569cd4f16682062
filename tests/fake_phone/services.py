"""What adbd serves: `shell,v2` (framed stdout, stderr and exit code), `shell`, and `sync` (stat and push)."""

import os
import stat
import struct
import subprocess
import threading
from contextlib import suppress

_STDOUT, _EXIT = 1, 3
_PUSH_LIMIT_MESSAGE = "couldn't write: No space left on device"


def shell(stream, command, phone, *, framed):
    """Run a command with the phone's programs first on PATH and its root instead of /."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", phone.inside(command)],
        env=phone.environment(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    phone.started(process)
    watch = threading.Thread(target=_hang_up, args=(stream, process), daemon=True)
    watch.start()
    with process:
        for line in process.stdout:
            with suppress(EOFError):  # the program goes on without a reader, as on a phone
                data = phone.outside(line)
                stream.write(struct.pack("<BI", _STDOUT, len(data)) + data if framed else data)
    code = process.returncode
    if framed:
        stream.write(struct.pack("<BIB", _EXIT, 1, code & 0xFF if code >= 0 else 128 - code))


def _hang_up(stream, process):
    """adbd sends SIGHUP to the shell, and to nothing else, when its host goes away."""
    stream.closed.wait()
    if process.poll() is None:
        process.send_signal(1)


def sync(stream, phone):
    """Answer the requests of one sync connection until it quits."""
    while True:
        request, length = struct.unpack("<4sI", stream.read(8))
        if request == b"QUIT":
            return
        path = stream.read(length).decode()
        match request:
            case b"STAT":
                stream.write(struct.pack("<4sIII", b"STAT", *_stat(phone, path)))
            case b"STA2" | b"LST2":
                mode, size, time_s = _stat(phone, path)
                error = 0 if mode else 2
                numbers = (error, 0, 0, mode, 1, 0, 0, size, time_s, time_s, time_s)
                stream.write(struct.pack("<4sIQQIIIIQqqq", request, *numbers))
            case b"SEND":
                _receive(stream, phone, path)


def _stat(phone, path):
    try:
        found = phone.path(path).stat()
    except OSError:
        return 0, 0, 0
    return found.st_mode, found.st_size, int(found.st_mtime)


def _receive(stream, phone, path_and_mode):
    name, _, mode = path_and_mode.rpartition(",")
    path, failure, size = phone.path(name), None, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while True:
            part, length = struct.unpack("<4sI", stream.read(8))
            if part == b"DONE":
                break
            data = stream.read(length)
            size += length
            phone.receiving(size)
            if phone.free_bytes is not None and size > phone.free_bytes:
                failure = _PUSH_LIMIT_MESSAGE
            if failure is None:
                file.write(data)
    if failure is not None:
        path.unlink()
        message = failure.encode()
        stream.write(struct.pack("<4sI", b"FAIL", len(message)) + message)
        return
    os.chmod(path, stat.S_IMODE(int(mode)))  # noqa: PTH101
    stream.write(struct.pack("<4sI", b"OKAY", 0))
