"""`--calibration`: the photographs that integer formats are calibrated on."""

import argparse
from pathlib import Path

# How many photographs calibrate a network, spread over its folder; of a folder of fewer it is all. Source: TensorRT's
# developer guide, by whose experiments about 500 images suffice for ImageNet's classifiers.
RECOMMENDED = 500
HELP = f"photographs for integer formats, {RECOMMENDED} recommended; synthetic images unless given"


def add_calibration_option(parser: argparse.ArgumentParser) -> None:
    """The argument that `Job.calibration` takes."""
    parser.add_argument("--calibration", type=Path, metavar="DIR", help=HELP)
