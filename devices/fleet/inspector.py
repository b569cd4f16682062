"""`Inspector`: the program on a host of a cluster that answers what the host is and can run."""

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from devices.environment import python_of
from devices.fleet.inspection import Absence, Answer, Asked, Facts, Inspected, Wanted
from system.errors import UserError, one_line
from system.unreadable import UNREADABLE

LIMIT_S = 120.0  # for all of an answer; a host may read a gigabyte of libraries from a slow disk
_ROOT = Path(__file__).parents[2]
_lines = msgspec.json.Decoder(Answer)


class Inspector:
    """Asks a process for each Python that the targets need; it imports no runtime itself."""

    def answer(self, message: bytes) -> bytes:
        """What the host is, and of each target why it can't run there."""
        asked = msgspec.json.decode(message, type=Asked)
        end_s = time.monotonic() + LIMIT_S
        by_python: dict[str, list[Wanted]] = {}
        found, absences = None, []
        for wanted in asked.wanted:
            try:
                by_python.setdefault(python_of(wanted.environment), []).append(wanted)
            except UserError as error:  # the suite there has no such environment
                absences.append(Absence(target=wanted.target.name, reason=str(error)))
        for python, those in by_python.items():
            facts, more = _asked_of(python, those, end_s - time.monotonic())
            found = found or facts
            absences += more
        return msgspec.json.encode(Inspected(facts=found, absences=absences))

    def close(self) -> None:
        """Nothing is held."""


def _asked_of(python: str, wanted: Sequence[Wanted], limit_s: float) -> tuple[Facts | None, list[Absence]]:
    variables = os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    if not variables.get("CUDA_VISIBLE_DEVICES", "all"):
        del variables["CUDA_VISIBLE_DEVICES"]  # Ray hides the GPUs from a program that holds none
    command = [python, "-m", "devices.fleet.inspection"]
    question = msgspec.json.encode(Asked(wanted=list(wanted)))
    why = "it said nothing of it"
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, env=variables, timeout=max(1.0, limit_s), check=False
        )
        said = done.stdout
        if done.returncode:
            errors = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            why = one_line(errors[-1], 160)
    except subprocess.TimeoutExpired as error:
        said, why = error.stdout or b"", f"no answer within {LIMIT_S:g} s"
    except OSError as error:
        said, why = b"", one_line(error.strerror or error)
    answers = _read(said)
    facts = next((answer for answer in answers if isinstance(answer, Facts)), None)
    known = {answer.target: answer for answer in answers if isinstance(answer, Absence)}
    unknown = {each.target.name: Absence(target=each.target.name, reason=f"not known: {why}") for each in wanted}
    return facts, list((unknown | known).values())


def _read(said: bytes) -> list[Answer]:
    """The lines that can be read: a library may write between them, and the last piece is not finished, or empty."""
    found = []
    for line in said.split(b"\n")[:-1]:
        with suppress(*UNREADABLE):
            found.append(_lines.decode(line))
    return found
