"""The options of a fleet."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from system.errors import UserError, one_line

_ADDRESS = "RAY_ADDRESS"


def add_fleet_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that `bench.fleet.command` reads."""
    group = parser.add_argument_group("fleet: on the hosts of a Ray cluster, see docs/fleet.md")
    about = f"its head, such as 10.0.0.2:6379; local starts one here; without a value what {_ADDRESS} says, else auto"
    group.add_argument("--ray", nargs="?", const="", metavar="ADDRESS", help=about)
    group.add_argument("--runtime-env", type=Path, metavar="FILE", help="JSON: Ray's runtime_env of every worker")
    group.add_argument(
        "--host-wait",
        type=float,
        default=60.0,
        metavar="N",
        help="seconds to wait for a host that the cluster doesn't have (default: %(default)g)",
    )


def address_of(given: str) -> str:
    """The address that --ray gives."""
    return given or os.environ.get(_ADDRESS) or "auto"


def read_runtime_env(path: Path | None) -> dict[str, Any]:
    """What a file of --runtime-env says. Raises UserError where it can't be read or is no table."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"can't read {path}", found=one_line(error), fix="give a JSON file") from error
    if not isinstance(found, dict):
        raise UserError(f"no runtime_env in {path}", found=type(found).__name__, fix="give a JSON object")
    return found
