import os
import secrets
import signal

import pytest
from hypothesis import settings

from bench.records.known_machines import FOLDER_VARIABLE as MACHINES
from devices.lease import FOLDER_VARIABLE as LEASES
from system.machine import available_bytes, usable_cores
from tests.needs import REQUIRE_ALL, left_out, refused

# A shell without job control has its background commands ignore Ctrl-C, and what they start inherits that. Some tests
# send it to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The machine may be busy: no example has a time within which it must end.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

# What `make test` leaves out and a release runs (`make test ARGS='-m slow'`): real training, every exporter on whole
# networks, a real cluster's faults, whole pages of the documentation. Each test takes more than a quarter of a minute,
# or is one of many that take long together.
SLOW = (
    "bench/accuracy/test_command.py",
    "bench/accuracy/test_digits.py",
    "bench/fleet/test_faults.py",
    "bench/fleet/test_phone_cluster.py",
    "bench/test_command.py::test_a_network_without_a_number_exits_1_and_the_others_are_measured",
    "bench/test_profile.py",
    "bench/trust/test_statistics.py::test_the_interval_holds_what_another_sweep_gives",
    "devices/profilers/test_trt.py::test_our_file_type_checks_against_the_real_api[10.",
    "devices/runtimes/test_litert.py::test_a_converter_that_crashes_or_eats_the_memory_costs_one_network_its_number",
    "devices/test_runtime.py::test_mypy_refuses",
    "exporters/test_cache.py::test_the_command_takes_the_batch_of_the_format_where_none_is_given",
    "exporters/test_extremes.py",
    "exporters/test_layouts.py",
    "exporters/test_to_onnx.py::test_networks_of_timm_are_exported_at_any_resolution",
    "exporters/test_to_tensorrt.py::test_our_files_type_check_against_the_real_api[10.",
    "exporters/test_to_tensorrt_rtx.py::test_the_real_builder_takes_every_kind_of_block",
    "exporters/test_trained.py",
    "models/test_zoo.py::test_committed_counts_are_what_torch_counts[RepViT",
    "reports/compare/test_compare.py::test_three_sweeps_a_run_find_three_percent",
    "studies/test_breadth.py",
    "studies/test_int8_calibration.py",
    "studies/test_trust.py::test_stopping_early_favours_no_number",
    "system/test_zennet_latency.py::test_its_child_processes_export",
    "test_extras.py::test_the_gpus_tests_are_read_with_that_alone",
    "test_lanes_report.py",
    "test_needs.py",
    "test_networks_page.py::test_fine_tuning_learns_the_digits",
    "test_recipes.py",
    "test_your_own.py",
)

# A worker with torch, and a child of it that exports a network.
_WORKER_BYTES = 4 * 2**30
_MOST_WORKERS = 8  # with more, the longest tests are what is left

# Ray reads it once, when it is imported; the hosts of a test's cluster, some added later, must have one token.
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@pytest.fixture(scope="session", autouse=True)
def leases(tmp_path_factory):
    """Tests that run at once, or while someone measures, hold devices of the same names."""
    os.environ[LEASES] = str(tmp_path_factory.mktemp("leases"))


# The sweeps of a test are not to be known to another one, nor to those of who runs the tests.
@pytest.fixture(scope="module", autouse=True)
def machines_of_the_module(tmp_path_factory):
    os.environ[MACHINES] = str(tmp_path_factory.mktemp("machines"))


@pytest.fixture(autouse=True)
def machines(machines_of_the_module, tmp_path_factory, monkeypatch):
    """The folder of what sweeps of this test leave for others of the same machine."""
    folder = tmp_path_factory.mktemp("machines")
    monkeypatch.setenv(MACHINES, str(folder))
    return folder


def pytest_xdist_auto_num_workers():
    """Half as many workers again as there are cores, since a quarter of a test's time passes waiting for programs and
    phones; fewer where the memory doesn't hold them.
    """
    return max(2, min(usable_cores() * 3 // 2, available_bytes() // _WORKER_BYTES, _MOST_WORKERS))


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    for item in items:
        if item.nodeid.removeprefix("tests/").startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    # pytest-xdist's workers have no reporter; what they left out is reported where they are controlled from.
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.exitstatus == 0 and refused(left_out(reporter.stats.get("skipped", []))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    reasons = left_out(terminalreporter.stats.get("skipped", []))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} test{'s' * (count > 1)} left out: {reason}")
    if refused(reasons):
        terminalreporter.write_line(f"error: {REQUIRE_ALL} is set, and tests were left out")
