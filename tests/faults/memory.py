"""Memory that runs out."""

import resource
from pathlib import Path

from bench.records.store import read_records
from tests.faults.command import TINY, command

_ENOUGH_FOR_ONE_BYTES = 6_000_000_000  # of addresses: torch's libraries alone take most of them


def _little() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ENOUGH_FOR_ONE_BYTES, _ENOUGH_FOR_ONE_BYTES))


def address_space(folder: Path) -> tuple[int, str]:
    """Memory running out while a large network is exported, alone and in a sweep with a small one."""
    large, paths = "zennet_imagenet1k_latency12ms_res224", ["--results", folder / "results", "--artifacts", folder]
    ended = command("exporters", large, "--to", "onnx", "--out", folder, preexec_fn=_little)
    assert ended.returncode == 1, ended.stderr
    assert f"error: {large}: " in ended.stderr, ended.stderr
    assert not list(folder.rglob("*.onnx"))
    brief = ["--budget", "1", "--min-visits", "1"]
    ended = command("bench", "cpu", "--model", large, "--model", TINY, *brief, *paths, preexec_fn=_little)
    assert ended.returncode == 1, ended.stderr
    records = {record.model.name: record for record in read_records(folder / "results" / "cpu.jsonl")}
    assert records[large].reason
    assert records[large].measurement is None
    assert records[TINY].measurement is not None, records[TINY].reason
    return 2, "the error, or in a sweep the record, has the reason; no partial file is left, the sweep continues"
