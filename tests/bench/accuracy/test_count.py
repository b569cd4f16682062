import pytest

from bench.accuracy.count import count_answers
from bench.accuracy.images import Image
from bench.accuracy.predictions import Prediction
from models.photographs.folder import Photograph


class Answers:
    """Predictions by name."""

    def __init__(self, **top5: tuple[int, ...] | None) -> None:
        self._top5 = {name: classes for name, classes in top5.items() if classes is not None}

    def of(self, image: Image) -> Prediction | None:
        if image.name not in self._top5:
            return None
        return Prediction(name=image.name, sha256="", top5=self._top5[image.name], remark=REMARKS.get(image.name, ""))


REMARKS = {"b": "CMYK"}
IMAGES = [
    Image(Photograph(name, None, label, "" if label is not None else "no class folder"), "", None)
    for name, label in {"a": 1, "b": 2, "c": 3, "d": 4, "e": None, "f": 6, "g": 7}.items()
]
ARTIFACT = Answers(a=(1, 0, 2, 3, 4), b=(0, 2, 3, 4, 5), c=(3, 1, 0, 2, 4), d=(), e=(8, 1, 2, 3, 4), f=None, g=(0,))
TORCH = Answers(a=(1, 0, 2, 3, 4), b=(2, 0, 3, 4, 5), c=(5, 3, 0, 2, 4), d=(), e=(8, 2, 3, 4, 1), f=(6,), g=None)


def test_each_answer_is_counted_where_both_have_one():
    counts = count_answers(IMAGES, ARTIFACT, TORCH, {"x.txt": "no image"}, trained=True)
    assert (counts.images, counts.labelled, counts.top1, counts.top5) == (5, 4, 2, 3)
    agreement = counts.agreement
    # d has no finite logits on either side: wrong, and no agreement.
    assert agreement.same_top1 == 2
    assert (agreement.both_right, agreement.only_torch_right, agreement.only_artifact_right) == (1, 1, 1)
    assert counts.left_out == {"x.txt": "no image"}
    assert counts.remarks == {"b": "CMYK", "e": "no class folder"}


def test_untrained_weights_are_neither_right_nor_wrong():
    counts = count_answers(IMAGES, ARTIFACT, TORCH, {}, trained=False)
    assert (counts.images, counts.labelled, counts.top1, counts.top5) == (5, 0, 0, 0)
    assert counts.agreement.same_top1 == 2
    assert counts.agreement.both_right == counts.agreement.only_torch_right == 0
    assert counts.remarks == {"b": "CMYK"}


def test_a_folder_without_classes_has_no_remark_for_each_image():
    unlabelled = [Image(Photograph(image.name, None, None, "no class folder"), "", None) for image in IMAGES]
    counts = count_answers(unlabelled, ARTIFACT, TORCH, {}, trained=True)
    assert (counts.images, counts.labelled) == (5, 0)
    assert counts.remarks == {"b": "CMYK"}


def test_nothing_answered_counts_nothing():
    counts = count_answers(IMAGES, Answers(), TORCH, {"a": "broken"}, trained=True)
    assert (counts.images, counts.labelled, counts.agreement.same_top1) == (0, 0, 0)


@pytest.mark.parametrize("label", [0, 5, 999])
def test_the_digest_is_of_the_images_that_were_answered(label):
    one = Image(Photograph("a", None, label), "", None)
    assert (
        count_answers([one], ARTIFACT, TORCH, {}, trained=True).images_sha256
        == count_answers([one, IMAGES[5]], ARTIFACT, TORCH, {}, trained=False).images_sha256
        != count_answers([IMAGES[0]], ARTIFACT, TORCH, {}, trained=True).images_sha256
    )
