"""The options of the commands that use a Ray cluster."""

import argparse
import os
from pathlib import Path
from typing import Any

from system.errors import UserError, one_line

AUTO = "auto"
_ADDRESS = "RAY_ADDRESS"


def add_cluster_options(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    """The arguments that `address_of` and `read_runtime_env` read."""
    about = (
        "use a cluster: its head, such as 10.0.0.2:6379; local starts one here; auto, or no value, takes "
        f"{_ADDRESS} where it is set, else the one that this machine belongs to; without --ray none is used"
    )
    parser.add_argument("--ray", nargs="?", const="", metavar="ADDRESS", help=about)
    parser.add_argument("--runtime-env", type=Path, metavar="FILE", help="JSON: Ray's runtime_env of every worker")


def address_of(given: str) -> str:
    """The address that --ray gives; as in Ray itself, RAY_ADDRESS says what `auto` is where it is set."""
    return os.environ.get(_ADDRESS) or AUTO if given in {"", AUTO} else given


def read_runtime_env(path: Path | None) -> dict[str, Any]:
    """What a file of --runtime-env says. Raises UserError where it can't be read or is no JSON object."""
    import json

    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"can't read {path}", found=one_line(error), fix="give a JSON file") from error
    if not isinstance(found, dict):
        raise UserError(f"no runtime_env in {path}", found=type(found).__name__, fix="give a JSON object")
    return found
