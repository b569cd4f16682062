"""`python -m models classify`: a trained network names what is on photographs, and each unreadable one is named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import models.__main__
from models import UserError
from models.classifier import likeliest
from models.photographs.classes import class_name
from studies import lite0

ROOT = Path(__file__).parents[2]
TINY = "zennet:SuperConvK3BNRELU(3,8,4,1)@32"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return str(lite0.write_checkpoint(tmp_path_factory.mktemp("trained") / "lite0.pth"))


@pytest.fixture
def files():
    return {path.stem: str(path) for path in lite0.photograph_files()}


@pytest.fixture
def classify(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["models", "classify", *map(str, arguments)])
        code = models.__main__.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_trained_network_names_what_is_on_photographs(classify, trained, files):
    images = [files[name] for name in ("flower", "chelsea", "coffee")]
    code, stdout, stderr = classify(lite0.NAME, *images, "--weights", trained)
    assert (code, stderr) == (0, "")
    lines = stdout.splitlines()
    assert [lines[index] for index in (0, 6, 12)] == images
    assert lines[1].endswith(" %  daisy")
    assert " cat" in lines[7]
    assert lines[13].endswith(" %  espresso")
    assert len(lines) == 18


def test_as_json_with_indices_and_probabilities(classify, trained, files):
    code, stdout, _ = classify(lite0.NAME, files["flower"], "--weights", trained, "--json", "--top", 1000)
    document = json.loads(stdout)
    (image,) = document.pop("images")
    assert (code, document) == (
        0,
        {"model": lite0.NAME, "weights": "lite0.pth", "runs_on": "torch FP32", "left_out": {}},
    )
    assert (image["image"], image["remark"]) == (files["flower"], "")
    first = image["classes"][0]
    assert (first["index"], first["synset"], first["name"]) == (985, "n11939491", "daisy")
    probabilities = [likely["probability"] for likely in image["classes"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    assert sorted(likely["index"] for likely in image["classes"]) == list(range(1000))


def test_images_are_turned_upright_as_exif_says(classify, trained, files, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(files["coffee"]) as coffee:
        coffee.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    answers = []
    for path in (files["coffee"], tmp_path / "turned.png"):
        _, stdout, _ = classify(lite0.NAME, path, "--weights", trained)
        answers.append(stdout.splitlines())
    assert answers[0][1:] == answers[1][1:]
    assert answers[1][0] == f"{tmp_path / 'turned.png'} (EXIF orientation 6)"


def test_of_a_folder_it_takes_all_images_and_an_unreadable_one_costs_itself(classify, tmp_path):
    for name in ("b/2.png", "b/1.png", "a.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (40, 40)).save(path)
    (tmp_path / "b" / "3.png").write_bytes(b"no image")
    (tmp_path / "b" / "notes.txt").write_text("x")
    code, stdout, stderr = classify(TINY, tmp_path / "b", tmp_path / "missing.png", tmp_path / "a.png", "--top", "1")
    assert code == 1
    assert [line for line in stdout.splitlines() if not line.startswith(" ")] == [
        f"{tmp_path / name} (grey)" for name in ("b/1.png", "b/2.png", "a.png")
    ]
    assert stderr.splitlines() == [
        "warning: the weights are seeded, not trained: the classes mean nothing; give --weights",
        f"error: {tmp_path / 'b' / '3.png'}: no JPEG, PNG, GIF, BMP or WEBP image",
        f"error: {tmp_path / 'missing.png'}: No such file or directory",
        f"left out, no image by its suffix: 1 file: {tmp_path / 'b' / 'notes.txt'}",
    ]
    code, stdout, _ = classify(TINY, tmp_path / "b", "--json")
    document = json.loads(stdout)
    assert code == 1
    assert [sorted(image) for image in document["images"]] == [["classes", "image", "remark"]] * 2 + [
        ["error", "image"]
    ]
    assert document["left_out"] == {str(tmp_path / "b" / "notes.txt"): "no image by its suffix"}


def test_what_cannot_be_meant_is_one_error(classify, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="classify takes one network: 13 networks; name one MODEL"):
        classify("EfficientNet*", tmp_path / "a.png")
    with pytest.raises(UserError, match="no such model"):
        classify("EfficientNet-B9", tmp_path / "a.png")
    with pytest.raises(UserError, match="give one: an artifact has its weights in it"):
        classify(TINY, tmp_path / "a.png", "--weights", tmp_path / "w.pth", "--artifact", tmp_path / "a.onnx")
    with pytest.raises(UserError, match=r"w\.pth"):
        classify(TINY, tmp_path / "a.png", "--weights", tmp_path / "w.pth")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no images in"):
        classify(TINY, tmp_path / "empty")


def test_probabilities_are_a_softmax_and_classes_of_others_have_no_names():
    found = likeliest(np.array([1000, 1000, 998, -1000], dtype=np.float32), 3)
    assert [(likely.index, likely.name, likely.synset) for likely in found] == [
        (0, "class 0", ""),
        (1, "class 1", ""),
        (2, "class 2", ""),
    ]
    total = 2 + np.exp(-2)
    assert [likely.probability for likely in found] == pytest.approx([1 / total, 1 / total, np.exp(-2) / total])
    assert likeliest(np.eye(1000, dtype=np.float32)[281], 1)[0].name == class_name(281) == "tabby, tabby cat"
    assert likeliest(np.array([0, np.nan], dtype=np.float32), 1) == ()


@pytest.mark.parametrize("count", ["0", "1001", "-1", "five"])
def test_the_number_of_classes_has_a_range(classify, count, capsys):
    with pytest.raises(SystemExit):
        classify(TINY, "a.png", "--top", count)
    assert "--top" in capsys.readouterr().err


def test_the_list_of_networks_stays_what_it_was(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["models", TINY, "--json"])
    assert models.__main__.main() == 0
    assert [network["name"] for network in json.loads(capsys.readouterr().out)] == [TINY]


def test_names_that_are_no_text_are_escaped_in_both_outputs(classify, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"\xff\n.png"))
    for form in ([], ["--json"]):
        code, stdout, stderr = classify(TINY, tmp_path, *form)
        assert (code, b"\\udcff" in stdout.encode()) == (0, True)
        assert len(stderr.splitlines()) == 1


def test_help_imports_nothing_heavy():
    code = "import sys; sys.argv = ['models', 'classify', '--help']; from models.__main__ import main\n"
    code += "try: main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python -m models classify [-h]")
    assert not {"numpy", "torch", "timm", "PIL", "exporters", "devices"} & set(done.stderr.split())
