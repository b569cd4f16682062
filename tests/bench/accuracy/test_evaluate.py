import gc
import weakref

import numpy as np
import pytest

from bench.accuracy.evaluate import NOT_FINITE, evaluate, top5
from bench.accuracy.images import Image, digested
from devices.worker import SessionLost
from models.photographs.folder import Photograph, photographs
from system.errors import UserError
from tests.bench.accuracy.drawing import draw


def answers(evaluation, images) -> list[list]:
    return [[predictions.of(image) for image in images] for predictions in evaluation.predictions]


@pytest.fixture
def run(tmp_path):
    return lambda subjects, images: evaluate(subjects, images, tmp_path / "results", timeout_s=60)


@pytest.fixture
def two(subject):
    """An artifact in batches of four, and what it is compared with."""
    return [subject(batch=4), subject(target="cpu-torch")]


def test_every_subject_answers_every_image_once(device, two, images, run):
    evaluation = run(two, images)
    assert evaluation.predicted == 20
    # Ten images are three batches of four, the last of them filled up.
    assert len([call for call in device.calls if call[0] == two[0].artifact.sha256]) == 3
    assert len([call for call in device.calls if call[0] == two[1].artifact.sha256]) == 10
    first, second = answers(evaluation, images)
    assert first == second  # the made-up network answers by the pixels alone
    assert len({prediction.top5 for prediction in first}) == 10
    assert device.open_now == 0
    assert evaluation.left_out == {}


def test_what_was_answered_is_not_asked_again(device, two, images, run):
    before = answers(run(two, images), images)
    device.calls.clear()
    device.opened.clear()
    evaluation = run(two, images)
    assert answers(evaluation, images) == before
    assert (device.calls, device.opened, evaluation.predicted) == ([], [], 0)


def test_another_artifact_shares_the_reference(device, two, subject, images, run):
    run(two, images)
    device.calls.clear()
    third = subject()
    evaluation = run([third, two[1]], images)
    assert {sha256 for sha256, _ in device.calls} == {third.artifact.sha256}
    assert evaluation.predicted == 10
    assert None not in answers(evaluation, images)[1]


def test_the_reference_itself_is_asked_once(device, two, images, run):
    evaluation = run([two[1], two[1]], images)
    assert len(device.calls) == evaluation.predicted == 10
    assert evaluation.predictions[0] is evaluation.predictions[1]


def test_more_images_need_the_new_ones_alone(device, two, images, run):
    run(two, images[::3])
    device.calls.clear()
    run(two, images)
    assert len([call for call in device.calls if call[0] == two[1].artifact.sha256]) == 6


@pytest.mark.parametrize("dies_after", range(13))
def test_an_evaluation_that_is_lost_anywhere_goes_on_to_the_same_answers(
    device, two, images, run, tmp_path, dies_after
):
    expected = answers(evaluate(two, images, tmp_path / "whole", timeout_s=60), images)
    device.calls.clear()
    device.dies_after = dies_after
    with pytest.raises(SessionLost, match="SIGSEGV"):
        run(two, images)
    assert device.open_now == 0
    device.dies_after = float("inf")
    device.calls.clear()
    evaluation = run(two, images)
    assert answers(evaluation, images) == expected
    assert evaluation.predicted >= 20 - 4 * dies_after
    lines = [path.read_bytes() for path in (tmp_path / "results/accuracy/predictions").glob("*.jsonl")]
    assert [text.count(b'"image"') for text in lines] == [10, 10]


def test_an_image_that_changed_is_asked_again_alone(device, two, folder, images, run):
    before = answers(run(two, images), images)
    draw(folder / "1" / "4.png", seed=99)
    device.calls.clear()
    changed = digested(photographs(folder).images)
    after = answers(run(two, changed), changed)
    assert len(device.calls) == 2
    assert [image.name for image, old, new in zip(changed, before[0], after[0], strict=True) if old != new] == [
        "1/4.png"
    ]


def test_an_image_that_changes_during_an_evaluation_ends_it_and_is_not_kept(device, two, folder, images, run):
    draw(folder / "1" / "4.png", seed=99)
    with pytest.raises(UserError, match=r"changed while it was evaluated: 1/4.png"):
        run(two, images)
    changed = digested(photographs(folder).images)
    fresh = run(two, changed)
    assert None not in answers(fresh, changed)[0]


def test_files_that_can_t_be_read_are_left_out_with_their_reasons(device, two, folder, run):
    (folder / "0" / "a text.jpg").write_text("no image")
    (folder / "0" / "empty.png").write_bytes(b"")
    (folder / "0" / "link.png").symlink_to("nothing")
    whole = (folder / "0" / "0.png").read_bytes()
    (folder / "0" / "cut.png").write_bytes(whole[: len(whole) // 2])
    images = digested(photographs(folder).images)
    evaluation = run(two, images)
    assert sorted(evaluation.left_out) == ["0/a text.jpg", "0/cut.png", "0/empty.png", "0/link.png"]
    assert all(evaluation.left_out.values())
    assert evaluation.predicted == 20
    # It is found again whenever the same is asked for.
    assert run(two, images).left_out == evaluation.left_out


def test_logits_that_aren_t_finite_are_remarked_on_and_have_no_class(device, two, images, run, monkeypatch):
    finite = device.answer

    def answer(artifact, image):
        logits = finite(artifact, image)
        if artifact.sha256 == two[0].artifact.sha256 and int(logits[0] * 1e6) % 3 == 0:
            logits[7] = (np.nan, np.inf, -np.inf)[int(logits[1] * 1e6) % 3]
        return logits

    monkeypatch.setattr(device, "answer", answer)
    mine, torchs = answers(run(two, images), images)
    bad = [prediction for prediction in mine if not prediction.top5]
    assert bad
    assert all(prediction.remark == NOT_FINITE for prediction in bad)
    assert all(len(prediction.top5) == 5 and not prediction.remark for prediction in torchs)


def test_of_equal_logits_the_first_class_counts():
    assert top5(np.array([0, 2, 1, 2, 1, 1, 1], dtype=np.float32)) == (1, 3, 2, 4, 5)


def test_what_ran_elsewhere_before_is_asked_again(device, two, images, run):
    run(two, images)
    device.ran_on = {"device": "another"}
    # Nothing is lacking, so nothing is opened: what is kept says where it ran.
    assert run(two, images).predictions[0].ran_on == {"device": "made up"}
    more = [*images, Image(images[0].photograph, "0" * 64, images[0].stamp)]
    evaluation = run(two, more)
    assert evaluation.predictions[0].ran_on == {"device": "another"}
    assert evaluation.predicted == 22


def test_memory_holds_a_few_images_however_many_there_are(device, subject, tmp_path, monkeypatch):
    """50,000 images pass through; those alive at once are those of the batches that are gathered and predicted."""
    alive, most = weakref.WeakSet(), 0

    class Pixels(np.ndarray):  # a plain array takes no weak reference
        __hash__ = object.__hash__

    def stream(photographs, how, *, processes):
        nonlocal most
        for photograph in photographs:
            pixels = np.zeros((3, 32, 32), dtype=np.float32).view(Pixels)
            alive.add(pixels)
            most = max(most, len(alive))
            yield photograph, pixels, ""

    monkeypatch.setattr("bench.accuracy.evaluate.prepared", stream)
    logits = np.zeros(1000, dtype=np.float32)
    monkeypatch.setattr(device, "answer", lambda artifact, image: logits)
    path = draw(tmp_path / "one.png", seed=1)
    (one,) = digested([Photograph("one.png", path)])
    many = [Image(Photograph(f"{number}.png", path), one.sha256, one.stamp) for number in range(50_000)]
    gc.collect()
    evaluation = evaluate([subject(batch=8)], many, tmp_path / "results", timeout_s=60)
    assert evaluation.predicted == 50_000
    assert most <= 3 * 8
