"""Old and new records live together: what a later version adds anywhere in a record is passed over."""

import json
from pathlib import Path

import msgspec
import pytest

from bench.records.conditions import Conditions
from bench.records.record import Record
from bench.records.store import read_records

EXAMPLE = Path(__file__).parents[2] / "data" / "records_schema_1.jsonl"
LINE = EXAMPLE.read_text(encoding="utf-8").splitlines()[0]
READINGS = [f"measurement.rounds.{when}.{work}" for when in ("before", "after") for work in ("arithmetic", "exchange")]
# Tables whose keys are data: names of options, tools, references, readings. A key more is a fact more.
OPEN = {
    *("target.options", "target.protocol", "artifact.made_by", "conditions.machine.versions", "measurement.place"),
    *("measurement.limits.tolerance", "measurement.limits.reference_s", "measurement.limits.fastest_s"),
    *("measurement.rounds.samples.evidence", "measurement.rounds.before", "measurement.rounds.after"),
    *(f"{reading}.evidence" for reading in READINGS),
}  # fmt: skip


def added(value, path=""):
    """The value with a field more in every object, and the paths of those objects."""
    if isinstance(value, list):
        grown = [added(item, path) for item in value]
        return [item for item, _ in grown], {found for _, paths in grown for found in paths}
    if not isinstance(value, dict):
        return value, set()
    grown = {key: added(item, f"{path}.{key}".removeprefix(".")) for key, item in value.items()}
    paths = {found for _, below in grown.values() for found in below}
    more = {} if path in OPEN else {"added_later": {"deep": [1, None]}}
    return {key: item for key, (item, _) in grown.items()} | more, paths | ({path} - OPEN)


def decoded(document):
    return msgspec.json.decode(json.dumps(document), type=Record)


def test_a_field_more_anywhere_changes_nothing(tmp_path, capsys):
    original = msgspec.json.decode(LINE, type=Record)
    grown, paths = added(json.loads(LINE))
    assert {"", "target", "model", "artifact.fidelity", "conditions.machine", "conditions.end"} <= paths
    assert {"measurement.rounds.samples", "measurement.rounds.before.exchange", "measurement.limits"} <= paths
    path = tmp_path / "cpu.jsonl"
    path.write_text(json.dumps(grown) + "\n" + LINE + "\n")
    assert read_records(path) == [original, original]
    assert capsys.readouterr().err == ""


# What records of the first schema say that no version since then reads: how their numbers were made of their visits.
GONE = {"protocol": ("arithmetic_tolerance", "exchange_tolerance", "patience_s", "run_to_run")}


def test_every_record_of_the_first_schema_comes_back_with_all_that_is_still_read():
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        record = msgspec.json.decode(line, type=Record)
        before, after = json.loads(line), json.loads(msgspec.json.encode(record))
        before["measurement"]["limits"] = {"lost_share": before["measurement"]["limits"]["lost_share"]}
        for name in GONE["protocol"]:
            del before["protocol"][name]
        assert contains(after, before), line[:200]


def contains(whole: object, part: object) -> bool:
    """Whether a JSON document holds all of another; it may say more, the defaults of fields that were added."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and contains(whole[name], value) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(contains, whole, part))
    return whole == part


@pytest.mark.parametrize(
    "conditions", [{}, {"machine": {}}, {"end": {"time": "2026-01-01T00:00:00Z"}}, {"machine": {"cpu": None}, "x": 1}]
)
def test_a_record_of_few_conditions_is_read(conditions):
    record = decoded(json.loads(LINE) | {"conditions": conditions})
    assert isinstance(record.conditions, Conditions)
    assert record.conditions.machine.usable_cores is None


def test_a_record_with_an_option_that_is_no_more_is_read():
    document = json.loads(LINE)
    document["target"]["options"]["pad"] = 0.03
    assert decoded(document).target.options["pad"] == 0.03
