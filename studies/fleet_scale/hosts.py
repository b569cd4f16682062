"""Made-up hosts: the servers of all devices in one process beside the driver, so that its work is not the driver's.

`python -m studies.fleet_scale.hosts FD` answers at the other end of an inherited pipe. A message begins with the number
of the device and of the question, an answer with that of the question.
"""

import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from bench.fleet.server import Server
from system.cluster import Demand, Line, LineLost, Node

_TO, _FROM = struct.Struct("!iq"), struct.Struct("!q")
_CLOSE = 0  # the number of a question that has no content: end that device's server
_CPU = -1  # the number of no device: say how much processor time this process took


class MadeUpHosts:
    """One host for each target, which offers a resource of its name; a context, while which they are there."""

    def __init__(self, targets: list[str]) -> None:
        self._nodes = [Node(name, f"host-{name}", {"CPU": 2.0, name: 1.0}) for name in targets]
        self._questions, self._devices = count(1), count(0)
        self._answers: dict[int, Future[bytes]] = {}
        self._sending = threading.Lock()

    def __enter__(self) -> "MadeUpHosts":
        self._pipe, there = Pipe()
        command = [sys.executable, "-m", "studies.fleet_scale.hosts", str(there.fileno())]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[there.fileno()])
        there.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        self._pipe.close()

    def nodes(self) -> list[Node]:
        return self._nodes

    def hold(self, demand: Demand, environment: str, *, name: str, stop: threading.Event) -> Line:
        """A device of its own for whoever asks."""
        return _Line(self, next(self._devices), next(iter(demand.resources)))

    def ask(self, device: int, message: bytes) -> "Future[bytes]":
        """Send a message to a device's server."""
        number, answered = next(self._questions), Future[bytes]()
        self._answers[number] = answered
        self._send(device, number, message)
        return answered

    def end(self, device: int) -> None:
        """End a device's server."""
        self._send(device, _CLOSE, b"")

    def cpu_s(self) -> float:
        """Processor seconds that the hosts took so far."""
        return float(self.ask(_CPU, b"").result())

    def _send(self, device: int, number: int, message: bytes) -> None:
        with self._sending:
            self._pipe.send_bytes(_TO.pack(device, number) + message)

    def _read(self) -> None:
        try:
            while True:
                answer = self._pipe.recv_bytes()
                self._answers.pop(*_FROM.unpack_from(answer)).set_result(answer[_FROM.size :])
        except (EOFError, OSError):
            while self._answers:
                self._answers.popitem()[1].set_exception(LineLost("the made-up hosts have ended"))


class _Line:
    def __init__(self, hosts: MadeUpHosts, device: int, node: str) -> None:
        self._hosts, self._device = hosts, device
        self.node, self.host = node, f"host-{node}"

    def ask(self, message: bytes) -> "Future[bytes]":
        return self._hosts.ask(self._device, message)

    def close(self) -> None:
        self._hosts.end(self._device)


def serve(pipe: Connection, own: Path) -> None:
    """Answer until the other end is closed."""
    servers: dict[int, Server] = {}
    while True:
        message = pipe.recv_bytes()
        device, number = _TO.unpack_from(message)
        if device == _CPU:
            pipe.send_bytes(_FROM.pack(number) + str(time.process_time()).encode())
        elif number == _CLOSE:
            if server := servers.pop(device, None):
                server.close()
        else:
            server = servers.get(device) or servers.setdefault(device, Server(own))
            pipe.send_bytes(_FROM.pack(number) + server.answer(message[_TO.size :]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, suppress(EOFError, OSError):
        serve(Connection(int(sys.argv[1])), Path(folder))
