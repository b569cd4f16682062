"""Write docs/record.schema.json, the JSON schema of one line of results/TARGET.jsonl.

.venv/bin/python -m tools.record_schema
"""

import json
from pathlib import Path

import msgspec

from bench.records.record import SCHEMA, Record

FILE = Path(__file__).parents[1] / "docs" / "record.schema.json"


def record_schema() -> str:
    """The schema as the text of its file."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": f"One line of results/TARGET.jsonl, schema {SCHEMA}; python -m tools.record_schema writes this.",
    }
    return json.dumps(head | msgspec.json.schema(Record), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(record_schema(), encoding="utf-8")
