"""`Accuracy`: what one artifact answered on a folder's images, counted; kept in `results/accuracy/TARGET.jsonl`."""

from pathlib import Path

import msgspec

from bench.records.record import Count, Network
from devices.host.conditions import Machine, Moment
from devices.targets import Target
from exporters.artifact import Artifact

# Raise it when a field changes its meaning; readers refuse what is newer than they are.
SCHEMA = 1


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact beside the FP32 torch network of the same weights, on the same images: counts of images.

    `same_top1` is of all `images` of the record, the others of its `labelled` ones: whose top-1 class is right by both,
    by the torch network alone, by the artifact alone.
    """

    same_top1: Count
    both_right: Count
    only_torch_right: Count
    only_artifact_right: Count


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a folder's images an artifact puts into their class.

    `images` were evaluated, `labelled` of them have a known class; `top1` and `top5` of those are right. None counts as
    labelled with seeded weights, nor of a network of other classes than ImageNet's: then there is an agreement alone.
    `images_sha256` is the digest of their names, labels and contents, equal where two records are of the same images.
    `left_out` gives the reason of each file that was not evaluated, `remarks` what an evaluated image was made of
    (CMYK, 16 bits, …), why it has no class where others have one, and that its logits aren't finite, which counts as
    wrong; both by its name below the folder. `inference_s` is the time within the artifact's predictions,
    `wall_s` that of the whole evaluation, in seconds; both leave out what an interrupted run did before.
    """

    schema: int = SCHEMA
    model: Network
    target: Target
    artifact: Artifact
    ran_on: dict[str, str | int]
    folder: str
    images_sha256: str
    images: Count
    labelled: Count
    top1: Count
    top5: Count
    agreement: Agreement
    left_out: dict[str, str] = {}
    remarks: dict[str, str] = {}
    machine: Machine
    end: Moment
    inference_s: float
    wall_s: float


def accuracy_file(results: Path, target: str) -> Path:
    """Where the records of a target lie."""
    return results / "accuracy" / f"{target}.jsonl"
