"""Record a command in a terminal and write it as a picture that plays: an animated SVG.

    .venv/bin/pip install -e '.[cast]'
    .venv/bin/python tools/cast.py --out docs/cast.svg -- make bench

The command runs in a pseudo-terminal; pyte, a terminal emulator, makes screens of what it writes. Waits are cut to
`--pause` seconds, and the frame says how long the run really took.
"""

import argparse
import codecs
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import ioctl
from html import escape
from pathlib import Path

import pyte

COLUMNS, LINES = 140, 16
_ADVANCE_PX, _LINE_PX, _FONT_PX, _MARGIN_PX, _BAR_PX = 7.8, 17, 13, 14, 30
_LAST_S = 8.0  # how long the end is shown before it plays again
_BACKGROUND, _FOREGROUND, _DIM = "#1b1f27", "#d6dae1", "#8b93a1"
_COLOURS = {
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "white": "#d6dae1",
    "black": "#6b7280",
    "default": _FOREGROUND,
}

Run = tuple[int, str, str, bool]  # column, text, colour, bold
Row = tuple[Run, ...]


@dataclass(frozen=True)
class Frame:
    """A screen, and the second from the start at which it was there."""

    at_s: float
    rows: tuple[Row, ...]


def main() -> int:
    """Record and write; exit with the command's code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the SVG to write")
    parser.add_argument("--every", type=float, default=2.0, metavar="S", help="a screen at most every so many seconds")
    parser.add_argument("--pause", type=float, default=0.15, metavar="S", help="longest pause when it plays")
    parser.add_argument("command", nargs="+", help="after --: the command line to run")
    arguments = parser.parse_args()
    frames, took_s, code = record(arguments.command, arguments.every)
    picture = svg(shlex.join(arguments.command), frames, took_s, arguments.pause)
    arguments.out.write_text(picture, encoding="utf-8")
    print(f"{arguments.out}: {len(frames)} screens, {took_s:.0f} s, {len(picture) / 1e3:.0f} kB, exit {code}")
    return code


def record(command: list[str], every_s: float) -> tuple[list[Frame], float, int]:
    """Run a command in a terminal: its screens, how many seconds it took, its exit code."""
    begun = time.monotonic()
    here, there = pty.openpty()
    ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    process = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=environment)
    os.close(there)
    written = [(time.monotonic() - begun, content) for content in _until_closed(here)]
    code, took_s = process.wait(), time.monotonic() - begun
    # Only now: a terminal emulator beside a measurement would disturb it.
    return _frames(f"$ {shlex.join(command)}\r\n", written, took_s, every_s), took_s, code


def _frames(prompt: str, written: list[tuple[float, bytes]], took_s: float, every_s: float) -> list[Frame]:
    """The screens of what was written when; those that others followed at once are left out."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream, decoder = pyte.Stream(screen), codecs.getincrementaldecoder("utf-8")("replace")
    stream.feed(prompt)
    frames = [Frame(0.0, _rows(screen))]
    ends_s = [at_s for at_s, _ in written[1:]] + [took_s]
    for (at_s, content), end_s in zip(written, ends_s, strict=True):
        stream.feed(decoder.decode(content))
        if max(at_s - frames[-1].at_s, end_s - at_s) >= every_s and (rows := _rows(screen)) != frames[-1].rows:
            frames.append(Frame(at_s, rows))
    return [*frames, Frame(took_s, _rows(screen))]


def _until_closed(file: int) -> Iterator[bytes]:
    """What is written, as it comes."""
    while True:
        try:
            content = os.read(file, 65536)
        except OSError:  # how Linux says that the last writer is gone
            return
        if not content:
            return
        yield content


def _rows(screen: pyte.Screen) -> tuple[Row, ...]:
    return tuple(tuple(_runs(screen.buffer[line])) for line in range(LINES))


def _runs(cells: dict[int, pyte.screens.Char]) -> Iterator[Run]:
    """The pieces of one line that look alike, without the spaces around them."""
    begin = 0
    while begin < COLUMNS:
        look, end = _look(cells[begin]), begin
        while end < COLUMNS and _look(cells[end]) == look:
            end += 1
        text = "".join(cells[column].data for column in range(begin, end))
        if text.strip():
            yield begin + len(text) - len(text.lstrip()), text.strip(), *look
        begin = end


def _look(cell: pyte.screens.Char) -> tuple[str, bool]:
    named = _COLOURS.get(cell.fg.removeprefix("bright"))
    return named or f"#{cell.fg}", cell.bold


def svg(title: str, frames: list[Frame], took_s: float, pause_s: float) -> str:
    """One animated picture: every screen is shown in its turn, each different line is drawn once."""
    begins_s, now_s = [], 0.0
    for frame, following in zip(frames, [*frames[1:], frames[-1]], strict=True):
        begins_s.append(now_s)
        now_s += min(following.at_s - frame.at_s, pause_s)
    whole_s = now_s + _LAST_S
    width_px, height_px = COLUMNS * _ADVANCE_PX + 2 * _MARGIN_PX, LINES * _LINE_PX + _BAR_PX + _MARGIN_PX
    names = {
        row: f"r{number}" for number, row in enumerate(dict.fromkeys(row for f in frames for row in f.rows if row))
    }
    drawn = "\n".join(f'<g id="{name}">{"".join(map(_text, row))}</g>' for row, name in names.items())
    ends_s = [*begins_s[1:], whole_s]
    screens, keys = [], []
    for number, (frame, begin_s, end_s) in enumerate(zip(frames, begins_s, ends_s, strict=True)):
        uses = (f'<use href="#{names[row]}" y="{line * _LINE_PX}"/>' for line, row in enumerate(frame.rows) if row)
        screens.append(f'<g class="f" style="animation-name:f{number}">{"".join(uses)}</g>')
        keys.append(_key(number, 100 * begin_s / whole_s, 100 * end_s / whole_s))
    head = f"{took_s:.0f} s, played in {now_s:.0f} s"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_px:.0f} {height_px}" width="{width_px:.0f}">
<title>{escape(title)}: {head}</title>
<style>
text{{font:{_FONT_PX}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}}
.f{{visibility:hidden;animation:{whole_s:.2f}s step-end infinite}}
{"".join(keys)}
@media(prefers-reduced-motion){{.f{{animation:none}}.f:last-of-type{{visibility:visible}}}}
</style>
<defs>
{drawn}
</defs>
<rect width="100%" height="100%" rx="8" fill="{_BACKGROUND}" stroke="{_DIM}"/>
<text x="{_MARGIN_PX}" y="20" fill="{_DIM}">{head}</text>
<g transform="translate({_MARGIN_PX},{_BAR_PX + _FONT_PX})">
{chr(10).join(screens)}
</g>
</svg>
"""


def _key(number: int, begin: float, end: float) -> str:
    after = "" if end >= 100 else f"{end:.3f}%{{visibility:hidden}}"
    before = "0%{visibility:hidden}" if begin else ""
    return f"@keyframes f{number}{{{before}{begin:.3f}%{{visibility:visible}}{after}}}\n"


def _text(run: Run) -> str:
    column, text, colour, bold = run
    # textLength keeps columns aligned whatever font the reader's machine has.
    length_px, weight = len(text) * _ADVANCE_PX, ' font-weight="bold"' if bold else ""
    place = f'x="{column * _ADVANCE_PX:.1f}" textLength="{length_px:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'<text {place} fill="{colour}"{weight}>{escape(text)}</text>'


if __name__ == "__main__":
    sys.exit(main())
