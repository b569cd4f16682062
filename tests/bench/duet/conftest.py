from pathlib import Path

import pytest


@pytest.fixture
def duets_file(tmp_path) -> Path:
    return tmp_path / "results" / "duets" / "fake.jsonl"
