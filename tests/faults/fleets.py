"""Fleets on a real Ray cluster of several nodes on this machine: the tests that plant faults there, by what they plant.

They run once, the first time that one is asked for; rows count what came of their tests.
"""

import functools
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

_TESTS = "tests/bench/fleet/test_faults.py"
_ROOT = Path(__file__).parents[2]


def program_killed(folder: Path) -> tuple[int, str]:
    """The program that measures on a host of a fleet, or the worker of Ray that started it, killed in a visit."""
    return _passed(
        "test_a_killed_process_costs_one_visit"
    ), "one visit is made again; nothing of it is left on the host"


def node_replaced(folder: Path) -> tuple[int, str]:
    """A node of a fleet lost in a visit, and another one in its place."""
    return _passed(
        "test_a_lost_node_is_replaced_by_another"
    ), "the sweep goes on there; every network has all its visits"


def node_lost(folder: Path) -> tuple[int, str]:
    """The last node of a fleet lost in a visit."""
    count = _passed("test_a_lost_node_that_nothing_replaces_is_the_reason")
    return count, "records with the visits so far and the reason; none of them is lost"


def node_lost_exporting(folder: Path) -> tuple[int, str]:
    """A node of a fleet lost while it exports."""
    return _passed("test_a_node_lost_while_it_exports_costs_no_network"), "another one exports; no network is lost"


def answers(folder: Path) -> tuple[int, str]:
    """An answer of a fleet's host that is lost on the way, hangs past its limit, or comes after it was given up."""
    count = _passed("test_an_answer_that_does_not_come_in_time_is_no_visit")
    return count, "the visit is made again; a late answer is not read, and no visit counts twice"


def other_versions(folder: Path) -> tuple[int, str]:
    """A node of a fleet that comes back with other versions of what it measures with."""
    return _passed("test_a_node_that_comes_back_with_other_versions_is_not_used"), "not used; the reason says so"


def device_held(folder: Path) -> tuple[int, str]:
    """A device of a fleet that someone else holds."""
    return _passed("test_a_device_that_someone_else_holds_is_waited_for"), "waited for; then every visit is made"


def driver_killed(folder: Path) -> tuple[int, str]:
    """The driver of a fleet killed with SIGKILL."""
    count = _passed("test_a_killed_driver_leaves_nothing_and_goes_on")
    return count, "no process is left on a host; `--resume` goes on, no answered visit is lost"


def no_suite(folder: Path) -> tuple[int, str]:
    """A host of a fleet on which the suite can't be imported."""
    return _passed("test_a_host_without_the_suite_is_an_error_that_says_so"), "one error that says what is missing"


def store_full(folder: Path) -> tuple[int, str]:
    """The object store of a fleet's host full while a large file is sent to it."""
    return _passed("test_a_large_file_arrives_whole_though_the_object_store_is_full"), "it arrives whole, in pieces"


def _passed(test: str) -> int:
    """How many cases of a test there were, all of which must have passed."""
    found = [outcome for name, outcome in _outcomes() if name.partition("[")[0] == test]
    assert found, f"no test {test}, or no Ray here"
    assert set(found) == {"passed"}, (test, found)
    return len(found)


@functools.cache
def _outcomes() -> tuple[tuple[str, str], ...]:
    """Every test of the file with its outcome."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.xml"
        # They are slow ones, which pytest leaves out unless it is told.
        line = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "ray", "--junitxml", str(file), _TESTS]
        ended = subprocess.run(
            line, cwd=_ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
        )
        assert file.exists(), ended.stderr
        cases = ET.parse(file).iter("testcase")  # our own file
        return tuple((case.get("name", ""), next((part.tag for part in case), "passed")) for case in cases)
