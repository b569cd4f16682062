"""What two subjects answered, counted into an `Accuracy`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.accuracy.images import Image, digest_of
from bench.accuracy.predictions import Prediction, Predictions
from bench.accuracy.record import Agreement


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The fields of an `Accuracy` that are counted."""

    images_sha256: str
    images: int
    labelled: int
    top1: int
    top5: int
    agreement: Agreement
    left_out: dict[str, str]
    remarks: dict[str, str]


def count_answers(
    images: Sequence[Image],
    artifact: Predictions,
    torch: Predictions,
    left_out: Mapping[str, str],
    *,
    trained: bool,
) -> Counts:
    """Count the answers of an artifact and of the FP32 torch network, image by image.

    An answer without five classes (a logit isn't finite) is wrong, and the same as no other. With weights that aren't
    `trained`, none is right or wrong: no image counts as labelled.
    """
    answers = [
        (image, mine, torchs)
        for image in images
        if (mine := artifact.of(image)) is not None and (torchs := torch.of(image)) is not None
    ]
    labelled = [(image.photograph.label, mine, torchs) for image, mine, torchs in answers] if trained else []
    labelled = [entry for entry in labelled if entry[0] is not None]
    right = [(_first(mine) == label, _first(torchs) == label) for label, mine, torchs in labelled]
    return Counts(
        images_sha256=digest_of(image for image, _, _ in answers),
        images=len(answers),
        labelled=len(labelled),
        top1=sum(mine for mine, _ in right),
        top5=sum(label in mine.top5 for label, mine, _ in labelled),
        agreement=Agreement(
            same_top1=sum(_first(mine) == _first(torchs) is not None for _, mine, torchs in answers),
            both_right=right.count((True, True)),
            only_torch_right=right.count((False, True)),
            only_artifact_right=right.count((True, False)),
        ),
        left_out=dict(left_out),
        remarks=_remarks([(image, mine) for image, mine, _ in answers], some_labelled=bool(labelled)),
    )


def _first(prediction: Prediction) -> int | None:
    return prediction.top5[0] if prediction.top5 else None


def _remarks(answers: Sequence[tuple[Image, Prediction]], *, some_labelled: bool) -> dict[str, str]:
    """What is to be said of each image by its name: where others have a class, also why one has none."""
    said = {}
    for image, prediction in answers:
        unknown = image.photograph.unlabelled if some_labelled else ""
        if remark := ", ".join(filter(None, (prediction.remark, unknown))):
            said[image.name] = remark
    return said
