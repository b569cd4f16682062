"""What a target's hardware can do at most: from sources where it is known, else what a probe measured."""

import functools
import tomllib
from pathlib import Path

import msgspec

from devices.host.conditions import Machine
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

_FILE = Path(__file__).with_name("peaks.toml")
PROBED = "peaks.json"  # in the results folder, beside the records that it belongs to


class Peaks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The comments of peaks.toml say what each field means; `measured` marks rates that a probe reached."""

    title: str
    ops: dict[str, float]
    memory: float
    cache: int
    cores: int = 1
    source: list[str]
    measured: bool = False


@functools.cache
def known_peaks() -> dict[str, Peaks]:
    """The peaks from sources, by the `device` of a target."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), dict[str, Peaks])


def machine_key(machine: Machine) -> str:
    """Which machine a probe's result is of."""
    return f"{machine.cpu}, {machine.usable_cores} cores"


def read_probed(results: Path) -> dict[str, Peaks]:
    """What probes measured, by `machine_key`. Raises UserError where the file is damaged."""
    try:
        return msgspec.json.decode((results / PROBED).read_bytes(), type=dict[str, Peaks])
    except FileNotFoundError:
        return {}
    except (OSError, *UNREADABLE) as error:
        raise UserError(
            f"can't read {results / PROBED}", found=one_line(error), fix="remove it and probe again"
        ) from error
