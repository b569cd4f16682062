"""What `python -m devices` does once its arguments are read."""

import argparse
from typing import Any

import msgspec

from devices.option_help import OptionHelp, described
from devices.options import REST
from devices.runtime import absence_of, runtime_of
from devices.targets import Target, find_targets
from system.command_line import print_json, print_table
from system.errors import UserError, one_line


def list_targets(arguments: argparse.Namespace) -> int:
    """Print the targets, or with --ray the hosts; 0. Raises UserError where there is no such target."""
    targets = [target for pattern in arguments.target or ["*"] for target in find_targets(pattern, arguments.targets)]
    if arguments.ray is not None:
        from devices.fleet.command import list_hosts

        return list_hosts(arguments, targets)
    if arguments.json:
        print_json([_document(target) for target in targets])
        return 0
    rows = [
        [target.name, target.title, str(target.batch), target.precision, absence_of(target) or "ready"]
        for target in targets
    ]
    print_table(["target", "title", "batch", "precision", "here"], rows)
    if arguments.target == [targets[0].name]:
        print()  # noqa: T201
        print_table(["option", "here", "default", "values", "help"], _option_rows(targets[0]))
    return 0


def _document(target: Target) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(target)
    absence = absence_of(target)
    understood = [msgspec.to_builtins(option) for option in _understood(target)]
    return document | {"available": absence is None, "absence": absence, "understands": understood}


def _option_rows(target: Target) -> list[list[str]]:
    options, understood = dict(target.options), _understood(target)
    rows = [
        [option.name, _text(options.pop(option.name, None)), _text(option.default), option.takes, option.help]
        for option in understood
        if option.name != REST
    ]
    others = ", ".join(f"{name}={_text(value)}" for name, value in options.items())
    return rows + [["any other", others, "", "", option.help] for option in understood if option.name == REST]


def _understood(target: Target) -> list[OptionHelp]:
    """What the target's runtime understands; nothing where there is no such runtime."""
    try:
        return described(runtime_of(target).options_of(target))
    except UserError:
        return []


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else one_line(value, 40)
