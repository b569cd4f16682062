"""Standard streams: closed by whoever started this process, or by their reader while it runs; written by threads."""

import io
import os
import sys
import threading
from contextlib import suppress
from typing import Any, TextIO

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed_streams() -> None:
    """Put the null device in the place of every standard stream that is closed, so that no other file gets its number.

    Python has None for those that were closed when it started.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def write_any_text() -> None:
    """Have stdout show `?` for what its encoding doesn't have, instead of failing; stderr escapes that already."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def give_up(stream: TextIO) -> None:
    """Send what a stream still holds to the null device, with all that follows.

    Where Python can't write it at its end either, it exits with 120, whatever the exit code was to be.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


class Lossy:
    """A text stream that nothing depends on: what its reader, terminal or disk does not take is lost.

    Everything else is that of the stream that it is given.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write to the stream, if it takes anything."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush the stream, if it takes anything."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class WholeLines:
    """A text stream on which lines of several threads don't mix: each thread's text is passed on by whole lines.

    `print` writes a line and its end one after the other. What has no end yet is passed on when its thread flushes.
    Everything else is that of the stream that it is given.
    """

    def __init__(self, stream: TextIO | Lossy) -> None:
        self._stream = stream
        self._of_thread = threading.local()

    def write(self, text: str) -> int:
        """Write the lines that end with this text."""
        lines, end, self._of_thread.begun = (self._begun + text).rpartition("\n")
        if end:
            self._stream.write(lines + end)
        return len(text)

    def flush(self) -> None:
        """Write what this thread began, and flush the stream."""
        if self._begun:
            self._stream.write(self._begun)
            self._of_thread.begun = ""
        self._stream.flush()

    @property
    def _begun(self) -> str:
        return getattr(self._of_thread, "begun", "")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
