"""`python -m models`: the networks, their sizes as computed and as printed, and why these differ.

`python -m models classify` and `python -m models score` use the networks; each has a --help of its own.
"""

import importlib
import sys
from dataclasses import asdict

from models.counts import counts, recount
from models.layers import relist
from models.model import Model
from models.score import zen_score_of
from models.zoo import find
from system.command_line import argument_parser, print_json, print_table, run

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
    parser.add_argument("--recount", action="store_true", help="count the whole zoo again and write the sizes")
    arguments = parser.parse_args()
    if arguments.recount:
        recount()
        relist()
    models = list(dict.fromkeys(model for pattern in arguments.model for model in find(pattern)))
    if arguments.json:
        print_json([describe(model) for model in models])
    else:
        _print(models)
    return 0


def describe(model: Model) -> dict[str, object]:
    """One network as JSON; `published` holds the printed figures as printed, milliseconds per image."""
    counted, published, score = counts(model), model.published, zen_score_of(model)
    return {
        "name": model.name,
        "family": model.family,
        "resolution_px": model.resolution_px,
        "source": model.source,
        "params": counted and counted.params,
        "macs": counted and counted.macs,
        "top1_percent": model.top1_percent,
        "zen_score": score and asdict(score),
        "published": published
        and {
            "params": published.params,
            "flops": published.flops,
            "top1_percent": published.top1_percent,
            "latency_ms": published.latency_ms,
            "checkpoint_url": published.checkpoint_url,
            "counts_note": published.counts_note,
            "latency_note": published.latency_note,
        },
    }


def _print(models: list[Model]) -> None:
    rows, notes = [], dict[str, int]()
    for model in models:
        counted, published = counts(model), model.published
        note = published.counts_note if published else ""
        mark = f" [{notes.setdefault(note, len(notes) + 1)}]" if note else ""
        rows.append(
            [
                model.name,
                f"{model.resolution_px}",
                f"{counted.params / 1e6:.2f}M" if counted else "",
                published.params if published else "",
                f"{counted.macs / 1e6:,.0f}M" if counted else "",
                (published.flops if published else "") + mark,
                f"{model.top1_percent}" if model.top1_percent is not None else "",
                f"{zen_score_of(model) or ''}",
            ]
        )
    print_table(["model", "px", "params", "printed", "MACs", "printed FLOPs", "top-1 %", "Zen-Score"], rows)
    for note, number in notes.items():
        print(f"[{number}] {note}")  # noqa: T201


if __name__ == "__main__":
    run(main)
