"""The tables say of a GPU's numbers whether it was warm or heat-soaked."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bench.protocol import Protocol
from devices.nvidia.cuda_events import NAME
from reports.floor import Floors
from reports.gather import gather
from reports.table.details import details
from reports.table.overview import overview


@pytest.fixture
def on_a_gpu(make_record):
    """A record by the GPU's clock."""

    def make(model: str = "EfficientNet-B3", *, sustained: bool = False):
        record = make_record(model, "gpu")
        return replace(
            record,
            measurement=replace(record.measurement, clock=NAME),
            protocol=replace(record.protocol, sustained=sustained),
        )

    return make


def tables(*records):
    """The overview, and the table of the target."""
    report = gather(records)
    (column,) = (column for column in report.columns if column.name == records[0].target.name)
    return overview(report), details(report, column, Floors(Path("absent")), None)


@pytest.mark.parametrize(("sustained", "state"), [(False, "warm, not heat-soaked"), (True, "heat-soaked")])
def test_where_all_numbers_are_of_one_state_the_column_says_which(on_a_gpu, sustained, state):
    records = [on_a_gpu(name, sustained=sustained) for name in ("EfficientNet-B3", "EfficientNet-B5")]
    whole, own = tables(*records)
    (note,) = (note for note in whole.notes if "ONNX Runtime FP16" in note)
    assert f"milliseconds of one image; {state}: after a warm-up until" in note
    assert any(line.startswith(f"The device was {state}: ") for line in own.text)
    assert not any(note.startswith(state) for note in (*whole.notes, *own.notes))


def test_where_they_differ_each_number_says_it(on_a_gpu):
    whole, own = tables(on_a_gpu(), on_a_gpu("EfficientNet-B5", sustained=True))
    for sheet in (whole, own):
        assert sorted(note.partition(":")[0] for note in sheet.notes if "after a warm-up" in note) == [
            "heat-soaked",
            "warm, not heat-soaked",
        ]


def test_of_a_processor_that_tells_no_heat_nothing_is_said(make_record):
    whole, own = tables(make_record())
    assert not any("warm" in line for line in (*whole.notes, *own.notes, *own.text))
    assert Protocol().sustained is False
