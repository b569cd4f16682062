"""Every parser that is fuzzed reads its corpus, past findings among it, or refuses it in one line."""

import io
import json
import struct
import zipfile
import zlib

import msgspec
import pytest

from system.errors import UserError
from tests.fuzz.mutate import mutated
from tests.fuzz.parser import CORPUS, Parser, attempt
from tests.fuzz.parsers import PARSERS

INPUTS = [(parser, path) for parser in PARSERS.values() for path in parser.corpus()]


@pytest.mark.parametrize(
    ("parser", "path"), [pytest.param(*each, id=f"{each[0].name}-{each[1].name}") for each in INPUTS]
)
def test_an_input_is_read_or_refused_in_one_line(parser, path):
    attempt(parser, path.read_bytes())


def test_every_parser_has_a_seed_that_it_takes_and_every_folder_is_of_a_parser():
    assert {folder.name for folder in CORPUS.iterdir()} <= PARSERS.keys()
    refusing = [name for name, parser in PARSERS.items() if not any(_takes(parser, path) for path in parser.corpus())]
    assert refusing == []


def _takes(parser, path):
    try:
        parser.feed(path.read_bytes())
    except parser.allowed:
        return False
    return True


def test_the_corpus_stays_small():
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 100_000


@pytest.mark.parametrize("raised", [ValueError("a"), AssertionError("a")])
def test_what_a_parser_may_not_raise_fails(raised):
    def feed(content):
        raise raised

    with pytest.raises(type(raised)):
        attempt(Parser("one", feed), b"")


def test_an_error_of_several_lines_fails():
    class LinesError(UserError):
        def __str__(self):
            return "one\ntwo"

    def feed(content):
        raise LinesError("", found="", fix="")

    with pytest.raises(AssertionError, match="several lines"):
        attempt(Parser("one", feed), b"")


def _lines(content):
    return [json.loads(line) for line in content.splitlines() if line.strip()]


def _members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize(
    ("shape", "file", "read"),
    [
        ("json lines", "records/fake.jsonl", _lines),
        ("msgpack", "questions/make", msgspec.msgpack.decode),
        ("zip", "checkpoints/net.pth", _members),
    ],
)
def test_mutations_keep_what_is_around_the_changed_part_whole(shape, file, read):
    seed = (CORPUS / file).read_bytes()
    changed = {mutated(shape, seed, 1 << 16, number, _without_last) for number in range(100)}
    assert len(changed) > 10
    readable = [content for content in changed if _reads(read, content)]
    assert len(readable) > 0.7 * len(changed)
    assert any(read(content) != read(seed) for content in readable)


def _without_last(content, most_bytes):
    return content[: min(len(content) - 1, most_bytes)]


def _reads(read, content):
    try:
        read(content)
    except (ValueError, msgspec.DecodeError, zipfile.BadZipFile):
        return False
    return True


def test_a_png_keeps_its_checksums():
    seed = (CORPUS / "images" / "rgb.png").read_bytes()
    for number in range(30):
        changed, at = mutated("png", seed, 1 << 16, number, lambda content, most_bytes: content[::-1]), 8
        while at < len(changed) and changed[:8] == seed[:8]:
            (length,) = struct.unpack(">I", changed[at : at + 4])
            assert (
                zlib.crc32(changed[at + 4 : at + 8 + length])
                == struct.unpack(">I", changed[at + 8 + length : at + 12 + length])[0]
            )
            at += 12 + length
