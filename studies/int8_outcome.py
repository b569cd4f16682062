"""What an INT8 file answers on images beside FP32: agreement, top-5 in common, cosine, and what of it is noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.intervals import wilson

HEADING = (
    "same top-1",
    "95 %",
    "top-5 in common",
    "mean 1 - cosine",
    "of each half",
    "smallest cosine",
    "top-1 only here / only first",
    "p",
    "closer photographs",
)


@dataclass(frozen=True)
class Outcome:
    """By image: the cosine of its logits with FP32's, whether the top-1 class is the same, the share of the same top-5.

    `shown` is the photograph that each image is a crop of, `half` the half that was judged.
    """

    cosine: NDArray[np.float64]
    same: NDArray[np.bool_]
    top5: NDArray[np.float64]
    shown: NDArray[np.str_]
    half: NDArray[np.int64]


def compare(reference: NDArray[np.float32], logits: NDArray[np.float32], shown: Sequence[str]) -> Outcome:
    """Logits (N, classes) beside the reference's."""
    found, expected = logits.astype(np.float64), reference.astype(np.float64)
    norms = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    best, best_expected = (np.argsort(-values, axis=1)[:, :5] for values in (found, expected))
    common = [len(set(pair[0]) & set(pair[1])) / 5 for pair in zip(best.tolist(), best_expected.tolist(), strict=True)]
    return Outcome(
        cosine=(found * expected).sum(axis=1) / norms,
        same=best[:, 0] == best_expected[:, 0],
        top5=np.array(common),
        shown=np.array(shown),
        half=np.zeros(len(shown), dtype=np.int64),
    )


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of the halves as one."""
    return Outcome(
        cosine=np.concatenate([each.cosine for each in outcomes]),
        same=np.concatenate([each.same for each in outcomes]),
        top5=np.concatenate([each.top5 for each in outcomes]),
        shown=np.concatenate([each.shown for each in outcomes]),
        half=np.repeat(np.arange(len(outcomes)), [len(each.same) for each in outcomes]),
    )


def row(outcome: Outcome, first: Outcome | None) -> list[str]:
    """The cells of `HEADING`; the last ones compare with another file on the same images, and are empty without one."""
    images, same = len(outcome.same), int(outcome.same.sum())
    low, high = wilson(same, images)
    far = 1 - outcome.cosine
    return [
        f"{same} of {images}",
        f"{low:.1%} to {high:.1%}",
        f"{outcome.top5.mean():.1%}",
        f"{far.mean():.4f}",
        " / ".join(f"{far[outcome.half == half].mean():.4f}" for half in np.unique(outcome.half)),
        f"{outcome.cosine.min():.3f}",
        *(("", "", "") if first is None else _beside(outcome, first)),
    ]


def mcnemar(only_here: int, only_there: int) -> float:
    """The two-sided exact p of McNemar's test: how likely so uneven a split of the differing images is by chance."""
    from scipy.stats import binomtest

    differing = only_here + only_there
    return float(binomtest(only_here, differing).pvalue) if differing else 1.0


def closer_photographs(outcome: Outcome, first: Outcome) -> tuple[int, int]:
    """On how many photographs, of how many, the mean of 1 - cosine over its crops is smaller than the other's.

    Crops of one photograph are alike: photographs, not crops, are what such a comparison may count.
    """
    names = np.unique(outcome.shown)
    closer = sum(
        bool((1 - outcome.cosine[outcome.shown == name]).mean() < (1 - first.cosine[first.shown == name]).mean())
        for name in names
    )
    return closer, len(names)


def _beside(outcome: Outcome, first: Outcome) -> tuple[str, str, str]:
    here = int((outcome.same & ~first.same).sum())
    there = int((first.same & ~outcome.same).sum())
    closer, of = closer_photographs(outcome, first)
    return f"{here} / {there}", f"{mcnemar(here, there):.2f}", f"{closer} of {of}"
