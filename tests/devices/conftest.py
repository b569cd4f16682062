"""What several devices' tests need: a real adb server that knows no phone but theirs."""

import pytest

from tests.fake_phone.server import AdbServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = AdbServer(tmp_path_factory.mktemp("adb"))
    yield server
    server.close()
