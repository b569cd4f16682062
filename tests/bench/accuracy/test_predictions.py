import multiprocessing
import threading

import msgspec
import pytest

from bench.accuracy.images import Image, digest_of, digested
from bench.accuracy.predictions import Prediction, predictions_of
from models.photographs.folder import Photograph, photographs
from system.errors import UserError
from tests.bench.accuracy.drawing import draw


def prediction(image: Image, first: int = 0) -> Prediction:
    return Prediction(name=image.name, sha256=image.sha256, top5=(first, 1, 2, 3, 4))


@pytest.fixture
def written(subject, images, tmp_path):
    """A subject all of whose images are answered, on disk, and its file."""
    one = subject()
    with predictions_of(one, tmp_path) as predictions:
        predictions.opened({"device": "here"})
        for number, image in enumerate(images):
            predictions.add(prediction(image, number))
    return one, one.predictions_file(tmp_path)


def test_predictions_are_read_as_they_were_written(written, images, tmp_path):
    one, _ = written
    with predictions_of(one, tmp_path) as predictions:
        assert [predictions.of(image).top5[0] for image in images] == list(range(10))
        assert predictions.ran_on == {"device": "here"}


def test_a_file_cut_off_anywhere_holds_whole_predictions_alone(written, images, tmp_path):
    one, path = written
    content = path.read_bytes()
    for size in range(0, len(content), 23):
        path.write_bytes(content[:size])
        with predictions_of(one, tmp_path) as predictions:
            kept = [image for image in images if predictions.of(image) is not None]
            assert all(predictions.of(image) == prediction(image, images.index(image)) for image in kept)
            assert len(kept) == content[:size].count(b'"line":"image"') - (
                b'"line":"image"' in content[:size].rpartition(b"\n")[2] and not content[:size].endswith(b"}")
            )
            predictions.opened({"device": "here"})
            for image in images:
                if predictions.of(image) is None:
                    predictions.add(prediction(image, images.index(image)))
        with predictions_of(one, tmp_path) as predictions:
            assert [predictions.of(image).top5[0] for image in images] == list(range(10))


@pytest.mark.parametrize("damage", [b"\x00\xff\n", b'{"line":"image"}\n', b"[]\n", b'{"line":"else"}\n', b"\n\n"])
def test_a_line_that_can_t_be_read_counts_as_none(written, images, tmp_path, damage):
    one, path = written
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], damage, *lines[5:]]))
    with predictions_of(one, tmp_path) as predictions:
        assert [predictions.of(image) is None for image in images].count(True) == 1


def test_an_image_of_another_content_has_no_prediction(written, folder, tmp_path):
    one, _ = written
    draw(folder / "0" / "0.png", seed=99)
    changed = digested(photographs(folder).images)
    with predictions_of(one, tmp_path) as predictions:
        assert [image.name for image in changed if predictions.of(image) is None] == ["0/0.png"]


def test_what_ran_elsewhere_is_not_of_this_subject(written, images, tmp_path, capsys):
    one, _ = written
    with predictions_of(one, tmp_path) as predictions:
        predictions.opened({"device": "there"})
        assert all(predictions.of(image) is None for image in images)
        predictions.add(prediction(images[0], 7))
    assert "from the start" in capsys.readouterr().err
    with predictions_of(one, tmp_path) as predictions:
        assert [image.name for image in images if predictions.of(image) is not None] == [images[0].name]
        assert predictions.ran_on == {"device": "there"}


def test_other_facts_have_another_file(subject, tmp_path):
    one = subject()
    other_options = msgspec.structs.replace(one.target, options=one.target.options | {"threads": 1})
    renamed = msgspec.structs.replace(one.target, name="else", title="else")
    assert subject().predictions_file(tmp_path) != one.predictions_file(tmp_path)
    assert type(one)(one.artifact, other_options, one.how).predictions_file(tmp_path) != one.predictions_file(tmp_path)
    assert type(one)(one.artifact, renamed, one.how).predictions_file(tmp_path) == one.predictions_file(tmp_path)


@pytest.mark.parametrize(
    ("target", "distribution", "another"),
    [
        ("cpu", "onnxruntime", True),
        ("cpu", "openvino", False),
        ("openvino", "openvino", True),
        ("cpu-executorch", "executorch", True),
        ("qnn", "onnxruntime-qnn", True),
        ("cpu-tflite", "ai-edge-litert", True),
        ("cpu-torch", "onnxruntime", False),
        ("cpu-torch", "torch", True),
    ],
)
def test_another_version_of_what_runs_it_has_another_file(
    subject, tmp_path, monkeypatch, target, distribution, another
):
    installed = {}
    monkeypatch.setattr("exporters.artifact.version", lambda name: installed.get(name, "1.0"))
    one = subject(target=target)
    before = one.predictions_file(tmp_path)
    installed[distribution] = "1.1"
    assert (one.predictions_file(tmp_path) != before) == another


def test_a_full_disk_is_one_line_and_leaves_the_file_whole(written, images, tmp_path, monkeypatch):
    one, path = written
    content = path.read_bytes()
    monkeypatch.setattr("bench.records.store.os.write", lambda file, lines: 3)
    says = "No space left on device; make room, then give the same command again"
    with pytest.raises(UserError, match=says), predictions_of(one, tmp_path) as predictions:
        predictions.add(prediction(images[0], 5))
        predictions.write()
    assert path.read_bytes() == content


def test_a_file_in_the_place_of_the_folder_is_one_line(subject, tmp_path):
    (tmp_path / "accuracy").write_text("")
    with pytest.raises(UserError, match="can't write"), predictions_of(subject(), tmp_path):
        pass


def hold(one, results, held, release):
    with predictions_of(one, results) as predictions:
        predictions.opened({"device": "here"})
        held.set()
        release.wait()
        predictions.add(Prediction(name="a", sha256="b", top5=()))


def test_a_second_process_waits_and_takes_up_what_the_first_has_answered(subject, tmp_path, capsys):
    context = multiprocessing.get_context("spawn")
    one, held, release = subject(), context.Event(), context.Event()
    process = context.Process(target=hold, args=(one, tmp_path, held, release))
    process.start()
    assert held.wait(60)
    threading.Timer(0.5, release.set).start()
    with predictions_of(one, tmp_path) as predictions:
        assert predictions.of(Image(Photograph("a", tmp_path), "b", None)) is not None
    process.join()
    assert "waiting for another evaluation" in capsys.readouterr().err


def test_the_digest_of_images_is_of_names_classes_and_contents(images):
    photograph = images[0].photograph
    others = [
        Image(Photograph("other", photograph.path, photograph.label), images[0].sha256, None),
        Image(Photograph(photograph.name, photograph.path, 5), images[0].sha256, None),
        Image(Photograph(photograph.name, photograph.path, None), images[0].sha256, None),
        Image(photograph, images[1].sha256, None),
    ]
    digests = {digest_of(images), *(digest_of([other, *images[1:]]) for other in others), digest_of(images[1:])}
    assert len(digests) == 6
    assert digest_of([Image(photograph, images[0].sha256, (0, 0)), *images[1:]]) == digest_of(images)
