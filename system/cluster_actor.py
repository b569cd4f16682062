"""Programs on the hosts of a Ray cluster: the actor that runs one there, and this end of the line to it."""

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple

from system.cluster import Answerer, Demand, LineLost
from system.errors import one_line

_GONE = "its host is gone"


class HostGone(LineLost):
    """A host that is gone, whatever ran there: another one may do."""


class HostProgram:
    """An actor that runs a program on its host."""

    def __init__(self, start: Callable[[], Answerer], given: Sequence[str]) -> None:
        _undo_ray(given)
        self._program = start()

    def where(self) -> str:
        """The identity of its host in Ray, and the host's name."""
        import socket

        import ray

        return f"{ray.get_runtime_context().get_node_id()} {socket.gethostname()}"

    def answer(self, message: bytes) -> bytes:
        """The program's answer."""
        return self._program.answer(message)


def _undo_ray(given: Sequence[str]) -> None:
    """Undo what Ray does to its workers, so that a program measures as it would without Ray.

    Ray sets the threads of numerical libraries by the cores that a worker holds, hides the GPUs from one that holds
    none, and lets all of them run at niceness 15. `given` are variables that the user gave by runtime_env.
    """
    import psutil

    with suppress(psutil.Error, OSError, ValueError, KeyError):
        raylet = psutil.Process(int(os.environ["RAY_RAYLET_PID"]))
        hidden = [] if os.environ.get("CUDA_VISIBLE_DEVICES", "none") else ["CUDA_VISIBLE_DEVICES"]
        for name in {"OMP_NUM_THREADS", *hidden} - set(given):
            os.environ.pop(name, None)
            if name in (there := raylet.environ()):
                os.environ[name] = there[name]
        # Only root may; the driver warns of a niceness that stays.
        os.setpriority(os.PRIO_PROCESS, 0, raylet.nice())


def start_program(
    ray: Any, demand: Demand, start: Callable[[], Answerer], *, name: str, runtime_env: Mapping[str, Any]
) -> "Pending":
    """Ask for an actor that runs what `start` gives, and holds the resources of `demand` on its node or on any."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    resources = {each: amount for each, amount in demand.resources.items() if each not in {"CPU", "GPU"}}
    options: dict[str, Any] = {
        "name": f"{name} {uuid.uuid4().hex[:8]}",
        "num_cpus": demand.resources.get("CPU", 0.0),
        "num_gpus": demand.resources.get("GPU", 0.0),
        "resources": resources,
        # Whether a visit is made again is up to who asked for it.
        "max_restarts": 0,
        "max_task_retries": 0,
    }
    if demand.node is not None:
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(demand.node, soft=False)
    if runtime_env:
        options["runtime_env"] = runtime_env
    given = sorted(runtime_env.get("env_vars") or {})
    actor = ray.remote(HostProgram).options(**options).remote(start, given)  # it answers one question at a time
    return Pending(ray, actor, actor.where.remote())


class RayLine:
    """The line to an actor; `where` is what its method `where` says."""

    def __init__(self, ray: Any, actor: Any, where: str) -> None:
        self._ray, self.actor = ray, actor
        self.node, _, self.host = where.partition(" ")

    def ask(self, message: bytes) -> "Future[bytes]":
        answered: Future[bytes] = Future()
        answered.set_running_or_notify_cancel()

        def hand_on(came: "Future[object]") -> None:
            try:
                answer = came.result()
                if not isinstance(answer, bytes):
                    raise LineLost("its answer is no message")
                answered.set_result(answer)
            except LineLost as lost:
                answered.set_exception(lost)
            except Exception as error:
                answered.set_exception(LineLost(_reason(self._ray, error)))

        try:
            self.actor.answer.remote(message).future().add_done_callback(hand_on)
        except Exception as error:  # the object store is full, or the connection to the cluster is gone
            answered.set_exception(LineLost(_reason(self._ray, error)))
        return answered

    def close(self) -> None:
        with suppress(Exception):  # the cluster may be gone
            self._ray.kill(self.actor, no_restart=True)


class Pending(NamedTuple):
    """An actor that was asked for; `begun` is there once it runs."""

    ray: Any
    actor: Any
    begun: Any

    def line(self) -> RayLine:
        """The line to it, once it has begun. Raises HostGone, or LineLost where it can't run."""
        try:
            return RayLine(self.ray, self.actor, str(self.ray.get(self.begun)))
        except Exception as error:
            kind = HostGone if (reason := _reason(self.ray, error)) == _GONE else LineLost
            raise kind(reason) from error

    def withdraw(self) -> None:
        """End it, whether it runs or is still waited for."""
        with suppress(Exception):
            self.ray.kill(self.actor, no_restart=True)


def _reason(ray: Any, error: BaseException) -> str:
    """What Ray says of an error, in one line that a user can read."""
    said = ray.exceptions
    plain = {
        said.ObjectStoreFullError: "the object store is full",
        said.OutOfMemoryError: "killed by Ray, since its host's memory was short",
        said.NodeDiedError: _GONE,
        said.ObjectLostError: "its answer was lost on the way",
    }
    for kind, text in plain.items():
        if isinstance(error, kind):
            return text
    if isinstance(error, said.RayActorError | said.ActorUnschedulableError):
        text = str(error)
        if "creation task" in text:  # the last line of its traceback says why
            return one_line(text.strip().splitlines()[-1], 200)
        gone = isinstance(error, said.ActorUnschedulableError) or ("node" in text.lower() and "died" in text.lower())
        return _GONE if gone else "its process has ended"
    cause = getattr(error, "cause", None)
    return one_line(cause if cause is not None else f"{type(error).__name__}: {error}", 200)
