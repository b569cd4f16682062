"""What GitHub shows of a table: read back by a CommonMark parser."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.gather import gather
from reports.table.overview import overview
from reports.table.sheet import Entry, Piece, Sheet, superscript
from reports.table.to_latex import latex
from reports.table.to_markdown import escape, markdown

ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


def cells(sheet) -> list[str]:
    """The table's cells as HTML, headings left out."""
    html = MarkdownIt("commonmark").enable("table").render(markdown([sheet]))
    return re.findall(r"<td[^>]*>(.*?)</td>", html)


def a_sheet(*pieces: Piece) -> Sheet:
    return Sheet("t", [Piece("Model"), Piece("ms")], [[Entry((Piece("a"),)), Entry(pieces)]], ["a note"] * 12)


@given(ascii_text, st.sampled_from([(), (5,), (1, 12)]))
def test_a_published_piece_is_in_italics_whatever_it_ends_in(text, notes):
    _, shown = cells(a_sheet(Piece(text, printed=True, notes=notes)))
    assert unescape(shown) == f"<em>{text}{superscript(notes)}</em>"


def test_the_ratio_to_the_published_number_is_upright(make_record):
    (sheet,) = [overview(gather([make_record(target="v100", seconds=[0.016] * 6)]))]
    shown = next(cell for cell in cells(sheet) if "x published" in cell)
    published, ratio = shown.split("<br>")[-2:]
    assert re.fullmatch(r"<em>1\.12\S*</em>", published)
    assert re.fullmatch(r"\d\.\d\dx published", ratio)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a|b", "a\\|b"),
        ("*x*", "\\*x\\*"),
        ("snake_case_", "snake_case\\_"),
        ("two\nlines", "two lines"),
        ("$\\frac{1}{2}$", "&#36;\\\\frac{1}{2}&#36;"),
    ],
)
def test_markdown_shows_text_as_it_is(text, shown):
    assert escape(text) == shown


def test_the_legend_says_that_italics_may_be_computed_from_what_was_published():
    sheet = a_sheet(Piece("3.4x", printed=True))
    assert "Italics: published, or computed for what was published." in markdown([sheet])
    assert "Italics: published, or computed for what was published." in latex([sheet])
