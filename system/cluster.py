"""A Ray cluster: what its hosts offer, and programs that run there while they hold some of it. Nothing else knows Ray.

Ray is an extra of its own (`pip install '.[fleet]'`); everything else works without it.
"""

import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, Protocol

from system.cluster_head import LOCAL, begin, refuse_unreachable, watched
from system.errors import UserError, one_line

ACCELERATOR = "accelerator_type:"  # how Ray's resources begin that name a kind of GPU
_ASK_AGAIN_S = 0.5
_MOST_HOSTS = 16  # that are asked at once for all their cores, each by a request of its own
_NAMESPACE = "zennet-latency"
_GONE = "its host is gone"
# Settings of Ray by which its processes take less of a host that measures: whether memory runs short is for the suite
# to see, and what is free is reported once a second instead of ten times.
QUIET = {
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_metrics_report_interval_ms": "60000",
    "RAY_task_events_report_interval_ms": "0",
}
_AGENT = "_Agent"  # the class of the actors below
_OFFER = "start it there with ray start --resources, see docs/fleet.md"


class LineLost(Exception):  # noqa: N818 - it ends one line, not the program
    """A program on a host that answers no more, with the reason in one line."""


class _HostGone(LineLost):
    """A host that is gone, whatever ran there: another one may do."""


class Answerer(Protocol):
    """A program that a line leads to."""

    def answer(self, message: bytes) -> bytes:
        """The answer to a message; it raises nothing."""

    def close(self) -> None:
        """End it."""


class Line(Protocol):
    """A program on a host, and what it holds there. `host` is the host's name, `node` its identity in Ray."""

    host: str
    node: str

    def ask(self, message: bytes) -> "Future[bytes]":
        """Send a message; its answer comes later, or LineLost where the program or its host is gone."""

    def close(self) -> None:
        """End the program at once and give back what it holds; a second call does nothing."""


class Demand(NamedTuple):
    """What a program holds while it runs: Ray resources by name, on one node or on any.

    `whole_host` adds all cores of the node, so that nothing else that takes cores runs there meanwhile. `excluded` are
    nodes that are not asked.
    """

    resources: Mapping[str, float]
    whole_host: bool = False
    node: str | None = None
    excluded: frozenset[str] = frozenset()

    def without(self, node: str) -> "Demand":
        """The same of another node."""
        return self._replace(excluded=self.excluded | {node})


class Node(NamedTuple):
    """A host of the cluster: its identity in Ray, its name, and the resources that it offers in all."""

    name: str
    host: str
    resources: dict[str, float]

    def offers(self, demand: Demand) -> bool:
        """Whether it has what is demanded, used by someone or not."""
        here = demand.node in {None, self.name} and self.name not in demand.excluded
        return here and all(self.resources.get(name, 0.0) >= amount for name, amount in demand.resources.items())


class Cluster:
    """A connection to a Ray cluster."""

    def __init__(self, ray: Any, runtime_env: Mapping[str, Any] | None = None) -> None:
        self._ray, self._runtime_env = ray, dict(runtime_env or {})

    def nodes(self) -> list[Node]:
        """The hosts that are there now."""
        return [
            Node(str(node["NodeID"]), str(node["NodeManagerHostname"]), dict(node["Resources"]))
            for node in self._ray.nodes()
            if node["Alive"]
        ]

    def hold(
        self,
        demand: Demand,
        start: Callable[[], Answerer],
        *,
        name: str,
        stop: threading.Event,
        limit_s: float,
    ) -> Line:
        """Run what `start` gives on a host that has what is demanded, once it is free; `start` runs there.

        Waits as long as some host offers it, used by someone or not, and `limit_s` where none does. Raises UserError
        where no host offers it, none of them can start the program, or `stop` is set meanwhile. `name` says to other
        users of the cluster what it is for.
        """
        by_itself = demand.whole_host or bool(demand.excluded)
        while True:
            able = self._able(demand, stop, limit_s)
            # One request where Ray may choose the host; all cores of a host can only be asked of each host by itself,
            # and so must a host other than those that are left out.
            asked = random.sample(able, min(len(able), _MOST_HOSTS))
            tried = [_on(demand, node) for node in asked] if by_itself else [demand]
            try:
                line = self._first([self._request(each, start, name) for each in tried], stop)
            except UserError:
                if by_itself or len(able) == 1 or stop.is_set():
                    raise
                line, by_itself = None, True  # Ray chose a host that can't start it; another one may
            if line is not None:
                return line
            stop.wait(_ASK_AGAIN_S)  # a host that is gone is listed until the cluster has noticed

    def _able(self, demand: Demand, stop: threading.Event, limit_s: float) -> list[Node]:
        """The hosts that offer what is demanded, once there are some."""
        begun_s = time.monotonic()
        while not (able := [node for node in self.nodes() if node.offers(demand)]):
            if stop.wait(_ASK_AGAIN_S):
                raise _ended()
            if time.monotonic() - begun_s > limit_s:
                offered = sorted({name for node in self.nodes() for name in node.resources if _is_telling(name)})
                wanted = ", ".join(f"{name} {amount:g}" for name, amount in demand.resources.items()) or "a host"
                raise UserError(f"no host offers {wanted}", found=f"{', '.join(offered) or 'no host'}", fix=_OFFER)
        return able

    def users(self) -> list[tuple[str, str]]:
        """The programs that run now, everyone's: the name of the host, and what each is for."""
        # To ask the programs themselves, each would need a second thread, and with one Ray's worker wakes a hundred
        # times a second. Ray's public list of actors needs a dashboard.
        from ray._private.state import actors

        hosts = {node.name: node.host for node in self.nodes()}
        running = [each for each in actors().values() if each["State"] == "ALIVE" and each["ActorClassName"] == _AGENT]
        return sorted((hosts.get(each["Address"]["NodeID"], "?"), each["Name"].rpartition(" ")[0]) for each in running)

    def _request(self, demand: Demand, start: Callable[[], Answerer], name: str) -> "_Pending":
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
        if self._runtime_env:
            options["runtime_env"] = self._runtime_env
        given = sorted(self._runtime_env.get("env_vars") or {})
        actor = self._ray.remote(_Agent).options(**options).remote(start, given)  # it answers one question at a time
        return _Pending(self._ray, actor, actor.where.remote())

    def _first(self, pending: Sequence["_Pending"], stop: threading.Event) -> Line | None:
        """The first that starts, the others are withdrawn; None where the hosts of all are gone."""
        waiting, chosen, reasons = list(pending), None, []
        try:
            while waiting and chosen is None:
                if stop.is_set():
                    raise _ended()
                ready, _ = self._ray.wait([each.begun for each in waiting], num_returns=1, timeout=_ASK_AGAIN_S)
                for each in [each for each in waiting if each.begun in ready]:
                    waiting.remove(each)
                    try:
                        chosen = each.line()
                        break
                    except _HostGone:
                        continue
                    except LineLost as lost:
                        reasons.append(str(lost))
        finally:
            for each in pending:
                if chosen is None or each.actor is not chosen.actor:
                    each.withdraw()
        if chosen is None and reasons:
            raise UserError("a host can't start the suite", found=reasons[0], fix="install the same version there")
        return chosen


def _on(demand: Demand, node: Node) -> Demand:
    cores = {"CPU": node.resources.get("CPU", 0.0)} if demand.whole_host else {}
    return Demand({**demand.resources, **cores}, node=node.name)


def _ended() -> UserError:
    return UserError("the wait for a host was ended", found="an interruption", fix="go on with --resume")


def _is_telling(name: str) -> bool:
    return not name.startswith(("node:", "memory", "object_store_memory"))


class _Agent:
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


class _RayLine:
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


class _Pending(NamedTuple):
    """An actor that was asked for; `begun` is there once it runs."""

    ray: Any
    actor: Any
    begun: Any

    def line(self) -> _RayLine:
        """The line to it, once it has begun. Raises LineLost where it can't run."""
        try:
            return _RayLine(self.ray, self.actor, str(self.ray.get(self.begun)))
        except Exception as error:
            kind = _HostGone if (reason := _reason(self.ray, error)) == _GONE else LineLost
            raise kind(reason) from error

    def withdraw(self) -> None:
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


def _end_log_monitor(ray: Any) -> None:
    """End what looks for new logs ten times a second, on the machine that measures; nobody reads them here."""
    with suppress(Exception):  # there is no public way, so a later Ray may have none
        ray._private.worker._global_node.kill_log_monitor(check_alive=False)


@contextmanager
def connected(address: str, runtime_env: Mapping[str, Any] | None = None) -> Iterator[Cluster]:
    """The Ray cluster at an address; `local` starts one on this machine, reachable from it alone, and ends it after.

    A head that goes away later ends this process. Raises UserError where Ray isn't installed, or doesn't answer there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address == LOCAL:
        # Ray listens on all addresses unless it is told that this machine can be no host of a cluster.
        os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"} | QUIET
    try:
        import ray
    except ImportError as error:
        raise UserError("--ray needs Ray", found="it is not installed", fix="pip install '.[fleet]'") from error
    options: dict[str, Any] = {"address": address, "namespace": _NAMESPACE}
    if address == LOCAL:
        # Given as an address, or else Ray would join a cluster that was started on this machine before.
        options |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    else:
        refuse_unreachable(address)
    begin(ray, address, options | {"log_to_driver": False, "configure_logging": False})
    if address == LOCAL:
        _end_log_monitor(ray)
    try:
        with watched(ray.get_runtime_context().gcs_address):
            yield Cluster(ray, runtime_env)
    finally:
        ray.shutdown()
