"""What hosts of a fleet and drivers send each other."""

from pathlib import Path

import msgspec

from bench.fleet.messages import Fetch, Happened, Hello, Made, Make, Offer, Part, read_answer, read_question
from bench.fleet.plausible import possible
from bench.fleet.server import Server
from bench.fleet.wanted import job_of
from devices.fleet.command import document, host_rows
from devices.fleet.inspector import _read as read_lines
from devices.fleet.survey import Surveyed
from devices.fleet.survey import _read as read_inspected
from devices.other_python import read_description
from exporters.cache import Cache
from system.cluster import Node
from tests.fuzz.parser import a_folder, refused


def questions(content: bytes) -> None:
    """A driver's message at a host, and its file there."""
    question = read_question(content)
    with a_folder() as folder:
        if isinstance(question, Make):
            for wanted in question.jobs:
                Cache(folder).path(job_of(wanted))
        if isinstance(question, Hello | Offer | Part | Fetch):
            server = Server(folder / "own")
            server.answer(content)
            files = [path for path in folder.rglob("*") if path.is_file()]
            assert all(path.parent == folder / "own" / "by-content" for path in files), files


def answers(content: bytes) -> None:
    """A host's message at the driver."""
    refused(lambda: read_answer(content, Made))
    answer = read_answer(content, Happened)
    if isinstance(answer, Happened) and answer.visit is not None:
        msgspec.json.encode(possible(answer.visit))


def descriptions(content: bytes) -> None:
    """What another environment's Python says of itself."""
    assert isinstance(read_description(Path("python"), content).machine, dict)


def inspections(content: bytes) -> None:
    """What a host says of itself to `devices --ray`, and its programs to it."""
    refused(lambda: read_lines(content))
    hosts = [Surveyed(Node(name="1", host="one", resources={"CPU": 1.0}), read_inspected(content), "")]
    for row in host_rows(hosts, []):
        assert all(cell.isprintable() for cell in row), row
    msgspec.json.encode(document(hosts, [], []))
