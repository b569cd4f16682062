"""One invocation of benchmark_model on a phone: started, bounded, ended on every way out, its failure explained."""

import math
import re
import signal
from contextlib import suppress

from devices.phone.adb import Link
from devices.phone.benchmark_model import explanation_of, refuse
from system.errors import UserError

FOLDER = "/data/local/tmp/zennet-latency"
TOOL = f"{FOLDER}/benchmark_model"
_SIGNALLED = 128  # what a shell adds to the number of the signal that ended a program
_TIMED_OUT = 124
_SLACK_S = 30.0  # by which adb waits longer than the phone itself


def invoke(link: Link, arguments: list[str], *, affinity: str | None, limit_s: float) -> str:
    """Run the tool, on the cores of the mask, and return what it printed.

    Raises UserError where it fails, crashes, takes longer than `limit_s`, or the connection breaks off.
    """
    limit_s = math.ceil(limit_s)  # not every phone's timeout takes fractions
    pinned = f"taskset {affinity} " if affinity else ""
    # The phone itself ends what hangs, connected or not; the last line tells an end from a lost connection.
    script = (
        f"cd {FOLDER} && timeout -s KILL {limit_s} sh -c 'echo $$ > run.pid; exec {pinned}{TOOL} "
        f"{' '.join(arguments)}' 2>&1; code=$?; rm -f run.pid; echo; echo exit=$code"
    )
    try:
        reply = link.shell(script, timeout_s=limit_s + _SLACK_S)
    except BaseException:  # Ctrl-C too: the tool would go on, and heat the phone
        stop(link)
        raise
    text, _, end = reply.text.rpartition("exit=")
    if (match := re.fullmatch(r"([0-9]{1,3})\s*", end)) is None:
        raise UserError("the connection broke off", found=explanation_of(reply.text), fix="try another cable")
    if code := int(match[1]):
        refuse(text)
        raise _failure(text, code, limit_s)
    return text


def stop(link: Link) -> None:
    """Kill an invocation that is still running on the phone."""
    with suppress(UserError):
        link.shell(
            f"cd {FOLDER} 2>/dev/null && [ -f run.pid ] && grep -q benchmark_model /proc/$(cat run.pid)/cmdline"
            " && kill -KILL $(cat run.pid); rm -f run.pid"
        )


def _failure(text: str, code: int, limit_s: float) -> UserError:
    if code in (_SIGNALLED + signal.SIGKILL, _TIMED_OUT):  # which one `timeout` gives depends on the Android version
        found = f"it hung for {limit_s:g} s, or the phone had no memory for it"
        return UserError("benchmark_model was killed", found=found, fix="see adb logcat")
    if code > _SIGNALLED:
        return UserError("benchmark_model crashed", found=_name(code - _SIGNALLED), fix="use another build of it")
    return UserError("benchmark_model failed", found=f"exit code {code}: {explanation_of(text)}", fix="see adb logcat")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
