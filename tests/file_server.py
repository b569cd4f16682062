"""An HTTP server on this machine that serves one file, and does so as badly as it is told to."""

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What is served, and how; may be changed between two requests."""

    content: bytes
    address: str = ""
    ranges: bool = True
    etag: bool = True
    last_modified: str | None = None
    content_type: str = "application/octet-stream"
    status: int | None = None  # instead of the file
    redirect_to: str | None = None  # of every path but /real
    breaks_after: list[int | None] = field(default_factory=list)  # bytes of each answer, the last one's of all others
    more_than_said: int = 0  # bytes by which Content-Length is above what is there
    chunked: bool = False
    pause_s: float = 0.0  # after each piece of a sixteenth
    ignores_if_range: bool = False
    asked: list[str | None] = field(default_factory=list)  # the Range of each request

    @property
    def tag(self) -> str:
        return f'"{hashlib.md5(self.content).hexdigest()}"'


@contextmanager
def serving(content: bytes) -> Iterator[Site]:
    """A site until the block ends; its address is that of the file."""
    site = Site(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    site.address = f"http://127.0.0.1:{server.server_address[1]}/weights.pth"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(self.headers.get("Range"))
        if site.redirect_to is not None and self.path != "/real":
            self._head(302, {"Location": site.redirect_to, "Content-Length": "0"})
            return
        if site.status is not None:
            self._head(site.status, {"Content-Length": "0"})
            return
        begin = self._begin()
        if begin is not None and begin >= len(site.content):
            self._head(416, {"Content-Range": f"bytes */{len(site.content)}", "Content-Length": "0"})
            return
        rest = site.content[begin or 0 :]
        headers = {"Content-Type": site.content_type}
        length = {"Content-Length": f"{len(rest) + site.more_than_said}"}
        headers |= {"Transfer-Encoding": "chunked"} if site.chunked else length
        headers |= {"ETag": site.tag} if site.etag else {}
        headers |= {"Last-Modified": site.last_modified} if site.last_modified else {}
        if begin is not None:
            last = len(site.content) - 1
            headers["Content-Range"] = f"bytes {begin}-{last}/{len(site.content) + site.more_than_said}"
        self._head(200 if begin is None else 206, headers)
        with suppress(ConnectionError):  # who asks may be killed, or have read enough
            self._body(rest)

    def _begin(self) -> int | None:
        site, asked = self.site, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or not site.ranges:
            return None
        same = self.headers.get("If-Range") in {None, site.tag if site.etag else site.last_modified}
        return int(asked[1]) if same or site.ignores_if_range else None

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, rest: bytes) -> None:
        site = self.site
        limits = site.breaks_after
        limit = (limits.pop(0) if len(limits) > 1 else limits[0]) if limits else None
        sent = rest if limit is None else rest[:limit]
        step = max(1, len(site.content) // 16)
        for start in range(0, len(sent), step):
            piece = sent[start : start + step]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if site.chunked else piece)
            self.wfile.flush()
            time.sleep(site.pause_s)
        if site.chunked and sent == rest:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass
