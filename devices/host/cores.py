"""Bring a virtual machine's cores back under one last-level cache, where its host has spread them over two.

A virtual machine's cores are threads of its host. Work that the cores share takes up to half as long again under two
caches (docs/trust.md has the figures), although every core is as fast as before. Hosts move threads that wake each
other closer together, so the cores are made to wake each other.
"""

import os
import subprocess
import sys
import time


class Cores:
    """The cores that this process may use; one echo (`cat`) is the other side of their wake-ups."""

    def __init__(self) -> None:
        self._all = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        self._echo: subprocess.Popen[bytes] | None = None

    def gather(self, duration_s: float) -> None:
        """Let the first core and each other one wake each other in turn, `duration_s` in all.

        The thread sleeps that long where there is one core, or no way to choose one (not Linux).
        """
        if len(self._all) < 2:
            time.sleep(duration_s)
            return
        echo = self._started()
        os.sched_setaffinity(0, self._all[:1])
        try:
            for core in self._all[1:]:
                os.sched_setaffinity(echo.pid, [core])
                _wake_each_other(echo, duration_s / (len(self._all) - 1))
        finally:
            os.sched_setaffinity(0, self._all)

    def close(self) -> None:
        """End the echo."""
        if self._echo is not None:
            self._echo.kill()
            self._echo.communicate()
            self._echo = None

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._echo is None:
            self._echo = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        return self._echo


def _wake_each_other(echo: "subprocess.Popen[bytes]", duration_s: float) -> None:
    assert echo.stdin is not None
    assert echo.stdout is not None
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        echo.stdin.write(b".")
        echo.stdout.read(1)
