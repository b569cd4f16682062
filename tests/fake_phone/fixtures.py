"""What tests of phones need: a real adb server that knows no phone but theirs, and fake phones."""

import pytest

from tests.fake_phone.phone import FakePhone
from tests.fake_phone.server import AdbServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = AdbServer(tmp_path_factory.mktemp("adb"))
    yield server
    server.close()


@pytest.fixture
def phones(tmp_path, server):
    """Makes phones that the adb server knows."""
    made = []

    def make(**options):
        made.append(FakePhone(tmp_path / f"phone{len(made)}", **options))
        server.connect(made[-1])
        return made[-1]

    yield make
    for phone in made:
        server.call("disconnect", phone.serial)
        phone.close()
