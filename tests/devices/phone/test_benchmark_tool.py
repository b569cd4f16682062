"""The official tool: downloaded once, kept with its sha256, refused where it is no tool."""

import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from devices.phone import benchmark_tool
from devices.phone.benchmark_tool import find_tool
from devices.phone.options import PhoneOptions
from system.digest import sha256_of
from system.errors import UserError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_tool_is_downloaded_once_and_again_where_it_is_damaged(cache):
    source = cache / "served"
    source.write_bytes(b"tool")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    tool = find_tool(options)
    assert (tool.path.read_bytes(), tool.sha256) == (b"tool", sha256_of(source))
    source.write_bytes(b"newer")
    assert find_tool(options) == tool
    tool.path.write_bytes(b"damaged")
    assert find_tool(options).path.read_bytes() == b"newer"


def test_each_address_has_its_own_tool(cache):
    first, second = cache / "first", cache / "second"
    first.write_bytes(b"one")
    second.write_bytes(b"other")
    tools = [find_tool(PhoneOptions(benchmark_model_address=source.as_uri())) for source in (first, second, first)]
    assert [tool.path.read_bytes() for tool in tools] == [b"one", b"other", b"one"]


@pytest.fixture
def short_answers():
    """An HTTP server whose every answer is shorter than it says; its address."""

    class Short(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"half of it")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Short) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/tool"
        server.shutdown()


def test_a_download_that_breaks_off_is_one_error_and_nothing_is_kept(cache, short_answers, monkeypatch):
    at_once = partial(benchmark_tool.download, pauses_s=(0.0, 0.0, 0.0))
    monkeypatch.setattr(benchmark_tool, "download", at_once)
    with pytest.raises(UserError, match=r"can't download benchmark_model: 10 of 1000 bytes; download http://"):
        find_tool(PhoneOptions(benchmark_model_address=short_answers))
    assert not list((cache / "cache").rglob("*benchmark_model"))


def test_a_page_in_place_of_the_tool_is_not_kept_whatever_its_server_calls_it(cache):
    source = cache / "served"
    source.write_bytes(b"\n<!DOCTYPE html><html>Log in</html>")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    with pytest.raises(UserError, match=r"can't download benchmark_model: an HTML page instead; download file://"):
        find_tool(options)
    source.write_bytes(b"tool")
    assert find_tool(options).path.read_bytes() == b"tool"


def test_several_that_need_the_tool_at_once_download_it_once(cache, monkeypatch):
    source, fetched = cache / "served", []
    source.write_bytes(b"tool")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    whole = benchmark_tool.download

    def slow(*arguments):
        fetched.append(arguments)
        time.sleep(0.2)
        whole(*arguments)

    monkeypatch.setattr(benchmark_tool, "download", slow)
    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(find_tool, [options] * 3))) == 1
    assert len(fetched) == 1


def test_a_cache_that_can_not_be_written_or_read_is_one_error(cache):
    source = cache / "served"
    source.write_bytes(b"tool")
    options = PhoneOptions(benchmark_model_address=source.as_uri())
    (cache / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match=r"can't keep benchmark_model at .*: .*; set XDG_CACHE_HOME"):
        find_tool(options)
    (cache / "cache").unlink()
    tool = find_tool(options)
    recorded = tool.path.with_suffix(".sha256")
    recorded.write_bytes(b"\xff\xfe")  # damaged: downloaded again
    assert find_tool(options) == tool
    recorded.unlink()
    recorded.mkdir()
    with pytest.raises(UserError, match=r"can't keep benchmark_model at .*: Is a directory"):
        find_tool(options)


def test_a_tool_that_can_not_be_had_is_one_error_with_its_address(cache, monkeypatch):
    address = (cache / "absent").as_uri()
    with pytest.raises(
        UserError, match=r"can't download benchmark_model: .*absent elsewhere and give --benchmark-model"
    ):
        find_tool(PhoneOptions(benchmark_model_address=address))
    assert not list((cache / "cache").rglob("*benchmark_model"))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("a given tool is not downloaded"))
    with pytest.raises(UserError, match="can't read"):
        find_tool(PhoneOptions(benchmark_model=str(cache / "absent")))
