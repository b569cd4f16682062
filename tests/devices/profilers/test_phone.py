"""The op profile of benchmark_model, in the shapes that its versions print."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profilers.phone import parse_op_profile
from models import UserError

TITLE = "INFO: Operator-wise Profiling Info for Regular Benchmark Runs:"
BAR = "=" * 30
HEAD = "\t[node type]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]"
OLD_HEAD = HEAD.replace("  [first]", "[start]\t  [first]")
CHAIN = (
    "[x.ChannelLastIOWrapper/models.zennet.ZenNet_wrapped/models.zennet.Chain_3/models.zennet.Layer_0/torch.nn.ReLU;1]"
)


def table(*rows, head=HEAD):
    return f"{BAR} Run Order {BAR}\n{head}\n" + "".join(f"{row}\n" for row in rows) + "\n"


def row(kind, avg_ms, called=1, name="[a]:0", start=""):
    return f"\t {kind:>30}\t{start}    0.150\t {avg_ms:.3f}\t 12.500%\t 99.000%\t     0.000\t {called:8}\t{name}"


def printed(*tables):
    start = "Profiling Info for Benchmark Initialization:\n" + table(
        row("AllocateTensors", 999, name="AllocateTensors/0")
    )
    end = f"{BAR} Top by Computation Time {BAR}\n{HEAD}\n{row('CONV_2D', 777)}\n\nNumber of nodes executed: 9\n"
    return f"count=9 first=1\n{start}\n{TITLE}\n{tables[0]}{end}" + "".join(tables[1:])


def test_a_delegates_operators_count_each_call():
    name = "Delegate/Convolution (NHWC, F32) DWConv:1"
    rows = [row("QUANTIZE", 0.2), row("Convolution (NHWC, F32) DWConv", 0.05, 13, name)]
    first, second = parse_op_profile(printed(table(*rows)))
    assert (first.kind, first.seconds) == ("QUANTIZE", pytest.approx(0.2e-3))
    assert (second.kind, second.seconds) == ("Convolution (NHWC, F32) DWConv", pytest.approx(0.65e-3))
    assert second.scope.startswith("not told")


def test_plain_kernels_are_traced_by_the_tensors_that_the_converter_named():
    (found,) = parse_op_profile(printed(table(row("CONV_2D", 1.0, name=f"{CHAIN}:7"))))
    assert found.scope == "module_list.3"


def test_a_whole_delegate_is_of_no_module_and_not_counted_beside_its_parts():
    whole = row("TfLiteXNNPackDelegate", 9.0, name=f"{CHAIN}:99")
    (found,) = parse_op_profile(printed(table(whole)))
    assert found.scope.startswith("not told")
    parts = table(row("Add (ND, F32)", 4.0, name="Delegate/Add (ND, F32):0"))
    both = parse_op_profile(printed(table(whole, row("MEAN", 1.0)), f"Delegate internal:\n{parts}"))
    assert [operator.kind for operator in both] == ["MEAN", "Add (ND, F32)"]


def test_older_tools_print_when_an_operator_starts():
    (found,) = parse_op_profile(printed(table(row("CONV_2D", 0.7, start="   11.422\t"), head=OLD_HEAD)))
    assert found.seconds == pytest.approx(0.7e-3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TITLE,
        f"{TITLE}\n{table()}",
        f"{TITLE}\n{table('nonsense')}",
        f"{TITLE}\n{table(row('A', 1), head='[node type]')}",
    ],
    ids=["nothing", "no table", "no rows", "an odd row", "an odd heading"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(UserError, match="unreadable op profile"):
        parse_op_profile(text)


kinds = st.text("ABC_xyz(), 0123456789", min_size=1, max_size=30).map(lambda text: f"K{' '.join(text.split())}")
rows = st.lists(st.tuples(kinds, st.integers(0, 10**7), st.integers(1, 500)), min_size=1, max_size=30)


@given(rows, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_row_is_read_and_the_sum_is_theirs(given_rows, line_end, old):
    start = "    0.000\t" if old else ""
    lines = [row(kind, us / 1e3, called, "Delegate/it:0", start) for kind, us, called in given_rows]
    found = parse_op_profile(printed(table(*lines, head=OLD_HEAD if old else HEAD)).replace("\n", line_end))
    assert [operator.kind for operator in found] == [kind for kind, _, _ in given_rows]
    total_s = sum(us * called * 1e-6 for _, us, called in given_rows)
    assert sum(operator.seconds for operator in found) == pytest.approx(total_s)


@given(st.text())
def test_no_text_breaks_the_parser(text):
    with suppress(UserError):
        assert parse_op_profile(f"{TITLE}\n{text}")
