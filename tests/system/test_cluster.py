"""A cluster that is started for one command, in a process of its own: whom it listens to, and what it leaves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import ray

pytestmark = pytest.mark.ray
ROOT = Path(__file__).parents[2]
_LISTENING = """
import json, threading
import psutil
from contextlib import suppress
from system.cluster import Demand
from system.cluster_connection import connected
from system.cluster_head import LOCAL

class Program:
    def answer(self, message):
        return message[::-1]

with connected(LOCAL) as cluster:
    line = cluster.hold(Demand({"CPU": 1.0}), Program, name="test", stop=threading.Event(), limit_s=1.0)
    me = psutil.Process()
    listening = []
    for each in [me, *me.children(recursive=True)]:
        with suppress(psutil.Error):
            name = each.name()
            listening += [(name, at.laddr.ip) for at in each.net_connections("inet") if at.status == "LISTEN"]
    answer = line.ask(b"abc").result().decode()
    users, nodes = cluster.users(), len(cluster.nodes())
print(json.dumps({"listening": listening, "answer": answer, "users": users, "nodes": nodes}))
"""


def test_a_local_cluster_is_reachable_from_this_machine_alone():
    ray()
    done = subprocess.run([sys.executable, "-c", _LISTENING], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["answer"] == "cba"
    assert [name for _, name in found["users"]] == ["test"]
    assert found["nodes"] == 1  # and not one of a cluster that runs here anyway
    assert {name for name, _ in found["listening"]} >= {"gcs_server", "raylet"}
    assert {address.removeprefix("::ffff:") for _, address in found["listening"]} <= {"127.0.0.1", "::1"}
