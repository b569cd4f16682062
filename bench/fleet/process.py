"""The program on a host as a process of its own, under the Python of the environment that a target names.

`python -m bench.fleet.process FD` answers at the other end of an inherited pipe. A process of its own is what a local
sweep has too, whatever else its host's Ray worker loaded.
"""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from bench.fleet.messages import Refused, encode
from bench.fleet.server import Server
from devices.environment import python_of
from system.child import guard_child
from system.files import user_cache

_ROOT = Path(__file__).parents[2]
_CLOSING_S = 5.0


class Process:
    """A server in a process that ends with this one. Its answers, and that it has ended, are messages."""

    def __init__(self, environment: str, own: Path | None = None) -> None:
        here, there = Pipe()
        # Nothing is ever written to it: it is closed when this process ends, whatever ends it.
        alive, self._alive = os.pipe()
        command = [python_of(environment), "-m", "bench.fleet.process", str(there.fileno()), str(alive)]
        if own is not None:
            command.append(str(own))
        # Which `bench` is meant must not depend on the folder that Ray started in.
        variables = os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1"}
        handles = [there.fileno(), alive]
        self._process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, pass_fds=handles)
        there.close()
        os.close(alive)
        self._pipe = here

    def answer(self, message: bytes) -> bytes:
        """The server's answer to a message."""
        try:
            self._pipe.send_bytes(message)
            return self._pipe.recv_bytes()
        except (OSError, EOFError):
            return encode(Refused(reason=self._end(), gone=True))

    def close(self) -> None:
        """End it, and with it what it holds."""
        self._pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_CLOSING_S)
        os.close(self._alive)
        self._process.wait()

    def _end(self) -> str:
        code = self._process.wait()
        if code == -9:
            return "its process was killed, most likely out of memory"
        return f"its process has ended ({f'signal {-code}' if code < 0 else f'exit code {code}'})"


def serve(pipe: Connection, own: Path) -> None:
    """Answer until the other end is closed."""
    guard_child()
    server = Server(own)
    try:
        while True:
            pipe.send_bytes(server.answer(pipe.recv_bytes()))
    except (EOFError, OSError):
        pass
    finally:
        server.close()


def _end_with(alive: int) -> None:
    """End this process and all that it started when its parent has ended, even in the middle of an answer."""
    import psutil

    os.read(alive, 1)  # until the other end is closed
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
    os._exit(1)


if __name__ == "__main__":
    handle, alive, *own = sys.argv[1:]
    threading.Thread(target=_end_with, args=(int(alive),), daemon=True).start()
    serve(Connection(int(handle)), Path(own[0]) if own else user_cache() / "artifacts")
