"""The options of a fleet."""

import argparse

from system.cluster_options import add_cluster_options


def add_fleet_options(parser: argparse.ArgumentParser) -> None:
    """The arguments that `bench.fleet.command` reads."""
    group = parser.add_argument_group("fleet: on the hosts of a Ray cluster, see docs/fleet.md")
    add_cluster_options(group)
    group.add_argument(
        "--host-wait",
        type=float,
        default=60.0,
        metavar="N",
        help="seconds to wait for a host that the cluster doesn't have (default: %(default)g)",
    )
