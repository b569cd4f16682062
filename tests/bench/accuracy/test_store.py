import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.accuracy.record import SCHEMA, accuracy_file
from bench.accuracy.store import read_accuracies
from bench.records.store import append_line
from system.errors import UserError


def test_accuracies_of_all_targets_are_read_oldest_first(accuracy, tmp_path):
    later = msgspec.structs.replace(accuracy, top1=61)
    for target, document in (("pixel2", accuracy), ("cpu", later), ("cpu", accuracy)):
        append_line(accuracy_file(tmp_path, target), document)
    assert read_accuracies(tmp_path) == [later, accuracy, accuracy]


def test_without_a_folder_there_are_none(tmp_path):
    assert read_accuracies(tmp_path) == []


@pytest.mark.parametrize("change", [{}, {"images": "all of them"}], ids=["like this one", "of another shape"])
def test_a_newer_schema_is_refused(accuracy, tmp_path, change):
    append_line(accuracy_file(tmp_path, "cpu"), msgspec.to_builtins(accuracy) | {"schema": SCHEMA + 1} | change)
    with pytest.raises(UserError, match=f"schema {SCHEMA + 1}, this one reads up to {SCHEMA}; update the suite"):
        read_accuracies(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(damage=st.binary(max_size=60).filter(lambda line: line.strip() and b"\n" not in line))
def test_a_damaged_line_is_passed_over_with_a_warning(accuracy, tmp_path, capsys, damage):
    path = accuracy_file(tmp_path, "cpu")
    path.unlink(missing_ok=True)
    append_line(path, accuracy)
    with path.open("ab") as file:
        file.write(damage)
    append_line(path, accuracy)  # on a line of its own
    capsys.readouterr()
    assert read_accuracies(tmp_path) == [accuracy, accuracy]
    assert "1 unreadable lines passed over" in capsys.readouterr().err
