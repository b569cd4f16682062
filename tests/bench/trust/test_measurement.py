"""What the raw times of a network come to: with the correction, without it, and as a plain loop would have said."""

import math
from pathlib import Path
from statistics import geometric_mean

import msgspec
import pytest

from bench.records.store import read_records
from bench.trust.exponents import Exponents, Information
from bench.trust.measurement import Measurement
from bench.trust.run_to_run import RunToRun
from tests.bench.made_up import LOST_SHARE, a_reading, a_visit, measured, visits_of

EXAMPLE = Path(__file__).parents[2] / "data" / "records_schema_1.jsonl"
SURE = Exponents(compute=1.0, core_to_core=0.5, covariance=((0.0, 0.0), (0.0, 0.0)))
UNSURE = msgspec.structs.replace(SURE, covariance=((0.04, 0.01), (0.01, 0.09)))
BETWEEN = RunToRun(error=0.01, freedom=20.0, sweeps=5)


def test_what_the_condition_explains_is_divided_out():
    conditions = [(0.0, 0.0), (0.1, 0.0), (0.0, 0.2), (-0.1, 0.2), (0.1, 0.2), (0.05, 0.1)]
    slowdowns = [math.exp(c + 0.5 * d) for c, d in conditions]
    found = measured(visits_of([0.1 * each for each in slowdowns]), conditions=conditions, exponents=SURE)
    assert found.estimate.number_s == pytest.approx(0.1)
    assert found.estimate.half_width < 1e-9
    assert found.undivided.number_s == pytest.approx(0.1 * geometric_mean(slowdowns), rel=0.01)
    assert found.undivided.half_width > 0.01
    assert found.values_s == pytest.approx([0.1] * 6)
    assert found.corrected_by == pytest.approx(found.estimate.number_s / found.undivided.number_s - 1)
    assert found.corrected_by < 0


def test_only_conditions_of_visits_that_count_do():
    visits = [*visits_of([0.1] * 5), a_visit(0.3, wait_s=0.2)]
    found = measured(visits, conditions=[(0.0, 0.0)] * 5 + [(0.5, 0.5)], exponents=UNSURE)
    assert found.estimate.number_s == found.undivided.number_s == 0.1
    assert found.estimate.log_error == 0


def test_the_error_of_the_exponents_is_in_the_interval_as_far_from_the_condition_of_reference_as_the_visits_are():
    visits = visits_of([0.1, 0.101, 0.099, 0.1, 0.102, 0.098])
    near, far = (measured(visits, conditions=[at] * 6, exponents=UNSURE) for at in ((0.0, 0.0), (0.1, 0.1)))
    assert near.estimate == near.undivided
    error = UNSURE.log_error((0.1, 0.1))
    assert far.estimate.log_error == pytest.approx(math.hypot(near.estimate.log_error, error))
    assert far.undivided == near.undivided


@pytest.mark.parametrize(
    "basis",
    [{}, {"exponents": SURE}, {"conditions": [(0.1, 0.1)] * 6}, {"conditions": [(0.1, 0.1)], "exponents": SURE}],
)
def test_without_readings_nothing_is_divided_out(basis):
    found = measured(visits_of([0.1, 0.101, 0.099] * 2), **basis)
    assert found.estimate == found.undivided
    assert found.corrected_by == 0


def test_alone_is_what_it_says_without_earlier_sweeps():
    visits = visits_of([0.1, 0.101, 0.099] * 2)
    found, alone = measured(visits, run_to_run=BETWEEN), measured(visits)
    assert found.alone == alone.estimate
    assert found.estimate.half_width > found.alone.half_width
    assert (found.estimate.within_sweep, found.undivided.within_sweep, found.alone.within_sweep) == (False, False, True)


@pytest.mark.parametrize("basis", [{}, {"run_to_run": BETWEEN}, {"conditions": [(0.1, 0.0)] * 8, "exponents": SURE}])
def test_where_no_visit_counts_there_is_a_number_but_no_interval(basis):
    found = measured(visits_of([0.1, 0.2, 0.3, 0.4] * 2, wait_s=0.1), **basis)
    assert found.counted == []
    assert found.estimate.number_s == pytest.approx(0.25)
    assert (found.estimate.low_s, found.estimate.high_s, found.estimate.half_width) == (None, None, math.inf)


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_than_four_visits_that_count_have_no_interval(count):
    found = measured([*visits_of([0.1] * count), *visits_of([0.2] * 9, wait_s=0.1)])
    assert (found.estimate.number_s, found.estimate.low_s) == (0.1, None)


def test_the_raw_median_is_of_all_samples_disturbed_or_not():
    found = measured([a_visit(0.1, 0.2), a_visit(0.3, 0.4, 0.5, wait_s=0.2)])
    assert found.raw_median_s == 0.3
    assert found.seconds == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert [found.percentile(percent) for percent in (0, 50, 100)] == [0.1, 0.3, 0.5]
    assert found.rejections == [None, "contended"]
    assert found.lost_share == LOST_SHARE


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"conditions": [(0.1, 9.2e18)] * 6}, "a visit at condition"),
        ({"conditions": [(math.nan, 0.1)] * 6}, "a visit at condition"),
        ({"exponents": msgspec.structs.replace(SURE, core_to_core=1e6)}, "a visit at condition"),
        ({"exponents": msgspec.structs.replace(SURE, covariance=((1e9, 0.0), (0.0, 0.0)))}, "a visit at condition"),
        ({"run_to_run": msgspec.structs.replace(BETWEEN, error=-0.1)}, "sweeps that lie"),
        ({"run_to_run": msgspec.structs.replace(BETWEEN, error=1e300)}, "sweeps that lie"),
        ({"run_to_run": msgspec.structs.replace(BETWEEN, freedom=0.0)}, "sweeps that lie"),
    ],
)
def test_what_no_sweep_can_have_learnt_is_told_before_anything_is_computed(changed, why):
    basis = {"conditions": [(0.1, 0.1)] * 6, "exponents": SURE, "run_to_run": BETWEEN}
    visits = visits_of([0.1] * 6)
    assert measured(visits, **basis).possible
    assert measured(visits, **basis | changed).why_impossible.startswith(why)


def test_it_comes_back_from_json_as_it_was():
    found = measured(
        [a_visit(0.1, at_s=float(at), readings=[a_reading(float(at), 0.008, 0.006)]) for at in range(6)],
        epoch="abc",
        reference_s={"compute": 0.008},
        conditions=[(0.01 * at, 0.02) for at in range(6)],
        exponents=UNSURE,
        information=Information(precision=((1.0, 0.0), (0.0, 2.0)), weighted=(1.0, 1.0)),
        run_to_run=BETWEEN,
        clock_hz=(3.6e9, 4.1e9),
        sampling_share=0.8,
    )
    again = msgspec.json.decode(msgspec.json.encode(found), type=Measurement)
    assert again == found
    assert again.estimate == found.estimate


def test_records_of_the_first_schema_are_read_and_have_a_number_that_is_not_corrected():
    records = read_records(EXAMPLE)
    found = [record.measurement for record in records if record.measurement]
    assert {record.schema for record in records} == {1}
    assert len(found) == len(records) == 12
    for measurement in found:
        assert measurement.basis is None
        assert measurement.lost_share == 0.02
        assert measurement.estimate.number_s > 0
        assert 0 < measurement.estimate.half_width < math.inf
        assert measurement.estimate.within_sweep
        assert measurement.corrected_by == 0
        assert all(len(list(visit.all_readings())) == 2 for visit in measurement.visits)
