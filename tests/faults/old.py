"""Records and journals of every earlier schema of the suite, and of ones that are still to come."""

import io
import json
from contextlib import redirect_stderr
from pathlib import Path

from bench.duet.record import DUET_SCHEMA, read_duets
from bench.records.record import SCHEMA
from bench.records.store import read_records
from models import UserError
from tests.faults.command import command, fake_sweep, one_error, render

_FIRST = Path(__file__).parents[1] / "data" / "records_schema_1.jsonl"
_EXAMPLE = Path(__file__).parents[2] / "docs" / "example" / "cpu.jsonl"
_AGAINST = 'option:seconds={"*"=0.06}'


def records(folder: Path) -> tuple[int, str]:
    """Records of each schema that the suite has written (1 and 2), alone and in one file, reported and compared."""
    files = {1: _FIRST.read_bytes(), 2: _EXAMPLE.read_bytes()}
    assert set(files) == set(range(1, SCHEMA + 1)), "a schema without records"
    for schema, content in files.items():
        assert {json.loads(line)["schema"] for line in content.splitlines()} == {schema}
    for name, content in {"first": files[1], "second": files[2], "both": files[1] + files[2]}.items():
        path = folder / name / "results" / "cpu.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        with redirect_stderr(io.StringIO()) as said:
            found = read_records(path)
        assert not said.getvalue()
        assert len(found) == content.count(b"\n")
        assert all(record.measurement or record.reason for record in found)
        assert render(folder / name).returncode == 0
        ended = command("reports", "compare", path, path)
        assert ended.returncode == 0, ended.stderr
    return 9, "all are read, reported and compared, none is passed over"


def resumed(folder: Path) -> tuple[int, str]:
    """`--resume` after records, and after a journal, of the first schema."""
    fake_sweep(folder, "--min-visits", "1")
    file = folder / "results" / "fake.jsonl"
    first = _as_first(json.loads(_FIRST.read_bytes().splitlines()[0]), json.loads(file.read_bytes().splitlines()[0]))
    line = json.dumps(first).encode() + b"\n"
    file.write_bytes(line)
    error = one_error(fake_sweep(folder, "--resume"))
    assert "--resume would mix two measurements" in error, error
    journal = folder / "results" / "fake.journal"
    started = {name: first[name] for name in ("sweep", "target", "protocol", "conditions")}
    journal.write_text(json.dumps({"type": "Started", **started}) + "\n")
    error = one_error(fake_sweep(folder, "--resume"))
    assert "--resume would mix two measurements" in error, error
    assert fake_sweep(folder).returncode == 0
    assert file.read_bytes().startswith(line), "the old record was changed"
    assert not journal.exists()
    return 3, "refused with one error that says what differs; a new sweep begins beside them, and they stay as they are"


def _as_first(first: dict[str, object], now: dict[str, object]) -> dict[str, object]:
    """A record of the first schema, of the fake device."""
    return first | {"target": now["target"]}


def newer(folder: Path) -> tuple[int, str]:
    """Records of schemas that are still to come, and of schemas that can't be."""
    fake_sweep(folder)
    path = folder / "results" / "fake.jsonl"
    whole, refused, cases = path.read_bytes(), 0, 0
    table = json.loads(whole.splitlines()[0])
    for schema in (SCHEMA + 1, 99, 2**63, 10**30, 0, -1, 1.5, "2", None, True, [], "absent"):
        document = {name: value for name, value in table.items() if name != "schema"}
        document |= {} if schema == "absent" else {"schema": schema}
        path.write_bytes(whole + json.dumps(document).encode() + b"\n")
        with redirect_stderr(io.StringIO()) as said:
            try:
                read_records(path)
                assert not _is_newer(schema)
            except UserError as error:
                assert f"schema {schema}, this one reads up to {SCHEMA}" in str(error)
                refused += 1
        assert said.getvalue().count("\n") <= 1
        if schema == SCHEMA + 1:
            for ended in (render(folder), fake_sweep(folder, "--resume"), command("reports", "compare", path, path)):
                assert f"schema {schema}" in one_error(ended)
        cases += 1
    return cases, f"{refused} refused with one error that names both schemas; the others are passed over or read"


def _is_newer(schema: object) -> bool:
    return isinstance(schema, int) and not isinstance(schema, bool) and SCHEMA < schema < 2**63


def duets(folder: Path) -> tuple[int, str]:
    """Records of duets of a schema that is still to come, and a duet beside them."""
    line = ["bench", "fake", "--model", "EfficientNet-B3", "--against", _AGAINST]
    paths = ["--results", folder, "--artifacts", folder / "artifacts"]
    assert command(*line, *paths).returncode == 0
    file = folder / "duets" / "fake.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + json.dumps(json.loads(whole) | {"schema": DUET_SCHEMA + 1}).encode() + b"\n")
    try:
        read_duets(file)
        raise AssertionError("a newer duet was read")
    except UserError as error:
        assert f"schema {DUET_SCHEMA + 1}" in str(error)
    assert command(*line, *paths).returncode == 0
    assert file.read_bytes().startswith(whole)
    return 2, "refused with one error that names both schemas; another duet is measured beside them"
