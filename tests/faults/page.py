"""The page of the outcomes, docs/reliability.md: one table a theme, and how many kinds and cases there are."""

from collections.abc import Iterable, Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_ABOUT = """Planted faults and their outcomes. `make faults` tries all of them, stops at any other outcome, and writes
this page"""
_HEAD = "| fault | cases | outcome |\n|---|---:|---|"


def write(themes: Mapping[str, Iterable[str]], row: str, page: Path = PAGE) -> None:
    """Write a row into the table of its theme; the rows of other faults stay as they are.

    `themes` are headings, each with the names of its faults as they stand in the first column. Rows of faults that are
    in none of them are left out.
    """
    known = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    rows = {_first(line): line for line in [*known, row] if line.startswith("| ")}
    tables = {heading: [rows[name] for name in names if name in rows] for heading, names in themes.items()}
    every = [line for lines in tables.values() for line in lines]
    cases = sum(int(line.split(" | ")[1].replace(",", "")) for line in every)
    parts = [f"# Reliability\n\n{_ABOUT}: {len(every)} kinds, {cases:,} cases."]
    parts += ["\n".join([f"## {heading}\n", _HEAD, *lines]) for heading, lines in tables.items() if lines]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _first(line: str) -> str:
    """The fault that a row is of."""
    return line.removeprefix("| ").split(" | ")[0]
