"""What `python -m models` does once its arguments are read."""

import argparse
from dataclasses import asdict

from models.counts import counts, recount
from models.layers import relist
from models.model import Model
from models.score import zen_score_of
from models.zoo import find_all, refuse_others
from system.command_line import print_json, print_table


def list_networks(arguments: argparse.Namespace) -> int:
    """Print the networks, counted again where that is asked; 0.

    Raises UserError where there is no such network, or one to be counted again is none of the suite's.
    """
    models = find_all(arguments.model)
    if arguments.recount:
        refuse_others(models, "--recount", "counts")
        recount(models)
        relist(models)
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
