"""A real adb server of the tests' own, apart from the one that the user may have."""

import os
import socket
import subprocess
import time
from pathlib import Path


class AdbServer:
    """`adb server nodaemon` on a port of its own, with keys of its own."""

    def __init__(self, home):
        import adbutils  # here: where a GPU is tested there is none, and yet every test module is read

        Path(home).mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("ADB", "ANDROID"))
        } | {"HOME": str(home), "ANDROID_USER_HOME": str(home), "ADB_MDNS_OPENSCREEN": "0", "TMPDIR": str(home)}
        self.program = adbutils.adb_path()
        self._process = subprocess.Popen(
            [self.program, "-P", str(self.port), "server", "nodaemon"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end_s = time.monotonic() + 20.0
        while self._refuses():
            assert time.monotonic() < end_s, "no adb server"
            time.sleep(0.02)

    def connect(self, phone):
        """Connect a phone that answers. On a busy machine the server may still hold the connection that broke off."""
        end_s = time.monotonic() + 5.0
        while True:
            said = self.call("connect", phone.serial)
            state = self.call("-s", phone.serial, "get-state")
            if not ("offline" in state or "not found" in state) or time.monotonic() >= end_s:
                return said
            self.call("disconnect", phone.serial)
            time.sleep(0.2)

    def call(self, *arguments):
        done = subprocess.run(
            [self.program, "-P", str(self.port), *arguments],
            env=self.environment, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        return done.stdout + done.stderr

    def close(self):
        self._process.kill()
        self._process.wait()

    def _refuses(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
