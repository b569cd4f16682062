"""`python -m devices`: each target, and whether it can run here or why not; of one target its options too.

With --ray: the hosts of a cluster, who uses them, and which targets each can run; of targets that are named, why not.
"""

from pathlib import Path

from system.cluster_options import add_cluster_options
from system.command_line import argument_parser, run


def main() -> int:
    """List the targets; exit 0."""
    parser = argument_parser("devices", str(__doc__))
    parser.add_argument("target", nargs="*", help="name or glob; a name alone lists its options")
    parser.add_argument("--targets", type=Path, metavar="FILE", help="a TOML file of more targets")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_cluster_options(parser)
    arguments = parser.parse_args()
    from devices.command import list_targets

    return list_targets(arguments)


if __name__ == "__main__":
    run(main)
