"""Downloads over HTTP that go on where they broke off, in this run or in an earlier one.

By urllib, which is part of Python: what comes with timm resumes only from its own hub (huggingface_hub) or leaves
ranges and short answers to its caller as urllib does (requests), and some environments here have neither pinned.
"""

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from system.download_part import Part
from system.download_progress import download_progress
from system.errors import UserError, one_line

_TIMEOUT_S = 30.0  # for a connection, and for each piece
_PAUSES_S = (1.0, 5.0, 15.0)
_PIECE_BYTES = 1 << 18
_BYTES = "[0-9]{1,18}"  # Python refuses to read numbers of thousands of digits
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


class UndeliveredError(Exception):
    """What an address gave instead of a file, on one line."""


class _BrokenError(UndeliveredError):
    """The same, where another attempt may succeed."""


def download(
    address: str, path: Path, accept: Callable[[Path], None], *, pauses_s: Sequence[float] = _PAUSES_S
) -> None:
    """Put what lies at `address` into the file `path`, whole or not at all, with progress on stderr.

    What arrives is kept in a file beside it, which the next call goes on with where the server still has the same file.
    `accept` is called with the whole file before it gets its name; one that it raises UserError for is not kept. No two
    processes may fetch the same path at once. Attempts that bring nothing more are repeated after each of `pauses_s`.
    Raises UndeliveredError where nothing is to be had, UserError where it can't be kept.
    """
    part = Part(path, address)
    with download_progress(path.name) as show:
        _fetch(address, part, show, pauses_s)
    try:
        accept(part.path)
    except UserError:
        part.discard()
        raise
    part.finish(path)


def _fetch(address: str, part: Part, show: Callable[[int, int | None], None], pauses_s: Sequence[float]) -> None:
    pauses_left_s, furthest = list(pauses_s), part.size_bytes
    while True:
        try:
            return _attempt(address, part, show)
        except _BrokenError:
            if part.size_bytes > furthest:
                pauses_left_s, furthest = list(pauses_s), part.size_bytes
            elif pauses_left_s:
                time.sleep(pauses_left_s.pop(0))
            else:
                raise


@dataclass(frozen=True)
class _Answer:
    """What the head of an answer says: of which file it is, where in it it begins, and the size of all of it."""

    etag: str | None
    modified: str | None
    begins_at: int
    size_bytes: int | None

    @property
    def validator(self) -> str | None:
        # A weak ETag says that two contents mean the same, not that they are the same bytes.
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def _attempt(address: str, part: Part, show: Callable[[int, int | None], None]) -> None:
    """Fetch what is missing of `part`. Raises UndeliveredError, and _BrokenError where another attempt may succeed."""
    if part.is_whole:
        return
    with _opened(address, part) as response:
        answer = _read_head(response)
        if answer.begins_at == 0:
            part.begin(answer.validator, answer.size_bytes)
        elif not _goes_on(part, answer):
            part.discard()
            raise _BrokenError("the file at this address changed meanwhile")
        part.append(_pieces(response), answer.size_bytes, show)
    if answer.size_bytes is not None and part.size_bytes != answer.size_bytes:
        raise _BrokenError(f"{part.size_bytes} of {answer.size_bytes} bytes")


def _opened(address: str, part: Part) -> Any:
    """The response that has what is missing of `part`, or all of the file."""
    headers = {"User-Agent": "zennet-latency", "Accept-Encoding": "identity"}
    if part.state is not None and part.size_bytes:
        headers |= {"Range": f"bytes={part.size_bytes}-", "If-Range": part.state.validator}
    opener = urllib.request.build_opener(_NoDowngrade)
    try:
        return opener.open(urllib.request.Request(address, headers=headers), timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and "Range" in headers:
            part.discard()  # the file is no longer as large
            return _opened(address, part)
        kind = _BrokenError if error.code in _TRANSIENT else UndeliveredError
        raise kind(one_line(f"HTTP {error.code} {error.reason}", 160)) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        said = reason.strerror if isinstance(reason, OSError) and reason.strerror else reason
        found = one_line(said, 160) or type(error).__name__
        # Without a connection at first there is no network, or none to this server: no reason to try for long.
        raise (_BrokenError if part.size_bytes else UndeliveredError)(found) from error


def _read_head(response: Any) -> _Answer:
    """Raises UndeliveredError where the answer isn't the file as it is."""
    headers = response.headers
    if headers.get_content_type() == "text/html":
        raise UndeliveredError("an HTML page instead of the file")
    if headers.get("Content-Encoding", "identity") != "identity":
        raise UndeliveredError(f"content encoded as {headers['Content-Encoding']}")
    etag, modified = headers.get("ETag"), headers.get("Last-Modified")
    if response.status == http.client.PARTIAL_CONTENT:
        span = re.fullmatch(rf"bytes ({_BYTES})-{_BYTES}/({_BYTES})", headers.get("Content-Range", ""))
        if span is None:
            raise UndeliveredError(f"a part without its place: {headers.get('Content-Range')!r}")
        return _Answer(etag, modified, int(span[1]), int(span[2]))
    length = headers.get("Content-Length", "")
    return _Answer(etag, modified, 0, int(length) if re.fullmatch(_BYTES, length) else None)


def _goes_on(part: Part, answer: _Answer) -> bool:
    """Whether the answer is the rest of `part`; a server may ignore If-Range."""
    state = part.state
    if state is None or (answer.begins_at, answer.size_bytes) != (part.size_bytes, state.size_bytes):
        return False
    said = answer.etag if state.validator.startswith('"') else answer.modified
    return said in {None, state.validator}


def _pieces(response: Any) -> Iterator[bytes]:
    """What arrives, as soon as it is there. Raises _BrokenError where the connection breaks."""
    try:
        # Little at once, so that little is lost if this process ends.
        while piece := response.read1(_PIECE_BYTES):
            yield piece
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(one_line(error, 160) or type(error).__name__) from error


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but none from HTTPS to a protocol on which anyone could answer."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.HTTPError(newurl, code, "redirect from HTTPS to another protocol", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
