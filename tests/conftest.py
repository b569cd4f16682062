import os
import secrets
import signal

import pytest

from devices.lease import FOLDER_VARIABLE
from tests.needs import REQUIRE_ALL, left_out, refused

# A shell without job control has its background commands ignore Ctrl-C, and what they start inherits that. Some tests
# send it to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Ray reads it once, when it is imported; the hosts of a test's cluster, some added later, must have one token.
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@pytest.fixture(scope="session", autouse=True)
def leases(tmp_path_factory):
    """Tests that run at once, or while someone measures, hold devices of the same names."""
    os.environ[FOLDER_VARIABLE] = str(tmp_path_factory.mktemp("leases"))


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
