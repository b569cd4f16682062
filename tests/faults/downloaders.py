"""What happens to the processes that download: killed, on a full disk, several at once, without a place to write."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.command import TINY, one_error
from tests.faults.disk import files_up_to, obey_permissions
from tests.faults.fetching import WAYS, Way, content_of, had, tool
from tests.file_server import Site, serving

_KILLS = 6  # of each way
_TOOL = """
from devices.phone.benchmark_tool import find_tool
from devices.phone.options import PhoneOptions
run(lambda: print(find_tool(PhoneOptions(benchmark_model_address=sys.argv[1])).path) or 0)
"""
_CHECKPOINT = f"""
from models import checkpoint_cache, find
from models.official import Official
checkpoint_cache.official_of = lambda model: Official(sys.argv[1], "x.pth", "")
run(lambda: print(checkpoint_cache.official_checkpoint(find("{TINY}")[0])) or 0)
"""


def _line(way: Way, address: str) -> list[str]:
    """A process that fetches the file from the address where it is not in the cache."""
    body = _TOOL if way is tool else _CHECKPOINT
    return [sys.executable, "-c", f"import sys\nfrom system.command_line import run\n{body}", address]


def _run(folder: Path, line: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    options |= {"env": _environment(folder), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    ended = subprocess.run(line, check=False, **options)  # type: ignore[call-overload]
    ended.stderr = "".join(each for each in ended.stderr.splitlines(True) if not each.startswith("fetching "))
    return ended  # type: ignore[no-any-return]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}


def killed(folder: Path) -> tuple[int, str]:
    """A process that downloads killed with SIGKILL at random moments, the same download asked for after each."""
    dice, kills, went_on = random.Random(22), 0, 0
    for way in WAYS:
        with serving(content_of(way)) as site:
            site.pause_s = 0.3
            for _ in range(_KILLS):
                if had(folder):
                    shutil.rmtree(folder / "cache")
                kills += _killed(folder, way, site, dice.uniform(0, 4))
            site.pause_s = 0.0
            assert _run(folder, _line(way, site.address)).returncode == 0
            assert had(folder)[0].read_bytes() == site.content
            went_on += sum(asked is not None for asked in site.asked)
        shutil.rmtree(folder / "cache")
    assert kills > _KILLS
    assert went_on
    return kills, f"the file is whole in the end; {went_on} attempts went on where a killed one had got to"


def _killed(folder: Path, way: Way, site: Site, after_s: float) -> bool:
    """Kill a process so long after it has asked for the file: whether it had not ended before."""
    asked = len(site.asked)
    process = subprocess.Popen(
        _line(way, site.address), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=_environment(folder)
    )
    while len(site.asked) == asked and process.poll() is None:
        time.sleep(0.01)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    process.kill()
    return process.wait() == -signal.SIGKILL


def full(folder: Path) -> tuple[int, str]:
    """The disk full while something is downloaded."""
    limits = (0, 1, 5000, 20_000)
    for way in WAYS:
        with serving(content_of(way)) as site:
            shutil.rmtree(folder / "cache", ignore_errors=True)
            for most_bytes in limits:
                error = one_error(_run(folder, _line(way, site.address), preexec_fn=files_up_to(most_bytes)))
                assert "can't" in error, error
                assert not had(folder)
            assert _run(folder, _line(way, site.address)).returncode == 0
            assert had(folder)[0].read_bytes() == site.content
    return len(WAYS) * len(limits), "one error each; with room again the same command has the file"


def together(folder: Path) -> tuple[int, str]:
    """Four processes that download the same file at once."""
    for way in WAYS:
        shutil.rmtree(folder / "cache", ignore_errors=True)
        with serving(content_of(way)) as site:
            site.pause_s = 0.2
            line, environment = _line(way, site.address), _environment(folder)
            all_four = [
                subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
                for _ in range(4)
            ]
            said = {process.communicate(timeout=60)[0] for process in all_four}
            assert [process.returncode for process in all_four] == [0] * 4
            assert len(said) == 1
            assert len(site.asked) == 1, site.asked
    return 4 * len(WAYS), "one downloads it, the others wait and use its file"


def unkept(folder: Path) -> tuple[int, str]:
    """A cache that nothing can be written into: a read-only folder, a file in its place, a link to nothing."""
    places = [folder / "locked", folder / "file", folder / "link"]
    places[0].mkdir(mode=0o555)
    places[1].write_text("")
    places[2].symlink_to(folder / "locked" / "nothing")
    for way in WAYS:
        with serving(content_of(way)) as site:
            for place in places:
                (folder / "cache").unlink(missing_ok=True)
                (folder / "cache").symlink_to(place)
                error = one_error(_run(folder, _line(way, site.address), preexec_fn=obey_permissions))
                assert "XDG_CACHE_HOME" in error, error
    return len(WAYS) * len(places), "one error that says which variable names another folder"
