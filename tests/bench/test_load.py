"""`from bench import load`: records as a DataFrame; and the schema of a record in docs/."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bench import load
from bench.records.record import Record
from bench.records.store import append_line, read_records
from system.errors import UserError
from tools.record_schema import FILE, record_schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "example" / "cpu.jsonl"
SCHEMA_1 = ROOT / "tests" / "data" / "records_schema_1.jsonl"


def test_the_example_is_a_row_a_record():
    table, records = load(EXAMPLE), read_records(EXAMPLE)
    assert list(table["model"]) == [record.model.name for record in records]
    assert set(table["target"]) == {"cpu"}
    for (_, row), record in zip(table.iterrows(), records, strict=True):
        measurement = record.measurement
        assert row["ms"] == pytest.approx(1e3 * measurement.estimate.number_s / record.target.batch)
        assert row["low_ms"] <= row["ms"] <= row["high_ms"]
        assert row["plain_median_ms"] == pytest.approx(1e3 * measurement.raw_median_s / record.target.batch)
        assert (row["visits"], row["samples"]) == (len(measurement.visits), len(measurement.seconds))
        assert (row["verdict"], row["sweep"]) == (record.verdict.word, record.sweep)
    assert table["time"].notna().all()
    assert str(table["time"].dt.tz) == "UTC"
    assert {"cpu", "usable_cores", "python", "suite", "version_torch", "version_onnxruntime"} < set(table.columns)
    assert table["version_torch"].nunique() == 1


def test_a_folder_is_all_of_its_files_and_a_batch_is_shared_by_its_images(tmp_path):
    first, second, *_ = read_records(EXAMPLE)
    replace = msgspec.structs.replace
    whole = replace(first, target=replace(first.target, name="v100", batch=64))
    without = replace(second, measurement=None, verdict=None, reason="out of memory")
    append_line(tmp_path / "cpu.jsonl", without)
    append_line(tmp_path / "v100.jsonl", whole)
    table = load(str(tmp_path))
    assert list(table["target"]) == ["cpu", "v100"]
    assert table["reason"][0] == "out of memory"
    assert table["reason"].isna().tolist() == [False, True]
    assert table["ms"].isna().tolist() == [True, False]
    assert table["ms"][1] == pytest.approx(1e3 * first.measurement.estimate.number_s / 64)
    assert table["visits"].isna().tolist() == [True, False]


def test_of_times_that_can_not_have_been_measured_there_are_none(tmp_path):
    document = json.loads(EXAMPLE.read_bytes().splitlines()[0])
    document["measurement"]["rounds"][0]["samples"]["seconds"][0] = -1.0
    append_line(tmp_path / "cpu.jsonl", document)
    table = load(tmp_path)
    assert table[["ms", "low_ms", "plain_median_ms", "visits"]].isna().all(axis=None)


@pytest.mark.parametrize(("name", "says"), [("nowhere", "no such results"), (".", "no records to load")])
def test_nothing_to_read_is_an_error_of_the_users(tmp_path, name, says):
    with pytest.raises(UserError, match=says):
        load(tmp_path / name)


def test_importing_it_imports_nothing_heavy():
    code = "import sys; from bench import load; print(*{'pandas', 'numpy', 'msgspec'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_schema_in_docs_is_that_of_a_record():
    assert FILE.read_text(encoding="utf-8") == record_schema(), "python -m tools.record_schema writes it again"


def test_the_example_is_valid_by_the_schema():
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    decoder = msgspec.json.Decoder(Record)
    for line in EXAMPLE.read_bytes().splitlines() + SCHEMA_1.read_bytes().splitlines():
        decoder.decode(line)
        assert problems(schema, schema, json.loads(line)) == []


def test_the_check_finds_what_is_wrong():
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    document = json.loads(EXAMPLE.read_bytes().splitlines()[0])
    del document["sweep"]
    document["model"]["name"] = 1
    document["measurement"]["rounds"][0]["samples"]["seconds"] = ["soon"]
    assert problems(schema, schema, document) == ["$.sweep", "$.model.name", "$.measurement.rounds.samples.seconds"]


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def problems(schema, root, value, path="$"):
    """Where a value is not what a JSON schema says; knows the words that schemas of msgspec are made of."""
    if "$ref" in schema:
        return problems(root["$defs"][schema["$ref"].rpartition("/")[2]], root, value, path)
    if "anyOf" in schema:
        each = [problems(part, root, value, path) for part in schema["anyOf"]]
        return min(each, key=len)
    if "enum" in schema:
        return [] if value in schema["enum"] else [path]
    if not is_a(schema.get("type"), value):
        return [path]
    if isinstance(value, dict):
        missing = [f"{path}.{name}" for name in schema.get("required", ()) if name not in value]
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        parts = {name: known.get(name, rest if isinstance(rest, dict) else {}) for name in value}
        return missing + [
            wrong for name, part in parts.items() for wrong in problems(part, root, value[name], f"{path}.{name}")
        ]
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [wrong for item in value for wrong in problems(items, root, item, path)]
    return []


def is_a(kind, value):
    if kind is None:
        return True
    if isinstance(kind, list):
        return any(is_a(each, value) for each in kind)
    if kind in {"integer", "number"}:
        return isinstance(value, int if kind == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])
