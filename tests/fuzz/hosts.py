"""What this machine says of itself, and who holds its devices."""

import os
from pathlib import Path
from unittest.mock import patch

from devices import lease
from devices.host import conditions
from devices.phone.preflight import on_usb
from system import machine
from tests.fuzz.parser import a_folder, text_of


def texts(content: bytes) -> None:
    """Texts of /proc, /sys and control groups."""
    with a_folder() as folder:
        for name in ("cpu.max", "memory.max", "memory.current", "one/bInterfaceClass"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        with patch.object(machine, "_CGROUP", folder):
            assert machine.usable_cores() >= 1
            assert machine.available_bytes() >= 0
        on_usb(folder)
    with patch.object(conditions, "_read", lambda path: text_of(content)):
        assert conditions.cpu_model()
        conditions._cpuinfo("flags")


def leases(content: bytes) -> None:
    """Who holds a device, as other processes wrote it."""
    with a_folder() as folder, patch.dict(os.environ, {lease.FOLDER_VARIABLE: str(folder)}):
        stem = lease._stem("adb", "one")
        for name, written in ((".lock", b""), (f".{os.getuid()}.json", content), (f".0{os.getuid()}.json", content)):
            Path(f"{stem}{name}").write_bytes(written)
        owner = lease.owner_of("adb", "one")
        assert owner is None or str(owner).isprintable()
