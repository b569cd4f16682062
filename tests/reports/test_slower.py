import pytest
from msgspec.structs import replace

from devices.targets import find_targets
from reports.gather import gather, narrow
from reports.table.overview import overview
from reports.table.to_markdown import markdown

FLOAT, INTEGER = (0.010, 0.0101, 0.0102, 0.0103, 0.0104, 0.0105), (0.020, 0.0201, 0.0202, 0.0203, 0.0204, 0.0205)


def note(records, target, model="EfficientNet-B3"):
    (column,) = (column for column in gather(records).columns if column.name == target)
    return column.cells[model].note


@pytest.mark.parametrize(
    ("integer", "floating"), [("cpu-int8", "cpu"), ("cpu-tflite-int8", "cpu-tflite"), ("pixel2-int8", "pixel2")]
)
def test_an_integer_file_that_is_slower_is_remarked_on_every_runtime(make_record, integer, floating):
    slow, fast = make_record(target=integer, seconds=INTEGER), make_record(target=floating, seconds=FLOAT)
    assert note([slow, fast], integer) == f"slower than in fp32 by 98% ({floating})"
    assert note([slow, fast], floating) == ""


def test_the_table_shows_it_even_where_the_float_column_is_left_out(make_record):
    report = gather([make_record(target="cpu-int8", seconds=INTEGER), make_record(target="cpu", seconds=FLOAT)])
    shown = narrow(report, ["cpu-int8"], ["*"])
    assert overview(shown).notes[-1] == "slower than in fp32 by 98% (cpu)"
    assert "slower than in fp32 by 98% (cpu)" in markdown([overview(shown)])


def test_a_faster_one_and_one_within_the_intervals_are_not(make_record):
    for seconds in (FLOAT, tuple(second * 1.001 for second in FLOAT)):
        records = [make_record(target="cpu-int8", seconds=seconds), make_record(target="cpu", seconds=FLOAT)]
        assert note(records, "cpu-int8") == ""


def test_numbers_of_other_hardware_runtimes_threads_and_networks_say_nothing(make_record):
    slow, fast = make_record(target="cpu-int8", seconds=INTEGER), make_record(target="cpu", seconds=FLOAT)
    conditions = replace(fast.conditions, machine=replace(fast.conditions.machine, cpu="another"))
    more_threads = replace(fast.measurement, ran_on={"threads": 64})
    (tflite,) = find_targets("cpu-tflite")
    for other in (
        replace(fast, conditions=conditions),
        replace(fast, measurement=more_threads),
        replace(fast, target=tflite),
        make_record("EfficientNet-B5", target="cpu", seconds=FLOAT),
    ):
        assert note([slow, other], "cpu-int8") == ""


def test_the_fastest_floating_point_number_is_named_and_other_remarks_stay(make_record):
    (fp16,) = find_targets("t4-fp16")
    fp32 = replace(fp16, name="t4-fp32", precision="fp32")
    slow = make_record(target="t4", seconds=INTEGER, reason="the driver left")
    records = [slow, make_record(target=fp32, seconds=[0.015] * 6), make_record(target=fp16, seconds=FLOAT)]
    told = note(records, "t4")
    assert told.startswith("its run ended early: the driver left; slower than in fp16 by ")
    assert told.endswith("(t4-fp16)")
