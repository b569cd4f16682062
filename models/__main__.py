"""`python -m models`: the networks, their sizes as computed and as printed, and why these differ.

`python -m models classify` and `python -m models score` use the networks; each has a --help of its own.
"""

import importlib
import sys

from system.command_line import argument_parser, run

_SUBCOMMANDS = {"classify": "models.classify", "score": "models.zen_score"}


def main() -> int:
    """List the networks, or run the subcommand that comes first; exit 0."""
    if sys.argv[1:] and sys.argv[1] in _SUBCOMMANDS:
        name = sys.argv.pop(1)
        sys.argv[0] += f" {name}"
        code: int = importlib.import_module(_SUBCOMMANDS[name]).main()
        return code
    parser = argument_parser("models", str(__doc__))
    parser.add_argument("model", nargs="*", default=["*"], help="name, glob, or a source such as timm:resnet50@224")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--recount", action="store_true", help="count these networks of the zoo again and write")
    arguments = parser.parse_args()
    from models.command import list_networks

    return list_networks(arguments)


if __name__ == "__main__":
    run(main)
