"""`python -m devices`: each target, and whether it can run here or why not."""

from pathlib import Path

import msgspec

from devices.session import absence_of
from devices.targets import find_targets
from system.command_line import argument_parser, print_json, print_table, run


def main() -> int:
    """List the targets; exit 0."""
    parser = argument_parser("devices", str(__doc__))
    parser.add_argument("target", nargs="*", default=["*"], help="name or glob")
    parser.add_argument("--targets", type=Path, metavar="FILE", help="a TOML file of more targets")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    targets = [target for pattern in arguments.target for target in find_targets(pattern, arguments.targets)]
    absences = {target.name: absence_of(target) for target in targets}
    if arguments.json:
        print_json(
            [
                msgspec.to_builtins(target)
                | {"available": absences[target.name] is None, "absence": absences[target.name]}
                for target in targets
            ]
        )
        return 0
    rows = [
        [target.name, target.title, str(target.batch), target.precision, absences[target.name] or "ready"]
        for target in targets
    ]
    print_table(["target", "title", "batch", "precision", "here"], rows)
    return 0


if __name__ == "__main__":
    run(main)
