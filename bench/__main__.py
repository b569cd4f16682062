"""`python -m bench`: measure networks on targets; each network's record is a line of results/TARGET.jsonl."""

import argparse
from pathlib import Path

import msgspec

from bench.accuracy.options import add_accuracy_options
from bench.axis import add_axis_options
from bench.duet.options import add_duet_options
from bench.fleet.options import add_fleet_options
from bench.options import add_options
from bench.protocol import Protocol, option_of
from bench.top1 import add_top1_option
from exporters.int8.option import add_calibration_option
from models.checkpoints import add_weights_option
from models.groups import DEFAULT
from system.command_line import argument_parser, run


def main() -> int:
    """Measure; exit 1 where a network has no number."""
    arguments = _parser().parse_args()
    from bench.command import measure

    return measure(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser("bench", str(__doc__))
    parser.add_argument("target", nargs="+", help="name or glob of targets.toml, or NAME@BATCH")
    parser.add_argument("--model", action="append", metavar="GLOB", help=f"which networks (default: {DEFAULT})")
    parser.add_argument("--profile", metavar="MODEL", help="instead: where the time of one network goes")
    parser.add_argument("--resume", action="store_true", help="go on with the last sweep where it was interrupted")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="sweeps of each target (default: 1)")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder (default: %(default)s)")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="the cache (default: %(default)s)")
    add_weights_option(parser)
    add_top1_option(parser)
    add_calibration_option(parser)
    parser.add_argument("--targets", type=Path, metavar="FILE", help="a TOML file of more targets")
    add_axis_options(parser)
    add_options(parser)
    add_fleet_options(parser)
    add_duet_options(parser)
    add_accuracy_options(parser)
    protocol = parser.add_argument_group("protocol")
    for field, kind, default, description in _protocol_options():
        flag = option_of(field)
        if kind is bool:
            protocol.add_argument(flag, dest=field, action="store_true", default=None, help=description)
            continue
        help_text = f"{description} (default: {default}, or what the target says)"
        protocol.add_argument(flag, dest=field, type=kind, metavar="N", help=help_text)
    return parser


def _protocol_options() -> list[tuple[str, type, float, str]]:
    """The protocol's fields with type, default and help: they are written once, in the dataclass."""
    return [
        (
            field.name,
            type(field.default),
            field.default,
            (getattr(field.type, "extra_json_schema", None) or {})["description"],
        )
        for field in msgspec.inspect.type_info(Protocol).fields  # type: ignore[attr-defined]
    ]


if __name__ == "__main__":
    run(main)
