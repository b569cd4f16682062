"""What happens to the hosts of a fleet, on a real Ray cluster of several nodes on this machine.

Each sweep ends, and every network is measured once or has a record that says why not.
"""

import functools
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil
import pytest

from bench.fleet.hosts import RayHosts
from bench.fleet.process import Process
from bench.fleet.remote import Remote
from bench.protocol import Protocol
from bench.records.journal import Journal, Visited
from bench.records.store import read_records
from bench.sweep import SweepRequest, sweep
from bench.trust.reference import reference_artifacts
from devices.targets import find_targets
from exporters.artifact import Artifact
from exporters.parallel import obtain_all
from models import find
from system.cluster import Demand
from system.errors import UserError
from tests.bench.fleet.faulty import FaultyHosts, Unable
from tests.bench.fleet.in_threads import sweep_all
from tests.bench.fleet.test_sweeps import nothing_doubled

pytestmark = pytest.mark.ray
TINY = ["zennet:SuperConvK3BNRELU(3,8,2,1)@32", "zennet:SuperConvK3BNRELU(3,16,2,1)@32"]
FEW = ["*t-B3", "*t-B5", "*t-B6"]
QUICK = {"warmup_s": 0.0, "visit_s": 0.05, "min_visits": 6, "max_visits": 6, "budget_s": 100.0}
# Variables that tell a worker of its cluster, Python where this suite lies, and this process of its terminal and test.
NOT_COMPARED = ("RAY_", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONBREAKPOINT", "SPT_NOENV", "PYTEST_", "COLUMNS", "LINES")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """A folder with the files of a sweep of `cpu`, so that no test waits for them."""
    folder = tmp_path_factory.mktemp("artifacts")
    (target,) = find_targets("cpu")
    reference_artifacts(target, folder)
    assert all(isinstance(made, Artifact) for _, made in obtain_all([target.job(*find(name)) for name in TINY], folder))
    return folder


@pytest.fixture
def request_of(tmp_path):
    def make(
        target="fake",
        *,
        models=FEW,
        folder=tmp_path / "artifacts",
        results=tmp_path / "results",
        resume=False,
        **protocol,
    ):
        return SweepRequest(
            target=find_targets(target)[0],
            models=[model for pattern in models for model in find(pattern)],
            protocol=Protocol(**(QUICK | protocol)),
            results=tmp_path / results,
            artifacts=folder,
        )

    return make


@contextmanager
def during(hosts, request):
    """A sweep in a thread, while the block runs; what came of it is appended to the list."""
    came = []
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(sweep_all, hosts, [request])
        try:
            yield came
        finally:
            came.extend(running.result(timeout=120))


def until(holds, limit_s=60.0):
    end_s = time.monotonic() + limit_s
    while not (found := holds()):
        assert time.monotonic() < end_s, "it did not come"
        time.sleep(0.02)
    return found


def visited(request) -> list:
    entries = Journal(request.results, request.target.name).entries()
    return [entry.visit for entry in entries if isinstance(entry, Visited)]


def servers() -> list[psutil.Process]:
    """The programs of this test's own clusters."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if "bench.fleet.process" in each.cmdline() and each.environ().get("FLEET_TEST") == str(os.getpid()):
                found.append(each)
    return found


@pytest.fixture(autouse=True, scope="module")
def ours():
    """A mark that every process of this test's clusters inherits."""
    os.environ["FLEET_TEST"] = str(os.getpid())
    yield
    del os.environ["FLEET_TEST"]


@pytest.fixture(autouse=True)
def nothing_left(ours):
    yield
    until(lambda: not servers(), limit_s=10.0)


def gone(processes) -> bool:
    """Whether these have ended; one that nobody has waited for yet has."""
    psutil.wait_procs(processes, timeout=5)
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in processes)


@pytest.mark.parametrize("killed", ["the program", "the worker of Ray that started it"])
def test_a_killed_process_costs_one_visit(cluster, node, request_of, artifacts, killed):
    node(cpu=1)
    request = request_of("cpu", models=TINY, folder=artifacts)
    with during(RayHosts(cluster, 1.0), request) as came:
        until(lambda: len(visited(request)) >= 2)
        (program,) = servers()
        children = program.children(recursive=True)
        assert children
        (program if killed == "the program" else program.parent()).kill()
        assert gone([program, *children])
    (records,) = came
    assert [len(record.measurement.visits) for record in records] == [6, 6]
    nothing_doubled(request)


def test_a_lost_node_is_replaced_by_another(cluster, node, request_of, tmp_path):
    first = node(fake=1)
    request = request_of()
    with during(FaultyHosts(cluster, tmp_path, wait_s=30.0), request) as came:
        until(lambda: len(visited(request)) >= 2)
        node.remove(first)
        node(fake=1)
    (records,) = came
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    nothing_doubled(request)


def test_a_lost_node_that_nothing_replaces_is_the_reason(cluster, node, request_of, tmp_path):
    only = node(fake=1)
    request = request_of()
    with during(FaultyHosts(cluster, tmp_path), request) as came:
        kept = until(lambda: len(visited(request)) >= 2 and visited(request))
        node.remove(only)
    (records,) = came
    assert all("no device is left to measure it" in record.reason for record in records)
    visits = [visit for record in records if record.measurement for visit in record.measurement.visits]
    assert all(visit in visits for visit in kept)
    assert len(visits) < 18
    nothing_doubled(request)


def test_a_node_lost_while_it_exports_costs_no_network(cluster, node, request_of, tmp_path):
    exporting = node()
    request = request_of(models=["*t-B3", "*t-B5"])
    with during(FaultyHosts(cluster, tmp_path, "slow export", wait_s=30.0), request) as came:
        until((tmp_path / "exporting").exists)
        node.remove(exporting)
        node(fake=1)
    (records,) = came
    assert [len(record.measurement.visits) for record in records] == [6, 6]
    nothing_doubled(request)


@pytest.mark.parametrize("fault", ["lost answer", "hangs", "late"])
def test_an_answer_that_does_not_come_in_time_is_no_visit(cluster, node, request_of, tmp_path, fault):
    node(fake=1)
    request = request_of(timeout_s=0.5)
    (records,) = sweep_all(FaultyHosts(cluster, tmp_path, fault), [request])
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    nothing_doubled(request)


def test_a_node_that_comes_back_with_other_versions_is_not_used(cluster, node, request_of, tmp_path):
    node(fake=1)
    request = request_of()
    (records,) = sweep_all(FaultyHosts(cluster, tmp_path, "other versions"), [request])
    assert all("is not the machine it was" in record.reason for record in records)
    nothing_doubled(request)


def test_a_device_that_someone_else_holds_is_waited_for(cluster, node, request_of):
    node(fake=1)
    hosts = RayHosts(cluster, 1.0)
    start = functools.partial(Process, "cpu")
    other = cluster.hold(Demand({"fake": 1.0}), start, name="other", stop=threading.Event(), limit_s=1.0)
    request = request_of()
    with during(hosts, request) as came:
        time.sleep(1.5)
        assert ("other" in [name for _, name in cluster.users()]) and not visited(request)
        other.close()
    (records,) = came
    assert [len(record.measurement.visits) for record in records] == [6, 6, 6]
    nothing_doubled(request)


def test_a_killed_driver_leaves_nothing_and_goes_on(head, node, request_of, artifacts):
    node(cpu=1)
    request = request_of("cpu", folder=artifacts)
    protocol = [f"--{name.removesuffix('_s').replace('_', '-')}={value}" for name, value in QUICK.items()]
    line = [sys.executable, "-m", "bench", "cpu", "--ray", head.address, *protocol]
    line += [*(f"--model={name}" for name in TINY), "--results", str(request.results)]
    line += ["--artifacts", str(artifacts)]
    driver = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until(lambda: len(visited(request)) >= 4)
    left = [each for server in servers() for each in [server, *server.children(recursive=True)]]
    assert left
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    assert gone(left)
    kept = visited(request)
    done = subprocess.run([*line, "--resume"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    records = read_records(request.results / "cpu.jsonl")
    visits = [visit for record in records for visit in record.measurement.visits]
    assert [len(record.measurement.visits) for record in records] == [6, 6]
    assert all(visit in visits for visit in kept)


def test_a_host_without_the_suite_is_an_error_that_says_so(cluster, node, monkeypatch):
    node(fake=1)
    module = types.ModuleType("nowhere_else")
    exec("def start(): pass", vars(module))
    monkeypatch.setitem(sys.modules, "nowhere_else", module)
    with pytest.raises(UserError, match="can't start the suite: ModuleNotFoundError: No module named 'nowhere_else'"):
        cluster.hold(Demand({"fake": 1.0}), module.start, name="none", stop=threading.Event(), limit_s=1.0)


def test_a_host_that_cannot_start_the_suite_is_passed_over(cluster, node):
    """Ray chooses it, since the other host is in use."""
    node(fake=1)
    node(fake=1)
    demand, hold = Demand({"fake": 1.0}), functools.partial(cluster.hold, stop=threading.Event(), limit_s=1.0)
    other = hold(demand, functools.partial(Process, "cpu"), name="other")
    (unable,) = [each.name for each in cluster.nodes() if each.offers(demand) and each.name != other.node]
    threading.Timer(2.0, other.close).start()
    line = hold(demand, functools.partial(Unable, unable), name="passed over")
    assert line.node == other.node
    line.close()


def test_a_session_sees_what_one_of_a_local_sweep_sees(
    head, cluster, node, request_of, artifacts, tmp_path, monkeypatch
):
    """The variables, the niceness and the runtime's own words of the process that measures."""
    node(cpu=1, options={"num_cpus": 2})
    seen = []
    for name, sweeping in (("far", functools.partial(_swept_there, RayHosts(cluster, 1.0))), ("near", sweep)):
        request = request_of("cpu", models=TINY[:1], folder=artifacts, results=name)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(sweeping, request)
            until(functools.partial(visited, request))
            (parent,) = servers() if name == "far" else [psutil.Process()]
            seen.append(sessions_below(parent))
            running.result()
    (far_nice, far), (near_nice, near) = seen
    assert len(far) > 5
    assert far_nice == near_nice == {os.nice(0)}
    assert {name for name in {*far, *near} if far.get(name) != near.get(name)} == set()
    words = [read_records(tmp_path / name / "cpu.jsonl")[0].measurement.ran_on for name in ("far", "near")]
    assert words[0] == words[1]


def _swept_there(hosts, request):
    return sweep_all(hosts, [request])


def sessions_below(parent) -> tuple[set[int], dict[str, str]]:
    """The niceness of the processes of sessions, and the variables that they were started with."""
    nice, variables = set(), {}
    for each in parent.children(recursive=True):
        with suppress(psutil.Error):
            if any("spawn_main" in part for part in each.cmdline()):
                nice.add(each.nice())
                variables |= each.environ()
    return nice, {name: value for name, value in variables.items() if not name.startswith(NOT_COMPARED)}


def test_a_large_file_arrives_whole_though_the_object_store_is_full(cluster, node, tmp_path, a_file):
    """Someone else has filled the object store of a host that doesn't see the driver's folder."""
    import ray as library

    node(fake=1)

    class Filler:
        def fill(self):
            self.kept = [library.put(bytes(9_000_000)) for _ in range(12)]
            return sum(len(library.get(each)) for each in self.kept)

    filler = library.remote(resources={"fake": 0.001}, num_cpus=0)(Filler).remote()
    assert library.get(filler.fill.remote()) == 108_000_000
    content = os.urandom(30_000_000)
    path = Path(a_file[0].path)
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    artifact = msgspec.structs.replace(a_file[0], sha256=sha256, size_bytes=len(content))
    stop = threading.Event()
    line = FaultyHosts(cluster, tmp_path, "other mount").hold(Demand({"fake": 0.9}), "cpu", name="files", stop=stop)
    try:
        remote = Remote(line, tmp_path / "driver")
        assert not remote.shares_artifacts
        remote.deliver(artifact)
        assert (tmp_path / "own" / "by-content" / sha256).read_bytes() == content
    finally:
        line.close()
        library.kill(filler)
