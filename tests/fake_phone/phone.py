"""The fake phone: its folder, its programs, its faults, and the port that an adb server connects to."""

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.fake_phone import services
from tests.fake_phone.transport import Connection
from tests.programs import write_program

TOOL = Path(__file__).with_name("benchmark_model.py")
_FEATURES = "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir"
_CORES = {number: 1_900_800 if number < 4 else 2_457_600 for number in range(8)}
_PROGRAMS = {
    "getprop": 'cat "$ROOT/props/$1"',
    "dumpsys": 'cat "$ROOT/dumpsys/$1"',
    "settings": """
file="$ROOT/settings/$3"
case $1 in get) cat "$file" 2>/dev/null || echo null;; put) echo "$4" > "$file";; delete) rm -f "$file";; esac""",
    "input": """
case $2 in KEYCODE_WAKEUP) state=Awake;; KEYCODE_SLEEP) state=Asleep;; esac
echo "  mWakefulness=$state" > "$ROOT/dumpsys/power\"""",
    "cmd": """
case $3 in enable) on=1;; disable) on=0;; esac
echo $on > "$ROOT/settings/airplane_mode_on"
echo "$*" >> "$ROOT/cmd.log\"""",
    "taskset": 'echo "$1" >> "$ROOT/taskset.log"; shift; exec "$@"',
}


class FakePhone:
    """A phone on 127.0.0.1:`port`; `faults` are the names of what goes wrong, each once.

    For the tool: crash, garbage, hang, decline, partial, unconsumed, throttle, overheat, screen_off, unkept, cut.
    For the connection: unplug_push, unplug_run.
    """

    def __init__(self, root, *, model="Pixel 2", android=11, authorized=True):
        self.root, self.model, self.android, self.authorized = Path(root), model, android, authorized
        self.faults, self.free_bytes = [], None
        self.invocations, self.port, self.commands = 0, 0, []
        self._connections, self._processes = [], []
        self._listener = None
        self._furnish()
        self.plug_in()

    @property
    def serial(self):
        return f"127.0.0.1:{self.port}"

    def path(self, name):
        return self.root / name.lstrip("/")

    def inside(self, command):
        """The command with the phone's paths as they lie on this machine."""
        for folder in ("/data/local/tmp", "/sys/devices/system/cpu"):
            command = command.replace(folder, str(self.path(folder)))
        return command

    def outside(self, output):
        return output.replace(str(self.root).encode(), b"")

    def environment(self, command):
        self.commands.append(command)
        fault = ""
        if "--graph=" in command:
            self.invocations += 1
            if self.faults and not self.faults[0].startswith("unplug"):
                fault = self.faults.pop(0)
            if "unplug_run" in self.faults:
                self.faults.remove("unplug_run")
                fault = "hang"
                threading.Timer(0.5, self.unplug).start()
        paths = f"{self.root / 'bin'}:{os.environ['PATH']}"
        return os.environ | {"PATH": paths, "ROOT": str(self.root), "FAKE_FAULT": fault}

    def started(self, process):
        self._processes.append(process)

    def receiving(self, size):
        if "unplug_push" in self.faults and size > 1000:
            self.faults.remove("unplug_push")
            self.unplug()

    def battery(self, *, celsius, percent=80, powered=True):
        self._write(
            "dumpsys/battery",
            f"Current Battery Service state:\n  AC powered: false\n  USB powered: {str(powered).lower()}\n"
            f"  level: {percent}\n  scale: 100\n  voltage: 4200\n  temperature: {round(celsius * 10)}\n",
        )

    def cap(self, kilohertz):
        """Cap the big cores, as thermal throttling does."""
        for number in range(4, 8):
            self._write(f"sys/devices/system/cpu/cpu{number}/cpufreq/scaling_max_freq", f"{kilohertz}\n")

    def setting(self, name):
        return self.path(f"settings/{name}").read_text().strip()

    def tools_running(self):
        """How many invocations of the tool are alive."""
        needle = f"--graph={self.path('data/local/tmp')}".encode()
        alive = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                alive += needle in command and b"exec" not in command and b"\0-c\0" not in command
        return alive

    def plug_in(self):
        """Listen, on the port it had before if it had one."""
        self.plugged_in = True
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def unplug(self):
        """End every connection and answer no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.break_off()
        self._connections.clear()
        self.plugged_in = False

    def close(self):
        self.unplug()
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(sock, banner=self._banner(), authorized=self.authorized, serve=self._serve)
                self._connections.append(connection)
                threading.Thread(target=connection.run, daemon=True).start()

    def _banner(self):
        return (
            f"device::ro.product.name=walleye;ro.product.model={self.model};ro.product.device=walleye;"
            f"features={_FEATURES}"
        )

    def _serve(self, stream, service):
        kind, _, command = service.partition(":")
        if kind == "sync":
            services.sync(stream, self)
        elif kind.startswith("shell"):
            services.shell(stream, command, self, framed="v2" in kind)

    def _furnish(self):
        for name, script in _PROGRAMS.items():
            self._write(f"bin/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)
        self._write("props/ro.product.model", f"{self.model}\n")
        self._write("props/ro.build.version.release", f"{self.android}\n")
        self._write("props/ro.build.fingerprint", "google/walleye/walleye:11/RP1A/1:user/release-keys\n")
        if self.android >= 10:
            self._write("dumpsys/thermalservice", "IsStatusOverride: false\nThermal Status: 0\nHAL Ready: true\n")
        else:  # neither that service nor the verbs of `cmd` that came later
            self._write("bin/cmd", "#!/bin/sh\necho 'No shell command implementation.' >&2; exit 255\n", mode=0o755)
        self._write("dumpsys/power", "  mWakefulness=Asleep\n")
        self._write("settings/airplane_mode_on", "0\n")
        self._write("settings/stay_on_while_plugged_in", "0\n")
        self._write("settings/screen_brightness", "180\n")
        self._write("settings/screen_brightness_mode", "1\n")
        self.battery(celsius=28.0)
        for number, kilohertz in _CORES.items():
            folder = f"sys/devices/system/cpu/cpu{number}/cpufreq"
            for name in ("cpuinfo_max_freq", "scaling_max_freq", "scaling_cur_freq"):
                self._write(f"{folder}/{name}", f"{kilohertz}\n")
            self._write(f"{folder}/scaling_governor", "schedutil\n")

    def _write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        # At once: the phone's shell may read it at this very moment.
        new = path.with_name(f".{path.name}")
        new.write_text(text)
        new.chmod(mode)
        new.replace(path)


def tool_for_this_machine(folder, family="tflite"):
    """A copy of the fake tool that starts with this Python; it is what `--benchmark-model` gets."""
    path = Path(folder) / "benchmark_model"
    source = TOOL.read_text().replace('FAMILY = "tflite"', f'FAMILY = "{family}"', 1)
    return write_program(path, source)


def wait_for(condition, timeout_s=10.0):
    """Poll until `condition()` holds."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.02)
