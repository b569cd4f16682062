"""The head of a cluster that isn't there, refuses, or goes away; sockets are real, Ray is made up."""

import contextlib
import os
import socket
import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system import cluster_head
from system.cluster_head import begin, refuse_unreachable, watched
from system.errors import UserError


@contextlib.contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_one_that_listens_passes():
    with listening() as address:
        refuse_unreachable(address)


def test_nothing_listens_there():
    with listening() as address:
        pass
    with pytest.raises(UserError, match=rf"no Ray cluster at {address}: Connection refused; start it"):
        refuse_unreachable(address)


@pytest.mark.parametrize("address", ["nonsense", "host:", ":6379", "host:0", "host:65536", "host:6379x", "host:٣"])
def test_what_is_no_address(address):
    with pytest.raises(UserError, match=r"no address of a Ray cluster: .*; give HOST:PORT, local or auto"):
        refuse_unreachable(address)


@given(st.text(max_size=20).map(lambda text: f"{text}.invalid:1"))
def test_any_text_is_refused_in_one_line(address):
    if "://" in address:
        return
    with pytest.raises(UserError) as refused:
        refuse_unreachable(address)
    assert str(refused.value).isprintable()


def ray_that(says, error):
    def init(**options):
        os.write(2, says.encode())
        raise error

    return SimpleNamespace(init=init)


@pytest.mark.parametrize(
    ("says", "error", "mode", "line"),
    [
        ("", "version mismatch", "token", "no Ray cluster at h:1: version mismatch; start it"),
        ("W gcs: InvalidAuthToken", "Failed", "token", "the Ray cluster at h:1 refuses: its token is not the one here"),
        ("W gcs: InvalidAuthToken", "Failed", "", "the Ray cluster at h:1 refuses: no token was sent; copy"),
        ("", "but no authentication token was found", "token", "no token for the Ray cluster at h:1: none here; copy"),
    ],
)
def test_why_ray_refuses_is_one_line_and_the_only_one(monkeypatch, capfd, says, error, mode, line):
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    with pytest.raises(UserError) as refused:
        begin(ray_that(says, ConnectionError(error)), "h:1", {})
    assert str(refused.value).startswith(line)
    assert capfd.readouterr() == ("", "")


def test_a_head_that_goes_away_ends_the_watch_once(monkeypatch):
    monkeypatch.setattr(cluster_head, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(cluster_head, "_GONE_S", 0.05)
    ended, heads = threading.Event(), []
    with listening() as address, watched(address, lambda head: (heads.append(head), ended.set())):
        assert not ended.wait(0.2)
    with watched(address, lambda head: (heads.append(head), ended.set())):
        assert ended.wait(20)
    assert heads == [address]


def test_the_last_words(monkeypatch, capsys):
    codes = []
    monkeypatch.setattr(cluster_head.os, "_exit", codes.append)
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    cluster_head._end("h:1")
    assert codes == [1]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the Ray cluster at h:1 is gone: ")
    assert "--resume" in line
