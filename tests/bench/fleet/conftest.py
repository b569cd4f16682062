import hashlib

import pytest

from exporters.artifact import Artifact
from tests.fake_phone.fixtures import phones, server
from tests.needs import ray

__all__ = ["phones", "server"]


@pytest.fixture(scope="module")
def head():
    """The head of a cluster: it offers nothing itself, and notices lost nodes soon."""
    ray()
    from ray.cluster_utils import Cluster

    seldom = {"health_check_period_ms": 300, "health_check_failure_threshold": 3, "health_check_initial_delay_ms": 0}
    started = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "_system_config": seldom},
    )
    yield started
    started.shutdown()


@pytest.fixture(scope="module")
def cluster(head):
    from system.cluster_connection import connected

    with connected(head.address) as joined:
        yield joined


@pytest.fixture
def node(head):
    """Adds nodes with resources for the time of a test."""
    added = []

    def add(**resources):
        options = {"num_cpus": 1, "object_store_memory": 80_000_000} | resources.pop("options", {})
        added.append(head.add_node(resources=resources, **options))
        return added[-1]

    add.remove = lambda one: (added.remove(one), head.remove_node(one, allow_graceful=False))
    yield add
    for each in added:
        head.remove_node(each, allow_graceful=False)


@pytest.fixture
def a_file(tmp_path):
    """An artifact whose file lies in a driver's folder, and the content of the file."""
    content = bytes(range(256)) * 100
    path = tmp_path / "driver" / "net" / "file.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    artifact = Artifact(
        model="net",
        format="onnx",
        precision="fp32",
        batch=1,
        path=str(path),
        input_shape=(1, 3, 32, 32),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        weights="seed 0",
        made_by={},
        fidelity=None,
    )
    return artifact, content
