from pathlib import Path

import msgspec
import pytest

from bench.fleet.depot import Depot, token_in
from system.errors import UserError

HALF = 12_000


@pytest.fixture
def depot(tmp_path):
    return Depot(tmp_path / "host")


def test_a_file_that_came_in_parts_is_used_once_it_is_whole(depot, a_file):
    artifact, content = a_file
    assert depot.offered(artifact) == depot.add(artifact.sha256, 0, b"") == msgspec.structs.replace(
        depot.offered(artifact), size_bytes=0, whole=False
    )  # fmt: skip
    depot.add(artifact.sha256, 0, content[:HALF])
    with pytest.raises(UserError, match="isn't on the host"):
        depot.here(artifact)
    assert (depot.offered(artifact).size_bytes, depot.offered(artifact).whole) == (HALF, False)
    depot.add(artifact.sha256, HALF, content[HALF:])
    assert depot.offered(artifact).whole
    assert Path(depot.here(artifact).path).read_bytes() == content


def test_a_gap_between_parts_is_refused(depot, a_file):
    artifact, content = a_file
    depot.add(artifact.sha256, 0, content[:HALF])
    for offset in (HALF + 1, -1):
        with pytest.raises(UserError, match="out of order"):
            depot.add(artifact.sha256, offset, content[HALF:])


def test_a_program_that_begins_anew_goes_on_where_another_stopped(tmp_path, a_file):
    artifact, content = a_file
    Depot(tmp_path / "host").add(artifact.sha256, 0, content[:HALF])
    later = Depot(tmp_path / "host")
    assert later.offered(artifact).size_bytes == HALF
    later.add(artifact.sha256, HALF, content[HALF:])
    assert later.offered(artifact).whole


def test_two_programs_may_bring_the_same_file_at_once(tmp_path, a_file):
    artifact, content = a_file
    one, other = Depot(tmp_path / "host"), Depot(tmp_path / "host")
    one.add(artifact.sha256, 0, content[:HALF])
    other.add(artifact.sha256, 0, content[:HALF])
    one.add(artifact.sha256, HALF, content[HALF:])
    assert one.offered(artifact).whole
    other.add(artifact.sha256, HALF, content[HALF:])
    assert other.offered(artifact).whole
    assert one.here(artifact).path == other.here(artifact).path


def test_a_damaged_file_is_thrown_away_and_brought_again(depot, a_file):
    artifact, content = a_file
    depot.add(artifact.sha256, 0, b"x" * len(content))
    held = depot.offered(artifact)
    assert (held.size_bytes, held.whole) == (0, False)
    depot.add(artifact.sha256, 0, content)
    assert depot.offered(artifact).whole


def test_a_file_that_is_longer_than_it_should_be_is_thrown_away(depot, a_file):
    artifact, content = a_file
    depot.add(artifact.sha256, 0, content + b"more")
    assert not depot.offered(artifact).whole
    assert depot.offered(artifact).size_bytes == 0


@pytest.mark.parametrize(
    "sha256", ["../../etc/passwd", "/etc/passwd", "", "0" * 63, "A" * 64, "0" * 63 + "/", "é" * 64]
)
def test_a_sha256_that_is_none_names_no_file(depot, sha256, a_file, tmp_path):
    artifact, content = a_file
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match="no sha256"):
        depot.add(sha256, 0, content)
    with pytest.raises(UserError, match="no sha256"):
        depot.offered(msgspec.structs.replace(artifact, sha256=sha256))
    assert sorted(tmp_path.rglob("*")) == before


def test_only_what_was_made_here_can_be_read(depot, a_file):
    artifact, content = a_file
    with pytest.raises(UserError, match="no such file was made here"):
        depot.read(artifact.sha256, 0)
    depot.keep(artifact)
    assert depot.read(artifact.sha256, HALF) == content[HALF:]
    assert depot.read(artifact.sha256, len(content)) == b""


def test_a_folder_is_shared_only_where_it_holds_the_token(depot, tmp_path, a_file):
    artifact, _ = a_file
    driver = tmp_path / "driver"
    token = token_in(driver)
    own = depot.root
    assert not depot.share(driver, "0" * len(token))
    assert not depot.share(driver, "é")
    assert not depot.share(tmp_path / "nowhere", token)
    assert depot.root == own
    assert depot.share(driver, token)
    assert depot.root == driver
    assert depot.offered(artifact).whole


def test_the_token_is_made_once_and_is_its_owners(tmp_path):
    assert token_in(tmp_path) == token_in(tmp_path)
    assert (tmp_path / ".fleet").stat().st_mode & 0o077 == 0


def test_a_full_disk_is_one_error(depot, a_file):
    artifact, content = a_file
    depot.root.write_text("no folder")
    with pytest.raises(UserError, match="can't keep a file"):
        depot.add(artifact.sha256, 0, content)
