"""Downloads from a server on this machine that breaks off, changes, lies, and is not there."""

import random
import socket
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from system.download import UndeliveredError, download
from system.errors import UserError
from tests.file_server import serving

CONTENT = random.Random(3).randbytes(300_000)
OTHER = random.Random(4).randbytes(300_000)


@pytest.fixture
def site():
    with serving(CONTENT) as site:
        yield site


def get(site, path, pauses=2, accept=lambda part: None):
    download(site.address, path, accept, pauses_s=[0.0] * pauses)
    return path.read_bytes()


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_nothing_else_is_left(site, tmp_path):
    assert get(site, tmp_path / "x") == CONTENT
    assert files(tmp_path) == ["x"]
    assert site.asked == [None]


@pytest.mark.parametrize(("etag", "last_modified"), [(True, None), (False, "Thu, 26 Nov 2020 12:00:00 GMT")])
def test_what_broke_off_goes_on_where_it_was(site, tmp_path, etag, last_modified):
    site.etag, site.last_modified, site.breaks_after = etag, last_modified, [100_000, 50_000, None]
    assert get(site, tmp_path / "x", pauses=0) == CONTENT
    assert site.asked == [None, "bytes=100000-", "bytes=150000-"]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(site, tmp_path):
    site.breaks_after = [100_000, 0]
    with pytest.raises(UndeliveredError, match="100000 of 300000 bytes"):
        get(site, tmp_path / "x")
    assert files(tmp_path) == ["x.part", "x.part.json"]
    site.breaks_after, site.asked = [], []
    assert get(site, tmp_path / "x") == CONTENT
    assert site.asked == ["bytes=100000-"]
    assert files(tmp_path) == ["x"]


@settings(max_examples=20)
@given(st.lists(st.integers(0, 120_000), max_size=8), st.booleans(), st.booleans())
def test_however_it_breaks_off_it_is_whole_or_not_there(tmp_path_factory, limits, ranges, chunked):
    folder = tmp_path_factory.mktemp("download")
    with serving(CONTENT) as site:
        site.breaks_after, site.ranges, site.chunked = [*limits, None], ranges, chunked
        try:
            assert get(site, folder / "x") == CONTENT
            assert files(folder) == ["x"]
        except UndeliveredError:
            assert limits
            assert "x" not in files(folder)


@pytest.mark.parametrize("change", [{"ranges": False}, {"etag": False}])
def test_where_nothing_says_that_the_file_is_the_same_it_begins_anew(site, tmp_path, change):
    for name, value in change.items():
        setattr(site, name, value)
    site.breaks_after = [100_000, None]
    assert get(site, tmp_path / "x") == CONTENT
    assert len(site.asked) == 2


@pytest.mark.parametrize("ignores_if_range", [False, True])
@pytest.mark.parametrize("other", [OTHER, OTHER[:-7], OTHER[:50_000]])
def test_two_halves_of_different_files_are_never_put_together(site, tmp_path, other, ignores_if_range):
    site.breaks_after = [100_000, 0]
    with pytest.raises(UndeliveredError):
        get(site, tmp_path / "x", pauses=0)
    site.content, site.breaks_after, site.ignores_if_range = other, [], ignores_if_range
    assert get(site, tmp_path / "x") == other


def test_a_part_of_another_address_is_not_gone_on_with(site, tmp_path):
    site.breaks_after = [100_000, 0]
    with pytest.raises(UndeliveredError):
        get(site, tmp_path / "x", pauses=0)
    with serving(CONTENT) as mirror:
        assert get(mirror, tmp_path / "x") == CONTENT
        assert mirror.asked == [None]


@pytest.mark.parametrize("damage", ["x.part", "x.part.json"])
def test_a_damaged_part_is_never_taken_for_more_than_it_is(site, tmp_path, damage):
    site.breaks_after = [100_000, 0]
    with pytest.raises(UndeliveredError):
        get(site, tmp_path / "x", pauses=0)
    site.breaks_after = []
    (tmp_path / damage).write_bytes(b"" if damage == "x.part" else b"{")
    assert get(site, tmp_path / "x") == CONTENT


def test_a_size_that_is_never_reached_is_an_error(site, tmp_path):
    site.more_than_said = 5
    with pytest.raises(UndeliveredError, match="300000 of 300005 bytes"):
        get(site, tmp_path / "x")
    assert "x" not in files(tmp_path)


def test_a_server_that_breaks_off_at_the_same_place_for_ever_is_given_up(site, tmp_path):
    site.ranges, site.breaks_after = False, [100_000]
    with pytest.raises(UndeliveredError, match="100000 of 300000 bytes"):
        get(site, tmp_path / "x", pauses=3)
    assert len(site.asked) == 5  # the first, one more that brings nothing more, and three after a pause


@pytest.mark.parametrize(("status", "times"), [(404, 1), (403, 1), (503, 3), (429, 3)])
def test_another_status_is_said_and_only_what_may_pass_is_tried_again(site, tmp_path, status, times):
    site.status = status
    with pytest.raises(UndeliveredError, match=f"HTTP {status}"):
        get(site, tmp_path / "x", pauses=2)
    assert len(site.asked) == times
    assert files(tmp_path) == []


def test_redirects_are_followed_with_the_place_to_go_on_from(site, tmp_path):
    site.redirect_to, site.breaks_after = "/real", [100_000, None]
    assert get(site, tmp_path / "x") == CONTENT
    assert site.asked == [None, None, "bytes=100000-", "bytes=100000-"]


@pytest.mark.parametrize("target", ["/weights.pth", "file:///etc/hostname"])
def test_a_redirect_that_leads_nowhere_is_an_error(site, tmp_path, target):
    site.redirect_to = target
    with pytest.raises(UndeliveredError, match="HTTP 302"):
        get(site, tmp_path / "x")


def test_a_page_in_place_of_the_file_is_refused_and_what_has_arrived_is_kept(site, tmp_path):
    site.breaks_after = [100_000, 0]
    with pytest.raises(UndeliveredError):
        get(site, tmp_path / "x", pauses=0)
    kept, site.content, site.content_type = (tmp_path / "x.part").read_bytes(), b"<html>", "text/html; charset=utf-8"
    with pytest.raises(UndeliveredError, match="an HTML page instead of the file"):
        get(site, tmp_path / "x")
    assert (tmp_path / "x.part").read_bytes() == kept


def test_without_a_server_it_fails_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(UndeliveredError, match="Connection refused"):
        download(f"http://127.0.0.1:{port}/x", tmp_path / "x", lambda part: None, pauses_s=[1e9])


def test_what_is_not_accepted_is_not_kept(site, tmp_path):
    def refuse(part):
        assert part.read_bytes() == CONTENT
        raise UserError("wrong", found="it", fix="no")

    with pytest.raises(UserError, match="wrong"):
        get(site, tmp_path / "x", accept=refuse)
    assert files(tmp_path) == []


def test_a_folder_that_can_not_be_written_is_one_error(site, tmp_path):
    (tmp_path / "x.part").mkdir()
    with pytest.raises(UserError, match=r"can't write .*x\.part: .*; free some space"):
        get(site, tmp_path / "x")


def test_a_slow_server_is_waited_for_and_shown(site, tmp_path, capsys):
    site.pause_s = 0.02
    assert get(site, tmp_path / "x") == CONTENT
    shown = capsys.readouterr().err.splitlines()
    assert shown[-1].startswith("fetching x: 0.3 of 0.3 MB")
    assert len(shown) == 2  # the first piece and the last: a line every some seconds


def test_the_file_can_be_read_by_others_as_any_other(site, tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    get(site, tmp_path / "x")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
