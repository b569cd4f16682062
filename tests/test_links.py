"""Every relative link of every Markdown file leads to a file of the repository, and to a heading where it names one."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/**/*.md")])
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[tuple[str, str]]:
    """The file and the heading of each relative link; either may be empty."""
    found = LINK.findall(INLINE.sub("", prose(page)))
    return [(unquote(file), heading) for file, _, heading in (link.partition("#") for link in found)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_there_are_links():
    assert sum(len(links(page)) for page in PAGES) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page):
    for file, heading in links(page):
        target = (page.parent / file).resolve() if file else page
        assert target.is_relative_to(ROOT), f"{file} is outside the repository"
        assert target.exists(), f"{file} is not there"
        assert not heading or heading in anchors(target), f"{file} has no heading {heading}"
