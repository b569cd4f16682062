"""`python -m models score`: Zen-Scores, by the definition of the Zen-NAS paper (ICCV 2021, Algorithm 1).

A score takes no trained weights and no photographs: weights and images of each repeat are drawn from N(0, 1).
"""

import argparse
import statistics
import sys
import time
from dataclasses import asdict
from itertools import islice

from models.model import Model
from models.score import Setting, record, summary, zen_scores
from models.zoo import find_all, refuse_others
from system.command_line import argument_parser, print_json, print_table, run

_MOST = 4096


def main() -> int:
    """Score the networks; exit 0."""
    arguments = _parser().parse_args()
    models = find_all(arguments.model)
    if arguments.record:
        refuse_others(models, "--record", "scores")
    setting = Setting(arguments.batch, arguments.alpha, arguments.seed)
    documents, rows = [], []
    for model in models:
        scores, seconds_per_score = _score(model, setting, arguments.repeats)
        score = summary(scores, setting)
        if arguments.record:
            record(model, score)
        rows.append([model.name, f"{model.resolution_px}", f"{score}"])
        documents.append(
            {
                "name": model.name,
                "resolution_px": model.resolution_px,
                **asdict(score),
                "scores": scores,
                "seconds_per_score": seconds_per_score,
            }
        )
    if arguments.json:
        print_json(documents)
    else:
        print_table(["model", "px", "Zen-Score"], rows)
    return 0


def _parser() -> argparse.ArgumentParser:
    default = Setting()
    parser = argument_parser("models score", str(__doc__))
    parser.add_argument("model", nargs="+", help="name, glob, or a source such as timm:resnet50@224")
    parser.add_argument("--repeats", type=_repeats, default=4, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--batch",
        type=_images,
        default=default.batch,
        metavar="N",
        help="images in a mini-batch (default: %(default)s, the paper's)",
    )
    parser.add_argument(
        "--alpha",
        type=_alpha,
        default=default.alpha,
        help="deviation of the perturbation (default: %(default)s, the paper's)",
    )
    parser.add_argument("--seed", type=_seed, default=default.seed, help="of weights and images (default: %(default)s)")
    parser.add_argument("--record", action="store_true", help="keep the scores in models/zen_scores.csv")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _images(text: str) -> int:
    return _whole(text, 2)  # one image has no variance where its map is one pixel


def _repeats(text: str) -> int:
    return _whole(text, 1)


def _seed(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"expected {least} to {_MOST}, found {text!r}")
    return int(text)


def _alpha(text: str) -> float:
    try:
        alpha = float(text)
    except ValueError:
        alpha = 0.0
    if not 0 < alpha <= 1:
        raise argparse.ArgumentTypeError(f"expected more than 0 and at most 1, found {text!r}")
    return alpha


def _score(model: Model, setting: Setting, repeats: int) -> tuple[list[float], float]:
    """The scores of a network and the median of their seconds; a line on stderr says both."""
    scores, seconds = list[float](), list[float]()
    begun_s = time.perf_counter()
    for score in islice(zen_scores(model, setting), repeats):
        scores.append(score)
        seconds.append(time.perf_counter() - begun_s)
        if sys.stderr.isatty():
            print(f"{model.name}: {len(scores)} of {repeats}\r", end="", file=sys.stderr, flush=True)  # noqa: T201
        begun_s = time.perf_counter()
    per_score_s = statistics.median(seconds)
    print(f"{model.name}: {repeats} x {per_score_s:.2f} s", file=sys.stderr, flush=True)  # noqa: T201
    return scores, per_score_s


if __name__ == "__main__":
    run(main)
