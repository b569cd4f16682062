"""Write docs/record.schema.json, the JSON schema of one line of results/TARGET.jsonl.

.venv/bin/python -m tools.record_schema
"""

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from bench.records.record import SCHEMA, Record

FILE = Path(__file__).parents[1] / "docs" / "record.schema.json"


def record_schema() -> str:
    """The schema as the text of its file."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": f"One line of results/TARGET.jsonl, schema {SCHEMA}; python -m tools.record_schema writes this.",
    }
    return json.dumps(head | _cleaned(msgspec.json.schema(Record)), indent=2, ensure_ascii=False) + "\n"


def _cleaned(part: Any) -> Any:
    """The same with no docstring indented: before Python 3.13 they are as in the source, since then they are not."""
    if isinstance(part, dict):
        cleaned = {name: _cleaned(value) for name, value in part.items()}
        text = part.get("description")
        return cleaned | {"description": inspect.cleandoc(text)} if isinstance(text, str) else cleaned
    return [_cleaned(item) for item in part] if isinstance(part, list) else part


if __name__ == "__main__":
    FILE.write_text(record_schema(), encoding="utf-8")
