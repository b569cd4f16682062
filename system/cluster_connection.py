"""The connection to a Ray cluster, by which its hosts are listed and programs started there.

Ray is an extra of its own (`pip install '.[fleet]'`); everything else works without it.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from system.cluster import Answerer, Demand, Line, LineLost, Node
from system.cluster_actor import HostGone, HostProgram, Pending, start_program
from system.cluster_head import LOCAL, begin, refuse_unreachable, watched
from system.errors import UserError

_ASK_AGAIN_S = 0.5
_MOST_HOSTS = 16  # that are asked at once for all their cores, each by a request of its own
_NAMESPACE = "zennet-latency"
# Settings of Ray by which its processes take less of a host that measures: whether memory runs short is for the suite
# to see, and what is free is reported once a second instead of ten times.
_QUIET = {
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_metrics_report_interval_ms": "60000",
    "RAY_task_events_report_interval_ms": "0",
}
_OFFER = "start it there with ray start --resources, see docs/fleet.md"


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
            pending = [
                start_program(self._ray, each, start, name=name, runtime_env=self._runtime_env) for each in tried
            ]
            try:
                line = self._first(pending, stop)
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
                offered = sorted({name for node in self.nodes() for name in node.telling})
                wanted = ", ".join(f"{name} {amount:g}" for name, amount in demand.resources.items()) or "a host"
                raise UserError(f"no host offers {wanted}", found=f"{', '.join(offered) or 'no host'}", fix=_OFFER)
        return able

    def users(self) -> list[tuple[str, str]]:
        """The programs that run now, everyone's: the name of the host, and what each is for."""
        # To ask the programs themselves, each would need a second thread, and with one Ray's worker wakes a hundred
        # times a second. Ray's public list of actors needs a dashboard.
        from ray._private.state import actors

        hosts = {node.name: node.host for node in self.nodes()}
        ours = [each for each in actors().values() if each["ActorClassName"] == HostProgram.__name__]
        return sorted(
            (hosts.get(each["Address"]["NodeID"], "?"), each["Name"].rpartition(" ")[0])
            for each in ours
            if each["State"] == "ALIVE"
        )

    def _first(self, pending: Sequence[Pending], stop: threading.Event) -> Line | None:
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
                    except HostGone:
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
        os.environ |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"} | _QUIET
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
