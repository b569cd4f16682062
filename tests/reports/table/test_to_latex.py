import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.gather import gather
from reports.table.overview import overview
from reports.table.sheet import Entry, Piece, Sheet
from reports.table.to_latex import escape, latex


def test_the_table_is_booktabs_with_published_numbers_in_italics():
    text = latex([overview(gather([]))])
    assert [rule for rule in (r"\toprule", r"\midrule", r"\bottomrule") if rule not in text] == []
    assert r"\textit{0.25}" in text
    assert r"zennet\_imagenet1k\_latency12ms\_res224" in text


def test_every_line_of_a_table_has_as_many_cells():
    sheet = overview(gather([]))
    body = latex([sheet]).split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body.strip().splitlines()} == {len(sheet.headings) - 1}


@given(st.text())
def test_no_text_gets_out_of_its_cell(text):
    plain = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|ldots)\{\}", "", escape(text)
    )
    plain = plain.replace(r"$\pm$", "").replace("{[}", "").replace("{*}", "").replace("{}", "")
    assert re.sub(r"\\[{}$&#_%]", "", plain).translate(str.maketrans("", "", "\\{}$&#_%~^\n[*")) == re.sub(
        r"\\[{}$&#_%]", "", plain
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[opt] *star", "{[}opt] {*}star"),  # after a row's end these would be its arguments
        ("a--b ?`", "a-{}-b ?{}`"),
        ("x\x00y\x07z", "x?y?z"),
        ("«Ðþ» ä", "???? ä"),
    ],
)
def test_what_tex_would_read_otherwise(text, written):
    assert escape(text) == written


def test_a_heading_is_no_wider_than_numbers_need_it():
    headings = [Piece("Model"), Piece("Floor layer by layer, ms", notes=(1,))]
    sheet = Sheet("t", headings, [[Entry(), Entry((Piece("1"),))]])
    assert r"Model & \shortstack[r]{Floor layer by \\ layer, ms\textsuperscript{1}} \\" in latex([sheet])


def test_the_text_of_a_sheet_stands_above_its_table():
    text = latex([Sheet("t", [Piece("Model")], [[Entry((Piece("A"),))]], text=["Sources: a & b, 50 %.", "Second."])])
    first, second = text.index(r"{\raggedright Sources: a \& b, 50 \%.\par}"), text.index(r"{\raggedright Second.\par}")
    assert text.index(r"\caption") < first < second < text.index(r"\begin{tabular}")


def test_columns_without_a_number_are_left_out():
    rows = [[Entry((Piece("A"),)), Entry(), Entry((Piece("1"),))]]
    text = latex([Sheet("t", [Piece("Model"), Piece("empty"), Piece("full")], rows)])
    assert r"Model & full \\" in text
    assert r"A & 1 \\" in text
