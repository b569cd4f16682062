"""What threads write at once."""

import io
from concurrent.futures import ThreadPoolExecutor
from time import sleep

from system.streams import WholeLines


class Slow(io.StringIO):
    """A stream on which other threads get their turn after every piece."""

    def write(self, text):
        written = super().write(text)
        sleep(0.001)
        return written


def said(line, stream):
    for _ in range(20):
        print(line, file=stream)


def lines_of(stream, below):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(said, ["one", "two", "three", "four"], [stream] * 4))
    return below.getvalue().splitlines()


def test_lines_of_several_threads_do_not_mix():
    mixed, whole = Slow(), Slow()
    each = sorted(["one", "two", "three", "four"] * 20)
    assert sorted(lines_of(mixed, mixed)) != each  # without it, they do
    assert sorted(lines_of(WholeLines(whole), whole)) == each


def test_what_has_no_end_is_written_when_it_is_flushed():
    below = io.StringIO()
    stream = WholeLines(below)
    assert stream.write("a line\nand ") == len("a line\nand ")
    assert below.getvalue() == "a line\n"
    stream.write("more")
    stream.flush()
    stream.flush()
    assert below.getvalue() == "a line\nand more"
    assert stream.isatty() is False
