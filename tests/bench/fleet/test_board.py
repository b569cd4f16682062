import contextlib
import os
import pty
import re
import sys
import threading

import pytest

import bench.fleet.board
import bench.progress
from bench.fleet.board import Board


class Place:
    def __init__(self, host="alpha", device=None):
        self.host, self.device = host, device


@contextlib.contextmanager
def terminal():
    """stderr as a terminal of 60 by 10, drawn often; what was written to it is in the list afterwards."""
    there, here = pty.openpty()
    written, screens = [], []

    def read():
        with contextlib.suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(there, 65536):
                written.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(here, "w", encoding="utf-8") as stderr:
        for name, value in {"TERM": "xterm-256color", "COLUMNS": "60", "LINES": "10"}.items():
            patch.setenv(name, value)
        patch.delenv("TTY_INTERACTIVE", raising=False)
        patch.setattr(bench.fleet.board, "_EVERY_S", 0.02)
        patch.setattr(sys, "stderr", stderr)
        yield screens
        assert sys.stderr is stderr
    reader.join()
    os.close(there)
    text = b"".join(written).decode()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h")  # the cursor is shown again
    screens.append(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\0", text))


def test_a_terminal_shows_the_devices_no_higher_than_it_is():
    with terminal() as screens, Board(["pixel2"]) as board:
        watch = board.watch("pixel2")
        with watch.stage("measure", 60.0):
            for number in range(200):
                watch.begins(Place("beta", f"HT{number}"), "EfficientNet-B3")
    (text,) = screens
    assert [each for each in ("HT0", "… and 195 more", "200 devices") if each not in text] == []
    assert "HT6" not in text
    assert max(frame.count(" beta ") for frame in text.split("visits")) == 5


def test_lines_of_all_threads_stand_whole_above_the_table():
    def say(name):
        for number in range(20):
            print(f"<{name}", number, end="", file=sys.stderr)
            print(">", file=sys.stderr)

    with terminal() as screens, Board(["cpu"]):
        assert not sys.stderr.isatty()  # or others would draw there too
        threads = [threading.Thread(target=say, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    said = re.findall(r"<[abc] \d+>", screens[0])
    assert sorted(said) == sorted(f"<{name} {number}>" for name in "abc" for number in range(20))


def test_an_error_leaves_stderr_as_it_was():
    with terminal(), contextlib.suppress(KeyError), Board(["cpu"]):
        raise KeyError


def test_a_log_gets_lines_that_say_of_which_target(monkeypatch, capsys):
    now_s = 0.0
    monkeypatch.setattr(bench.progress.time, "monotonic", lambda: now_s)
    with Board(["cpu", "pixel2"]) as board:
        watch, other = board.watch("cpu"), board.watch("pixel2")
        with watch.stage("measure", 600.0) as bar, other.stage("measure", 600.0) as other_bar:
            for done in range(1, 121):
                now_s += 1.0
                watch.begins(Place(), "B3")
                watch.done(Place(), visit=True)
                bar.at(done, "B3")
                other_bar.at(done, "B5")
        watch.end()
    assert capsys.readouterr().err.splitlines() == [
        "cpu: measure: 10%, 9 min left: B3",
        "pixel2: measure: 10%, 9 min left: B5",
        "cpu: measure: 20%, 8 min left: B3",
        "pixel2: measure: 20%, 8 min left: B5",
        "pixel2: measure: 120 s",
        "cpu: measure: 120 s",
    ]


def test_a_log_says_of_lost_devices_once_a_minute(monkeypatch, capsys):
    now_s = 0.0
    monkeypatch.setattr(bench.fleet.board.time, "monotonic", lambda: now_s)
    with Board(["cpu"]) as board:
        watch = board.watch("cpu")
        for number in range(4):
            now_s = 25.0 * number
            watch.lost(Place(f"host{number}"), "its host is gone")
    assert capsys.readouterr().err.splitlines() == [
        "cpu: lost host0: its host is gone",
        "cpu: lost host3: its host is gone, and 2 more before",
    ]
