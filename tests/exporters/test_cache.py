import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from exporters import to_fake
from exporters.artifact import Artifact, Job
from exporters.cache import Cache
from exporters.formats import find_format, formats
from models import UserError, find
from system.digest import sha256_of

TINY = "zennet:SuperConvK3BNRELU(3,8,2,1)@32"


def fake_job(name: str = TINY, **changes) -> Job:
    return msgspec.structs.replace(Job(model=find(name)[0], format="fake", precision="fp32"), **changes)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "artifacts")


def test_a_file_is_made_once(cache):
    first = cache.obtain(fake_job())
    made = Path(first.path).stat().st_mtime_ns
    assert cache.obtain(fake_job()) == first
    assert Path(first.path).stat().st_mtime_ns == made


def test_an_artifact_says_what_it_is(cache):
    artifact = cache.obtain(fake_job())
    assert artifact.sha256 == sha256_of(Path(artifact.path))
    assert artifact.size_bytes == Path(artifact.path).stat().st_size
    assert artifact.input_shape == (None, 3, 32, 32)


@pytest.mark.parametrize(
    "other", [{"batch": 4}, {"model": find("EfficientNet-B3")[0]}, {"model": find(TINY[:-2] + "64")[0]}]
)
def test_everything_that_shapes_a_file_is_in_its_key(cache, other):
    assert cache.path(fake_job()) != cache.path(fake_job(**other))


def test_the_checkpoint_s_content_is_in_the_key(cache, tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"one")
    one = cache.path(fake_job(weights=weights))
    weights.write_bytes(b"two")
    assert cache.path(fake_job(weights=weights)) != one != cache.path(fake_job())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [flip, lambda path: path.write_bytes(path.read_bytes()[:-1]), Path.unlink])
@pytest.mark.parametrize("which", ["file", "description"])
def test_a_damaged_artifact_is_made_again(cache, damage, which, capsys):
    made = cache.obtain(fake_job())
    path = Path(made.path)
    damage(path if which == "file" else path.with_suffix(".json"))
    again = cache.obtain(fake_job())
    assert (again.sha256, sha256_of(path)) == (made.sha256, made.sha256)
    assert "\n" not in capsys.readouterr().err.strip()


def test_what_a_killed_export_left_goes_with_the_next(cache):
    path = cache.path(fake_job())
    mine, another = (path.parent / f".making-{stem}-x1" for stem in (path.stem, "int8-b1-other"))
    for left in (mine, another):
        left.mkdir(parents=True)
        (left / "half.onnx").write_bytes(b"half")
    cache.obtain(fake_job())
    assert (mine.exists(), another.exists()) == (False, True)


def test_two_processes_make_the_same_artifact_once(cache, tmp_path):
    code = (
        "import sys, time, pathlib; from dataclasses import replace; from tests.exporters.test_cache import *\n"
        "def slow(job, source, path):\n"
        "    with open(sys.argv[2], 'a') as file: file.write('made\\n')\n"
        "    time.sleep(0.3); to_fake.export(job, source, path)\n"
        "to_fake.FORMAT = replace(to_fake.FORMAT, export=slow)\n"
        "Cache(pathlib.Path(sys.argv[1])).obtain(fake_job())\n"
    )
    log = tmp_path / "log"
    command = [sys.executable, "-c", code, str(cache.root), str(log)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert log.read_text() == "made\n"


def test_no_model_name_leads_out_of_the_cache(cache):
    for name in ("timm:../../../etc/passwd", "timm:..", "timm:a/b", "timm:\\\\share\\x", "timm:" + "x" * 300):
        path = cache.path(fake_job(name))
        assert cache.root in path.parents
        assert path.resolve().is_relative_to(cache.root.resolve())
        assert len(path.parent.name) < 100


def test_an_unwritable_folder_is_one_error(tmp_path):
    # A file where the folder should be: it stops root too, whom permissions don't.
    (tmp_path / "artifacts").write_text("")
    with pytest.raises(UserError, match="can't write artifact"):
        Cache(tmp_path / "artifacts").obtain(fake_job())


def test_a_full_disk_is_one_error_and_leaves_no_artifact(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(to_fake, "FORMAT", replace(to_fake.FORMAT, export=full))
    with pytest.raises(UserError, match="No space left on device"):
        cache.obtain(fake_job())
    assert not [path for path in cache.root.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert cache.find(fake_job()) is None


def test_unknown_formats_and_precisions_name_the_known(cache):
    assert {"onnx", "torch", "fake"} <= set(formats())
    for wrong in ("onx", "ONNX", "onn?"):
        with pytest.raises(UserError, match="did you mean onnx"):
            find_format(wrong)
    with pytest.raises(UserError, match="choose fp32"):
        cache.obtain(fake_job(precision="fp4"))


def test_the_command_prints_the_artifacts_as_json(tmp_path):
    command = [sys.executable, "-m", "exporters", "*latency0*", "--to", "fake", "--out", str(tmp_path), "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    artifacts = msgspec.convert(json.loads(ended.stdout), list[Artifact])
    assert [artifact.model for artifact in artifacts] == [model.name for model in find("*latency0*")]
    assert all(Path(artifact.path).stat().st_mode & stat.S_IRUSR for artifact in artifacts)
    assert os.path.commonpath([artifact.path for artifact in artifacts]) == str(tmp_path)


def test_the_command_takes_the_batch_of_the_format_where_none_is_given(tmp_path):
    command = [sys.executable, "-m", "exporters", "zennet:SuperConvK3BNRELU(3,8,4,1)@16", "--out", str(tmp_path)]
    ended = subprocess.run([*command, "--to", "tflite", "--json"], capture_output=True, text=True, check=True)
    assert [artifact["batch"] for artifact in json.loads(ended.stdout)] == [1]
    for more, batch in (["--batch", "3"], 3), (["--batch", "dynamic"], None), ([], None):
        ended = subprocess.run([*command, "--to", "fake", "--json", *more], capture_output=True, text=True, check=True)
        assert [artifact["batch"] for artifact in json.loads(ended.stdout)] == [batch]
    dynamic = [*command, "--to", "tflite", "--batch", "dynamic"]
    refused = subprocess.run(dynamic, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr == "error: tflite files have a fixed batch: a dynamic one; give --batch N\n"


def test_the_command_counts_operations_or_says_that_it_can_t(tmp_path):
    command = [sys.executable, "-m", "exporters", "zennet:SuperConvK3BNRELU(3,8,2,1)@16", "--out", str(tmp_path)]
    ended = subprocess.run([*command, "--to", "onnx", "--ops"], capture_output=True, text=True, check=True)
    assert "1 Conv" in ended.stdout.splitlines()[-1]
    ended = subprocess.run([*command, "--to", "onnx", "--ops", "--json"], capture_output=True, text=True, check=True)
    (artifact,) = json.loads(ended.stdout)
    assert artifact["op_counts"]["Conv"] == 1
    refused = subprocess.run([*command, "--to", "fake", "--ops"], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


def test_a_folder_whose_name_is_no_text_is_one_line(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xff")
    with pytest.raises(UserError, match=r"can't write artifacts into .*udcff: a name that is no text; choose another"):
        Cache(folder).open_folder()
    assert not folder.exists()
