"""Programs that fail on a host of a cluster in a certain way, each way once."""

import functools
import os
import signal
import time
from pathlib import Path

import msgspec

from bench.fleet.messages import Go, Hello, Hosted, Make, encode, read_answer, read_question
from bench.fleet.process import Process

_A_VISIT_S = 0.1


class Faulty:
    """A real program, whose answers go wrong as `fault` says; `notes` is a folder of what happened so far."""

    def __init__(self, environment: str, fault: str, notes: Path, own: Path):
        self._fault, self._notes = fault, notes
        self._process = Process(environment, own)

    def answer(self, message: bytes) -> bytes:
        question = read_question(message)
        if isinstance(question, Hello) and self._fault in {"other mount", "otherwise"}:
            message = encode(msgspec.structs.replace(question, artifacts="/nowhere"))
        if isinstance(question, Make) and self._fault == "slow export" and self._first("exporting"):
            time.sleep(60)
        if isinstance(question, Go):
            time.sleep(_A_VISIT_S)  # the fake device takes no time, and a test must find it in a visit
        answer = self._process.answer(message)
        if isinstance(question, Go):
            return self._after_a_visit(answer)
        if isinstance(question, Hello) and self._fault == "other versions" and (self._notes / "lost").exists():
            came = read_answer(answer, Hosted)
            other = msgspec.structs.replace(came.machine, versions=came.machine.versions | {"numpy": "0.1"})
            return encode(msgspec.structs.replace(came, machine=other))
        return answer

    def _after_a_visit(self, answer: bytes) -> bytes:
        if self._fault in {"lost answer", "other versions"} and self._first("lost"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault == "hangs" and self._first("hung"):
            time.sleep(60)
        if self._fault == "late" and self._first("late"):
            time.sleep(2.5)
            (self._notes / "answered late").touch()
        return answer

    def _first(self, what: str) -> bool:
        """Whether it is the first time, on any host."""
        try:
            (self._notes / what).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def close(self) -> None:
        self._process.close()


class FaultyHosts:
    """The hosts of a cluster with such programs."""

    def __init__(self, cluster, folder, fault="", wait_s=1.0):
        self._cluster, self._folder, self._fault, self._wait_s = cluster, folder, fault, wait_s

    def nodes(self):
        return self._cluster.nodes()

    def hold(self, demand, environment, *, name, stop):
        start = functools.partial(Faulty, environment, self._fault, self._folder, self._folder / "own")
        return self._cluster.hold(demand, start, name=name, stop=stop, limit_s=self._wait_s)


class Unable:
    """A program that one node can't start."""

    def __init__(self, node: str):
        import ray

        if ray.get_runtime_context().get_node_id() == node:
            raise ModuleNotFoundError("No module named 'bench'")

    def close(self) -> None:
        pass
