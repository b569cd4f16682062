"""Text that nobody would write: structures, names, records (by hypothesis)."""

import csv
import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.records.record import Record
from bench.records.store import read_records
from exporters.artifact import Job
from exporters.cache import Cache
from models import UserError, find
from models.structure import parse_structure
from models.zoo import zoo
from tests.faults.command import command, fake_sweep, render

_STRUCTURES = [model.source.partition(":")[2] for model in zoo().values() if model.source.startswith("zennet")]
_ALPHABET = "SuperConvResIDWEKBNRLU0123456789(),-+ \0é<>&"
_NAMES = ("../../../etc/passwd", "..", "/etc/passwd", "a/../../b", "a\\..\\b", "CON", "x" * 5000, "\0", "\u202e")
_MARKUP = (
    "<script>alert(1)</script>",
    "a|b",
    "`a`",
    "$\\frac{1}{$",
    "\\input{x}",
    "=1+1",
    "\u202eabc",
    "x" * 3000,
    "é\n#",
)


def _try(strategy: st.SearchStrategy[str], attempt: Callable[[str], None], examples: int) -> int:
    """Show `attempt` that many texts, the same ones on every run; the count of those it was shown."""
    tried = 0

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def each(text: str) -> None:
        nonlocal tried
        tried += 1
        attempt(text)

    each()
    return tried


@st.composite
def _spoiled(draw: st.DrawFn, texts: list[str]) -> str:
    """One of the texts, a few of its characters replaced or repeated."""
    text = list(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(text) - 1))
        text[place] = draw(st.sampled_from(_ALPHABET) | st.characters()) * draw(st.sampled_from((0, 1, 1, 1, 12)))
    return "".join(text)


def structures(folder: Path) -> tuple[int, str]:
    """Hostile structure strings: arbitrary text, and real ones spoiled."""
    read = 0

    def attempt(text: str) -> None:
        nonlocal read
        with suppress(UserError):
            parse_structure(text)
            read += 1

    tried = _try(_spoiled(_STRUCTURES) | st.text(_ALPHABET) | st.text(), attempt, 2000)
    return tried, f"{tried - read} refused with one clear error, {read} were structures after all"


def names(folder: Path) -> tuple[int, str]:
    """Model names that lead out of the cache: paths, reserved names, arbitrary text."""
    root = (folder / "artifacts").resolve()
    cache = Cache(root)

    def attempt(name: str) -> None:
        for kind in ("timm:", "zennet:", ""):
            with suppress(UserError):
                for model in find(kind + name):
                    path = cache.path(Job(model=model, format="fake", precision="fp32")).resolve()
                    assert path.parent.parent == root, path
                    assert len(path.name) < 100

    tried = _try(st.sampled_from(_NAMES) | st.text(), attempt, 500)
    assert not root.exists()
    return 3 * tried, "every path stays two levels below the cache, or one error"


def records(folder: Path) -> tuple[int, str]:
    """Hostile records: arbitrary JSON, arbitrary text, and real ones spoiled."""
    fake_sweep(folder)
    path, read = folder / "hostile.jsonl", 0
    lines = (folder / "results" / "fake.jsonl").read_text(encoding="utf-8").splitlines()
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    trees = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
    replaced = st.tuples(st.sampled_from(sorted(json.loads(lines[0]))), trees).map(
        lambda pair: json.dumps(json.loads(lines[0]) | {pair[0]: pair[1]})
    )

    def attempt(line: str) -> None:
        nonlocal read
        path.write_bytes(line.encode("utf-8", "surrogatepass"))
        with suppress(UserError), redirect_stderr(io.StringIO()):
            read += len(read_records(path))

    tried = _try(_spoiled(lines) | replaced | trees.map(json.dumps) | st.text(), attempt, 1000)
    return tried, f"refused with one clear line, or read as the records they still were ({read})"


def rendered(folder: Path) -> tuple[int, str]:
    """Records whose names are markup, formulas, or far too long, rendered and compared."""
    fake_sweep(folder)
    path = folder / "results" / "fake.jsonl"
    record = msgspec.json.decode(path.read_bytes().splitlines()[0], type=Record)
    hostile = [_renamed(record, text) for text in _MARKUP]
    path.write_bytes(b"\n".join(msgspec.json.encode(each) for each in hostile) + b"\n")
    ended = render(folder)
    assert ended.returncode == 0, ended.stderr
    assert command("reports", "compare", path, path).returncode == 0
    for page in (folder / "out").glob("*.html"):
        assert "<script>alert" not in page.read_text(encoding="utf-8")
    assert "\\input{x}" not in (folder / "out" / "table.tex").read_text(encoding="utf-8")
    assert "$" not in (folder / "out" / "table.md").read_text(encoding="utf-8")
    with (folder / "out" / "table.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []
    assert "'=1+1" in cells
    return len(hostile), "shown as text in every format; none becomes markup"


def _renamed(record: Record, text: str) -> Record:
    replace = msgspec.structs.replace
    return replace(record, model=replace(record.model, name=text), target=replace(record.target, title=text))
