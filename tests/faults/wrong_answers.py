"""Servers that answer with something else than the file, for each file that the suite downloads."""

import random
from pathlib import Path
from unittest.mock import patch

from models import UserError, checkpoint_cache, find
from models.checkpoint_cache import official_checkpoint
from models.official import Official
from tests.faults.command import TINY
from tests.faults.fetching import WAYS, checkpoint, fetching, had, refused_then_had, said, tool

_STATUSES = (400, 401, 403, 404, 410, 429, 500, 502, 503)
_AT_LEAST_TWICE = {429, 500, 502, 503}


def statuses(folder: Path) -> tuple[int, str]:
    """An error instead of the file (HTTP 400, 401, 403, 404, 410, 429, 500, 502, 503)."""
    for way in WAYS:
        for status in _STATUSES:
            with fetching(folder, way) as site:
                site.status = status

                def mend(site=site) -> None:  # type: ignore[no-untyped-def]
                    site.status = None

                refused_then_had(folder, way, site, f"HTTP {status} ", mend)
                assert (len(site.asked) > 2) == (status in _AT_LEAST_TWICE), (status, site.asked)
    rest = "those of a busy or broken server are tried four times, the others once"
    return len(WAYS) * len(_STATUSES), f"one error with the status; {rest}"


def redirects(folder: Path) -> tuple[int, str]:
    """Redirects in a circle, to a file of this machine, to nothing, to no address, and one that leads to the file."""
    (folder / "secret").write_bytes(b"secret")
    wrong = {"/weights.pth": "302", (folder / "secret").as_uri(): "302", "": "302", "http://[": ""}
    for way in WAYS:
        for address, words in wrong.items():
            with fetching(folder, way) as site:
                site.redirect_to = address

                def mend(site=site) -> None:  # type: ignore[no-untyped-def]
                    site.redirect_to = "/real"

                refused_then_had(folder, way, site, words, mend)
    return len(WAYS) * (len(wrong) + 1), "one error each, and no file of this machine is read; the last one is followed"


def ranges(folder: Path) -> tuple[int, str]:
    """A server that resumes wrongly: it ignores ranges, knows no ETag, or has another file by then."""
    cases = 0
    for way in WAYS:
        for change in (
            {"ranges": False},
            {"etag": False},
            {"content": b""},
            {"content": b"", "ignores_if_range": True},
        ):
            with fetching(folder, way) as site:
                half = len(site.content) // 2
                site.breaks_after = [half, 0]
                assert said(way, site.address)
                site.breaks_after = []
                for name, value in change.items():
                    setattr(site, name, value if name != "content" else _another(way, site.content))
                assert said(way, site.address) == ""
                assert had(folder)[0].read_bytes() == site.content
            cases += 1
    return cases, "it begins anew and has the server's file whole; no file of two halves"


def _another(way: object, content: bytes) -> bytes:
    """A file of the same size that is taken too."""
    return content[:4] + content[4:][::-1] if way is tool else content


def pages(folder: Path) -> tuple[int, str]:
    """A page that asks for a login in place of the file, called HTML or not."""
    page = b"<!DOCTYPE html>\n<html><body>Log in to this network</body></html>\n"
    for way in WAYS:
        for content_type in ("text/html", "text/html; charset=utf-8", "application/octet-stream"):
            with fetching(folder, way) as site:
                whole, site.content, site.content_type = site.content, page, content_type

                def mend(site=site, whole=whole) -> None:  # type: ignore[no-untyped-def]
                    site.content, site.content_type = whole, "application/octet-stream"

                refused_then_had(folder, way, site, "", mend)
    return 3 * len(WAYS), "one error each; the page is not kept, and the next call has the file"


def _named(address: str) -> Official:
    """A published checkpoint whose name tells the SHA-256 of another file."""
    return Official(address, "x.pth", "", sha256_begins="0123abcd")


def contents(folder: Path) -> tuple[int, str]:
    """A published checkpoint of another content: not as in its name, damaged on the way, changed since."""
    model, cases = find(TINY)[0], 0
    with fetching(folder, checkpoint) as site:
        whole = site.content
        named = patch.object(checkpoint_cache, "official_of", lambda model: _named(site.address))
        with named:
            try:
                official_checkpoint(model)
                raise AssertionError("a file of another sha256 was taken")
            except UserError as error:
                assert "is not the published checkpoint" in str(error)
        cases += 1
        for seed in range(20):
            site.content = bytes([*whole[:1000], *random.Random(seed).randbytes(40), *whole[1040:]])
            assert said(checkpoint, site.address)
            assert not had(folder)
            cases += 1
        site.content = whole
        assert said(checkpoint, site.address) == ""
        had(folder)[0].unlink()
        site.content = whole + b"\0"
        assert "has changed" in said(checkpoint, site.address)
        assert not had(folder)
    return cases + 1, "one error each, and nothing is kept"
