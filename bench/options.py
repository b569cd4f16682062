"""What the command line changes in a target's options, so that a record says it."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from system.errors import UserError

if TYPE_CHECKING:
    from bench.protocol import Protocol
    from bench.sweep import SweepRequest
    from devices.targets import Target
    from models.model import Model


def add_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that `with_options` reads."""
    group = parser.add_argument_group("target")
    group.add_argument("--device", metavar="SERIAL", help="which phone, where several are connected")
    group.add_argument("--benchmark-model", metavar="PATH", help="TFLite's tool for the phone; downloaded unless given")
    group.add_argument("-H", "--adb-host", metavar="HOST", help="the adb server's machine (default: this one)")
    group.add_argument("-P", "--adb-port", metavar="PORT", type=int, help="the adb server's port (default: 5037)")
    text = "any other option of the target, for example threads=2"
    group.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help=text)


def with_options(target: "Target", arguments: argparse.Namespace) -> "Target":
    """The target with the options that were given. Raises UserError where one can't be read."""
    named = {
        "serial": arguments.device,
        "benchmark_model": arguments.benchmark_model,
        "adb_host": arguments.adb_host,
        "adb_port": arguments.adb_port,
    }
    options = {name: value for name, value in named.items() if value is not None}
    options |= dict(read_option(text) for text in arguments.option)
    return msgspec.structs.replace(target, options=target.options | options) if options else target


def sweep_request(
    arguments: argparse.Namespace,
    target: "Target",
    protocol: "Protocol",
    models: "Sequence[Model]",
    checkpoints: "Mapping[Model, Path]",
    repetition: int = 0,
) -> "SweepRequest":
    """What the command line asks of a sweep; of several only the first, repetition 0, goes on with an earlier one."""
    from bench.sweep import SweepRequest

    return SweepRequest(
        target=target,
        models=models,
        protocol=protocol,
        results=arguments.results,
        artifacts=arguments.artifacts,
        checkpoints=checkpoints,
        calibration=arguments.calibration,
        resume=arguments.resume and repetition == 0,
    )


def read_option(text: str, flag: str = "--option") -> tuple[str, object]:
    """The name and value of KEY=VALUE. Raises UserError, which names the `flag`, where it can't be read."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UserError(f"unreadable {flag}", found=repr(text), fix="give KEY=VALUE")
    return name, _value(value)


def _value(text: str) -> object:
    """A TOML value; anything else is a string."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
