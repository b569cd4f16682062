"""Servers that are not there, refuse, lie, stall and break off, for each file that the suite downloads."""

import random
import socket
from pathlib import Path

from tests.faults.fetching import WAYS, fetching, had, refused_then_had, said


def refused(folder: Path) -> tuple[int, str]:
    """A server that is not there: nothing listens, no such host, a port that is none."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    addresses = (f"http://127.0.0.1:{port}/x", "http://nowhere.invalid/x", "http://127.0.0.1:99999/x", "http:///x")
    for way in WAYS:
        with fetching(folder, way) as site:
            for address in addresses:
                assert said(way, address).count(address) == 1, said(way, address)
                assert not had(folder)
            assert said(way, site.address) == ""
    return len(WAYS) * len(addresses), "one error with the address and the reason; the next call has the file"


def silent(folder: Path) -> tuple[int, str]:
    """A server that takes connections and never answers."""
    for way in WAYS:
        with fetching(folder, way), socket.create_server(("127.0.0.1", 0)) as deaf:
            error = said(way, f"http://127.0.0.1:{deaf.getsockname()[1]}/x")
            assert "timed out" in error, error
            assert not had(folder)
    return len(WAYS), "one error after the limit: timed out"


def stalled(folder: Path) -> tuple[int, str]:
    """A server that stalls after every sixteenth of the file, and one that is slow within the limit."""
    for way in WAYS:
        for pause_s in (0.5, 0.05):
            with fetching(folder, way) as site:
                site.pause_s = pause_s
                assert said(way, site.address) == ""
                assert had(folder)[0].read_bytes() == site.content
                assert (len(site.asked) > 5) == (pause_s == 0.5), site.asked
    return 2 * len(WAYS), "each attempt goes on where the last one ended, until the file is there"


def cut(folder: Path) -> tuple[int, str]:
    """A connection closed midway at random places, several times or for good."""
    dice, cases = random.Random(21), 0
    for way in WAYS:
        for number in range(12):
            with fetching(folder, way) as site:
                places = sorted(dice.randrange(1, len(site.content) // 4) for _ in range(dice.randrange(1, 5)))
                site.chunked = number % 3 == 0
                site.breaks_after = [*places, 0 if number % 2 else None]
                if number % 2:
                    refused_then_had(folder, way, site, "", lambda site=site: site.breaks_after.clear())
                    assert site.asked[-1] == (None if site.chunked else f"bytes={sum(places)}-"), site.asked
                else:
                    assert said(way, site.address) == ""
                assert had(folder)[0].read_bytes() == site.content
            cases += 1
    return cases, "it goes on where it broke off, at once or in the next call; never a file cut short"


def lengths(folder: Path) -> tuple[int, str]:
    """An answer that says it is longer than it is."""
    more = (1, 1000, 10**12)
    for way in WAYS:
        for count in more:
            with fetching(folder, way) as site:
                site.more_than_said = count

                def mend(site=site) -> None:  # type: ignore[no-untyped-def]
                    site.more_than_said = 0

                refused_then_had(folder, way, site, f"{len(site.content)} of {len(site.content) + count} bytes", mend)
    return len(WAYS) * len(more), "one error that says how much of it came; a mended server's file is taken"
