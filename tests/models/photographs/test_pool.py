"""The pool: in order, as in one process; a process that dies costs its image; nothing is left behind."""

import dataclasses
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

import models.photographs.pool as module
from models import UserError
from models.photographs.folder import photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import Preprocessing

ROOT = Path(__file__).parents[3]
HOW = Preprocessing(short_px=20, crop_px=16, resolution_px=16)
LONG_S = 60


class Images(list):
    """Images, one of which does something when it is asked for."""

    def __init__(self, images, at, action):
        super().__init__(images)
        self.at, self.action, self.asked = at, action, 0

    def __iter__(self):
        for index, image in enumerate(super().__iter__()):
            if index == self.at:
                self.action()
            self.asked += 1
            yield image


@pytest.fixture
def images(tmp_path):
    for index in range(30):
        colours = np.random.default_rng(index).integers(0, 256, (40, 30 + index, 3), dtype=np.uint8)
        Image.fromarray(colours).save(tmp_path / f"{index:02}.png")
    (tmp_path / "07.png").write_bytes(b"")
    Image.new("L", (20, 20)).save(tmp_path / "08.png")
    return photographs(tmp_path).images


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    yield
    assert multiprocessing.active_children() == []
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("photographs")] == []


def same(first, second):
    assert [(image, said) for image, _, said in first] == [(image, said) for image, _, said in second]
    for (_, one, _), (_, other, _) in zip(first, second, strict=True):
        assert (one is None and other is None) or np.array_equal(one, other)


@pytest.mark.parametrize(("processes", "how"), [(2, HOW), (5, dataclasses.replace(HOW, resolution_px=9))])
def test_it_gives_what_one_process_gives_in_order(images, processes, how, monkeypatch):
    expected = list(prepared(images, how, processes=0))
    assert [image for image, _, _ in expected] == list(images)
    assert [(image.name, said) for image, values, said in expected if values is None or said] == [
        ("07.png", "an empty file"),
        ("08.png", "grey"),
    ]
    found = list(prepared(images, how, processes=processes))
    same(found, expected)
    assert all(values is None or values.flags.writeable for _, values, _ in found)
    monkeypatch.setattr(module, "_LARGE_PX", 40 * 35)  # most are large, and come one after the other
    same(list(prepared(images, how, processes=processes)), expected)


def test_no_images_are_no_inputs():
    assert list(prepared([], HOW, processes=2)) == []


def test_no_more_is_prepared_ahead_than_memory_is_for(images, monkeypatch):
    monkeypatch.setattr(module, "_AHEAD_BYTES", 6 * 3 * 16 * 16 * 4)
    counted = Images(images, None, None)
    for taken, _ in enumerate(prepared(counted, HOW, processes=2), start=1):
        assert counted.asked <= taken + 5


def test_a_process_that_is_killed_costs_its_image_and_names_it(images, tmp_path):
    pipe = tmp_path / "07.png"
    pipe.unlink()
    os.mkfifo(pipe)  # whoever reads it waits

    def kill_its_reader():
        with pipe.open("wb"):  # which waits for the reader
            (reader,) = multiprocessing.active_children()
            os.kill(reader.pid, signal.SIGKILL)
            # Not joined: of two threads that join a process of a fork server one gets no exit code.
            while psutil.pid_exists(reader.pid):
                time.sleep(0.01)

    found = list(prepared(Images(images[7:], 1, kill_its_reader), HOW, processes=2))
    assert found[0][2] == "the process that decoded it: killed, most likely out of memory"
    same(found[1:], list(prepared(images[8:], HOW, processes=0)))


def test_processes_that_die_one_after_the_other_are_one_error(images):
    impossible = dataclasses.replace(HOW, interpolation="none")
    found = list(prepared(images[:6], impossible, processes=2))
    assert {said for _, _, said in found} == {"the process that decoded it: ended without an answer (exit code 1)"}
    with pytest.raises(UserError, match="10 processes that decode images died one after the other"):
        list(prepared([*images, *images], impossible, processes=2))


def test_leaving_early_ends_the_processes_whatever_they_do(images, tmp_path):
    os.mkfifo(tmp_path / "zz.png")
    waiting = photographs(tmp_path).images  # leaves pipes out
    stuck = type(images[0])("zz.png", tmp_path / "zz.png")
    stream = prepared([waiting[0], stuck, stuck, stuck], HOW, processes=3)
    assert next(stream)[0] == waiting[0]
    begun = time.monotonic()
    stream.close()
    assert time.monotonic() - begun < LONG_S  # rather than for ever


COMMAND = """
import multiprocessing, sys, time
from pathlib import Path
from models.photographs.folder import photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import Preprocessing
from system.command_line import run

def main():
    how = Preprocessing(short_px=20, crop_px=16, resolution_px=16)
    images = photographs(Path(sys.argv[1])).images * 1000
    for image, _, _ in prepared(images, how, processes=2):
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(0.05)
    return 0

if __name__ == "__main__":
    run(main)
"""


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_interrupted_or_killed_it_leaves_no_process(images, tmp_path, sent, code):
    script = tmp_path / "command.py"
    script.write_text(COMMAND)
    command = [sys.executable, str(script), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while len(children := [int(pid) for pid in process.stdout.readline().split()]) < 2:
            assert process.poll() is None
        process.send_signal(sent)
        _, stderr = process.communicate(timeout=LONG_S)
    assert process.returncode == code
    assert stderr == ("interrupted\n" if sent == signal.SIGINT else "")
    deadline = time.monotonic() + LONG_S
    while any(map(psutil.pid_exists, children)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_its_processes_import_neither_torch_nor_timm(images):
    code = (
        "import sys, models.photographs.pool, numpy, PIL.Image; print({'torch', 'timm', 'scipy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_process_that_can_t_be_started_is_an_error_and_no_image_waits_for_it(images, monkeypatch):
    def refuse(how):
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(module, "Worker", refuse)
    with pytest.raises(BlockingIOError):
        list(prepared(images, HOW, processes=2))
