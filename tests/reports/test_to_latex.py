import re

from hypothesis import given
from hypothesis import strategies as st

from reports.gather import gather
from reports.sheet import overview
from reports.to_latex import escape, latex


def test_the_table_is_booktabs_with_published_numbers_in_italics():
    text = latex([overview(gather([]))])
    assert [rule for rule in (r"\toprule", r"\midrule", r"\bottomrule") if rule not in text] == []
    assert r"\textit{0.25}" in text
    assert r"zennet\_imagenet1k\_latency12ms\_res224" in text


def test_every_line_of_a_table_has_as_many_cells():
    body = latex([overview(gather([]))]).split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body.strip().splitlines()} == {7}


@given(st.text())
def test_no_text_gets_out_of_its_cell(text):
    plain = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|ldots)\{\}", "", escape(text)
    )
    plain = plain.replace(r"$\pm$", "")
    assert re.sub(r"\\[{}$&#_%]", "", plain).translate(str.maketrans("", "", "\\{}$&#_%~^\n")) == re.sub(
        r"\\[{}$&#_%]", "", plain
    )
