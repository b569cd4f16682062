"""`python -m devices`: each target, and whether it can run here or why not; of one target its options too.

With --ray: the hosts of a cluster, who uses them, and which targets each can run; of targets that are named, why not.
"""

from pathlib import Path
from typing import Any

import msgspec

from devices.option_help import OptionHelp, described
from devices.options import REST
from devices.runtime import absence_of, runtime_of
from devices.targets import Target, find_targets
from system.cluster_options import add_cluster_options
from system.command_line import argument_parser, print_json, print_table, run
from system.errors import UserError, one_line


def main() -> int:
    """List the targets; exit 0."""
    parser = argument_parser("devices", str(__doc__))
    parser.add_argument("target", nargs="*", help="name or glob; a name alone lists its options")
    parser.add_argument("--targets", type=Path, metavar="FILE", help="a TOML file of more targets")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_cluster_options(parser)
    arguments = parser.parse_args()
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


if __name__ == "__main__":
    run(main)
