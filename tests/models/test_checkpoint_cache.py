"""`--weights official`: published checkpoints from a server on this machine, and the cache that keeps them."""

import re
import socket
import subprocess
import sys
import threading

import msgspec
import pytest
import torch

from models import UserError, checkpoint_cache, find
from models.checkpoint_cache import official_checkpoint
from models.checkpoints import OFFICIAL, checkpoint_for, checkpoints_for
from models.official import Official
from system.digest import sha256_of
from tests.file_server import serving

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"
ZENNET = "zennet_imagenet1k_latency01ms_res224"


@pytest.fixture
def tiny():
    return find(TINY)[0]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "x.pth"
    torch.save(find(TINY)[0].build().state_dict(), path)
    return path


@pytest.fixture
def site(checkpoint, monkeypatch, tmp_path):
    """The published checkpoint of every network, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving(checkpoint.read_bytes()) as site:
        publish(site, monkeypatch)
        yield site


def publish(site, monkeypatch, sha256_begins=""):
    monkeypatch.setattr(
        checkpoint_cache, "official_of", lambda model: Official(site.address, "x.pth", "published.pth", sha256_begins)
    )


@pytest.fixture
def cached(tmp_path):
    return tmp_path / "cache" / "zennet-latency" / "weights" / "x.pth"


def test_the_published_one_is_fetched_once_recorded_and_loads(site, tiny, cached, checkpoint):
    for _ in range(2):
        assert checkpoint_for(OFFICIAL, tiny) == cached
    assert len(site.asked) == 1
    assert cached.read_bytes() == checkpoint.read_bytes()
    record = msgspec.json.decode(cached.with_name("x.pth.json").read_bytes())
    assert (record["sha256"], record["address"]) == (sha256_of(checkpoint), site.address)
    assert record["size_bytes"] == checkpoint.stat().st_size
    assert checkpoints_for(OFFICIAL, [tiny, find(ZENNET)[0]]) == dict.fromkeys([tiny, find(ZENNET)[0]], cached)
    assert all(torch.equal(one, other) for one, other in zip(*states(tiny, cached, None), strict=True))


def states(model, *weights):
    return [list(model.build(each).state_dict().values()) for each in weights]


def test_a_changed_file_of_the_cache_is_never_used_nor_replaced(site, tiny, cached):
    checkpoint_for(OFFICIAL, tiny)
    changed = bytearray(cached.read_bytes())
    changed[len(changed) // 2] ^= 1
    cached.write_bytes(changed)
    with pytest.raises(UserError, match=r"x\.pth has changed: sha256 .*, recorded was .*; delete it to fetch it again"):
        checkpoint_for(OFFICIAL, tiny)
    assert cached.read_bytes() == changed
    assert len(site.asked) == 1
    cached.unlink()
    assert checkpoint_for(OFFICIAL, tiny) == cached


def test_content_that_changed_since_the_first_fetch_is_not_taken(site, tiny, cached, checkpoint, tmp_path):
    checkpoint_for(OFFICIAL, tiny)
    cached.unlink()
    torch.save({"other": torch.zeros(9)}, tmp_path / "other.pth")
    site.content = (tmp_path / "other.pth").read_bytes()
    with pytest.raises(UserError, match=r"has changed: .*; delete .*x\.pth\.json if the published file may have ch"):
        checkpoint_for(OFFICIAL, tiny)
    assert not cached.exists()
    cached.with_name("x.pth.json").unlink()
    assert checkpoint_for(OFFICIAL, tiny).read_bytes() == site.content


@pytest.mark.parametrize("content", [b"", b"garbage", b"<!doctype html><title>Please log in</title>", b"PK\3\4cut"])
@pytest.mark.parametrize("by_hand", [False, True])
def test_what_is_no_checkpoint_is_not_recorded(site, tiny, cached, content, by_hand):
    site.content = content
    if by_hand:
        cached.parent.mkdir(parents=True)
        cached.write_bytes(content)
    with pytest.raises(UserError, match=rf"is no checkpoint: .*; download {site.address} with a browser") as refused:
        checkpoint_for(OFFICIAL, tiny)
    assert "\n" not in str(refused.value)
    assert not cached.with_name("x.pth.json").exists()
    assert cached.exists() == by_hand


def test_a_bit_that_flipped_on_the_way_is_found_though_the_file_can_be_read(site, tiny, cached, checkpoint):
    content = bytearray(checkpoint.read_bytes())
    content[content.index(tiny.build().state_dict()["fc_linear.netblock.weight"].numpy().tobytes()) + 5] ^= 1
    site.content = bytes(content)
    with pytest.raises(UserError, match=r"is damaged: wrong checksum of .*/data/\d+; download"):
        checkpoint_for(OFFICIAL, tiny)
    assert not cached.exists()


def test_a_page_is_refused(site, tiny, cached):
    site.content_type = "text/html"
    with pytest.raises(UserError, match="an HTML page instead of the file"):
        checkpoint_for(OFFICIAL, tiny)
    assert not cached.exists()


def test_the_digits_in_a_published_file_s_name_are_those_of_its_content(site, tiny, cached, checkpoint, monkeypatch):
    publish(site, monkeypatch, "0123abcd")
    with pytest.raises(UserError, match=r"not the published checkpoint: sha256 .*, not 0123abcd… as in its name"):
        checkpoint_for(OFFICIAL, tiny)
    assert not cached.exists()
    publish(site, monkeypatch, sha256_of(checkpoint)[:8])
    assert checkpoint_for(OFFICIAL, tiny) == cached


def test_without_a_network_a_file_put_there_by_hand_is_taken_and_recorded(tiny, cached, checkpoint, monkeypatch, site):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        site.address = f"http://127.0.0.1:{unused.getsockname()[1]}/weights.pth"
    with pytest.raises(UserError) as refused:
        checkpoint_for(OFFICIAL, tiny)
    assert str(refused.value).startswith(f"can't fetch the checkpoint of {TINY}: ")
    said = re.search(r"download (\S+) with a browser and save it as (\S+)$", str(refused.value))
    assert said.groups() == (site.address, str(cached))

    cached.write_bytes(checkpoint.read_bytes())
    assert checkpoint_for(OFFICIAL, tiny) == cached
    cached.write_bytes(cached.read_bytes() + b" ")
    with pytest.raises(UserError, match="has changed"):
        checkpoint_for(OFFICIAL, tiny)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"sha256": 3}'])
def test_a_damaged_record_is_one_error(site, tiny, cached, content):
    checkpoint_for(OFFICIAL, tiny)
    cached.with_name("x.pth.json").write_bytes(content)
    with pytest.raises(UserError, match=r"unreadable .*x\.pth\.json: .*; delete it"):
        checkpoint_for(OFFICIAL, tiny)


def test_a_cache_that_can_not_be_made_is_one_error(site, tiny, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"can't keep checkpoint .*; choose another folder by XDG_CACHE_HOME"):
        checkpoint_for(OFFICIAL, tiny)


FETCH = """
import sys
from models import checkpoint_cache, find
from models.official import Official
checkpoint_cache.official_of = lambda model: Official(sys.argv[1], "x.pth", "published.pth")
print(checkpoint_cache.official_checkpoint(find(sys.argv[2])[0]))
"""


def test_two_processes_fetch_it_once(site, cached, checkpoint):
    site.pause_s = 0.1  # sixteen of them: the second comes while the first is at it
    command = [sys.executable, "-c", FETCH, site.address, TINY]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "12"]
    printed = [process.communicate(timeout=120) for process in processes]
    assert [out.strip() for out, _ in printed] == [str(cached)] * 2, printed
    assert len(site.asked) == 1
    assert cached.read_bytes() == checkpoint.read_bytes()
    assert not cached.with_name("x.pth.part").exists()


def test_a_process_that_is_killed_midway_leaves_what_the_next_one_goes_on_with(site, cached, checkpoint, tiny):
    site.pause_s = 0.2
    command = [sys.executable, "-c", FETCH, site.address, TINY]
    part = cached.with_name("x.pth.part")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        tick = threading.Event()
        while not (part.exists() and part.stat().st_size):
            assert process.poll() is None
            tick.wait(0.01)
        process.kill()
    arrived = part.stat().st_size
    assert arrived < checkpoint.stat().st_size
    assert not cached.exists()
    site.pause_s = 0.0
    assert checkpoint_for(OFFICIAL, tiny).read_bytes() == checkpoint.read_bytes()
    assert site.asked == [None, f"bytes={arrived}-"]


def test_official_checkpoint_never_reads_a_lock_where_all_is_there(site, tiny, cached):
    official_checkpoint(tiny)
    cached.with_name("x.pth.lock").unlink(missing_ok=True)
    cached.parent.chmod(0o555)
    try:
        assert official_checkpoint(tiny) == cached
        assert not cached.with_name("x.pth.lock").exists()
    finally:
        cached.parent.chmod(0o755)
