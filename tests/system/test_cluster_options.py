"""Which cluster --ray means."""

import argparse

import pytest

from system.cluster_options import add_cluster_options, address_of

HEAD, OTHER = "10.0.0.1:6379", "10.0.0.2:6379"


@pytest.mark.parametrize(
    ("line", "variable", "expected"),
    [
        (["--ray"], None, "auto"),
        (["--ray"], "", "auto"),
        (["--ray"], HEAD, HEAD),
        (["--ray"], "local", "local"),
        (["--ray", "auto"], None, "auto"),
        (["--ray", "auto"], HEAD, HEAD),
        (["--ray", OTHER], HEAD, OTHER),
        (["--ray", "local"], HEAD, "local"),
    ],
)
def test_the_variable_counts_where_no_address_is_given(monkeypatch, line, variable, expected):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if variable is not None:
        monkeypatch.setenv("RAY_ADDRESS", variable)
    parser = argparse.ArgumentParser()
    add_cluster_options(parser)
    assert address_of(parser.parse_args(line).ray) == expected


def test_without_the_option_no_cluster_is_asked_for_whatever_the_variable_says(monkeypatch, tmp_path):
    from bench.__main__ import main
    from bench.records.store import read_records

    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # where nothing listens
    line = ["bench", "fake", "--model", "EfficientNet-B3", "--results", str(tmp_path / "results")]
    monkeypatch.setattr("sys.argv", [*line, "--artifacts", str(tmp_path / "artifacts")])
    assert main() == 0
    assert [record.model.name for record in read_records(tmp_path / "results/fake.jsonl")] == ["EfficientNet-B3"]
