"""The attempts as a page of Markdown: how many networks run on each target, and why each of the others doesn't."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from studies.breadth.attempts import TARGETS, Attempt, Network

_INTRODUCTION = """# Breadth: 40 networks of timm

Which networks of [timm](https://github.com/huggingface/pytorch-image-models) run on which targets, at their own
resolution and with seeded weights. The list ([networks.csv](../studies/breadth/networks.csv)) was drawn up before any
of them was tried, by kind and by how common they are; most have fewer than 30 million parameters. For each network and
target `python -m studies.breadth` exports the file, compares its logits with torch's, loads it as a sweep does and
times a few inferences. The attempts are [attempts.jsonl](../studies/breadth/data/attempts.jsonl); the command writes
this page from them, and tries first what is not among them yet; `--again` repeats what failed.
"""
_COUNTED = """Exported: a file was made. Agree: its logits are within the limit of its format; of integer files, whose
weights are seeded here, that is a cosine above 0 ([INT8](int8.md)). Timed: a session ran inferences.
"""
_LIMIT = """## The limit of FP32 files

The logits of an FP32 file may differ from torch's by 1e-4 of the largest logit. Rounding needs no more in any kind of
network: {rounding}
([rounding.csv](../studies/breadth/data/rounding.csv), by `python -m studies.breadth.rounding`). The limit can't be much
wider either: weights that are off by 1 % in a single layer change the logits of timm's `test_vit` by 2.0e-3 or more,
those of `vit_tiny_patch16_224` by 2.2e-3 and those of `test_resnet` by 3.8e-3, whichever layer it is. A test plants
such errors. Behind a depthwise convolution of `test_convnext` it is 5e-5, since the layer norm that follows divides it
out.

`timm:test_vit`, built for its own 160 px and shown images of 224, failed this limit with an error of 1.6e-3, where
torch's rounding is 3.8e-7. The file was wrong: such a network resizes its table of positions while it runs, by bicubic
interpolation with antialiasing. The exporter's optimizer folds that constant by ONNX's reference evaluator, which
computes other values (onnx 1.23.2: off by 0.87 of the largest for random numbers from 0 to 1, 10 x 10 to 14 x 14, where
ONNX Runtime is off by 6e-7). A network is built for the resolution that it is measured at, so there is nothing to
resize; timm's `dynamic_img_size=False` leaves the operation out of the file altogether.

One network's own rounding did exceed the limit, with earlier seeded weights: that of `eca_nfnet_l0`, 5.3e-2. It has no
norms; the gains of its convolutions were drawn from -2.4 to 2.4, its maps grew to 1e5, and the gates of its attention
saturated. No limit tells a right file of such a network from a wrong one. Gains are now drawn from 0.75 to 1.25: with 1
a convolution with standardised weights keeps the variance of its input. Its rounding is 1.0e-6 then, and 1 % in one
layer changes its logits by 1.2e-3 or more (of every sixth layer).
"""
_EACH = """## Each network

The largest difference between a file's logits and torch's over the largest logit, where a limit is set on it; else
their smallest cosine with those of the FP32 file.
"""


def page(networks: Sequence[Network], attempts: Iterable[Attempt], rounding: Mapping[str, float]) -> str:
    """The whole page; targets that no network was tried on are left out. `rounding` is `rounding.read_rounding`'s."""
    by_cell = {(attempt.network, attempt.target): attempt for attempt in attempts}
    targets = [target for target in TARGETS if any(cell[1] == target for cell in by_cell)]
    found = {
        target: [by_cell[network.name, target] for network in networks if (network.name, target) in by_cell]
        for target in targets
    }
    parts = [
        _INTRODUCTION,
        *_versions(by_cell.values()),
        _table(_COUNTS, [_counts(target, found[target]) for target in targets]),
        _COUNTED,
        "## What failed\n",
        _reasons(by_cell.values()),
        _LIMIT.format(rounding=_rounding(rounding)),
        _EACH,
        _table(
            ("network", "kind", "px", *targets),
            [
                (network.name, network.kind, str(network.px), *(_cell(by_cell.get((network.name, t))) for t in targets))
                for network in networks
            ],
        ),
    ]
    return "\n".join(parts)


def _rounding(errors: Mapping[str, float]) -> str:
    if not errors:
        return "not measured"
    worst = max(errors, key=lambda name: errors[name])
    return (
        f"of {len(errors)} networks torch's own FP32 logits lie at most\n{errors[worst]:.1e} (`{worst}`) from those in "
        f"FP64, {median(errors.values()):.1e} in the median"
    )


_COUNTS = ("target", "tried", "exported", "agree with torch", "timed")


def _counts(target: str, attempts: Sequence[Attempt]) -> tuple[str, ...]:
    exported = [attempt for attempt in attempts if attempt.failed_at != "export"]
    agree = [attempt for attempt in exported if attempt.failed_at != "agreement"]
    timed = [attempt for attempt in agree if attempt.failed_at is None]
    return (f"`{target}`", *(str(len(each)) for each in (attempts, exported, agree, timed)))


def _cell(attempt: Attempt | None) -> str:
    if attempt is None:
        return "not tried"
    if attempt.failed_at is not None:
        return f"**{attempt.failed_at}**"
    fidelity = attempt.fidelity
    if fidelity is None:
        return "yes"
    if fidelity.relative_error_limit is None:
        return f"cosine {fidelity.cosine:.3f}"
    return f"{fidelity.relative_error:.1e}" if fidelity.relative_error else "0"


def _versions(attempts: Iterable[Attempt]) -> list[str]:
    """A line of the tools, each with every version that an attempt had."""
    seen: dict[str, set[str]] = {}
    for attempt in attempts:
        for name, version in attempt.versions.items():
            if version != "absent":
                seen.setdefault(name, set()).add(version)
    if not seen:
        return []
    return ["Made with " + ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in seen.items()) + ".\n"]


def _reasons(attempts: Iterable[Attempt]) -> str:
    failed = [attempt for attempt in attempts if attempt.failed_at is not None]
    rows = [
        (attempt.network, f"`{attempt.target}`", attempt.failed_at or "", attempt.reason or "") for attempt in failed
    ]
    return _table(("network", "target", "step", "reason"), rows) if rows else "Nothing.\n"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
