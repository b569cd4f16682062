from bench.records.header import newest_records
from bench.records.store import read_results
from studies.overhead.many_records import write


def test_of_many_records_the_newest_are_those_that_reading_all_of_them_finds(tmp_path):
    write(tmp_path, networks=30, targets=2, sweeps=3)
    newest = {}
    for record in read_results(tmp_path):
        cell = (record.model.name, record.target.name)
        if cell not in newest or record.conditions.end.time >= newest[cell].conditions.end.time:
            newest[cell] = record
    assert len(newest) == 60
    assert {record.measurement is None for record in newest.values()} == {True, False}
    found = list(newest_records(tmp_path))
    assert {(record.model.name, record.target.name): record for record in found} == newest
