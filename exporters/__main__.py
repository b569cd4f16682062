"""`python -m exporters`: write networks in a format, from the cache or exported now, each checked against torch."""

import argparse
from pathlib import Path

from exporters.format_names import formats
from exporters.int8.option import add_calibration_option
from models.checkpoints import add_weights_option
from system.command_line import argument_parser, run


def main() -> int:
    """Export; exit 1 where a network could not be exported."""
    arguments = _parser().parse_args()
    from exporters.command import export

    return export(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser("exporters", str(__doc__))
    parser.add_argument("model", nargs="+", help="name, glob, or a source such as timm:resnet50@224")
    parser.add_argument("--to", required=True, metavar="FORMAT", help=f"one of {', '.join(formats())}")
    parser.add_argument("--precision", help="the format's first one unless given")
    parser.add_argument("--batch", type=_batch, help="images in a batch, or dynamic; the format's own unless given")
    add_weights_option(parser)
    add_calibration_option(parser)
    parser.add_argument("--out", type=Path, default=Path("artifacts"), help="folder (default: %(default)s)")
    parser.add_argument("--ops", action="store_true", help="count the operations of each file, by kind")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _batch(text: str) -> int:
    """The number of images, 0 for a dynamic batch."""
    if text == "dynamic":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"expected 1 to 4096 or dynamic, found {text!r}")
    return int(text)


if __name__ == "__main__":
    run(main)
