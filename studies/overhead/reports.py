"""`python -m reports render` of 200,000 records, and how long its page takes to open in Chromium.

python -m studies.overhead.reports FOLDER     (5.4 GB of records are written into it, where it is missing)
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from studies.overhead.many_records import write
from system.command_line import print_table, run

_OPENINGS = 5


def main() -> int:
    """Render, then open the page; exit 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if not folder.exists():
        write(folder)
    with tempfile.TemporaryDirectory() as out:
        wall_s, cpu_s, peak_bytes = cost_of("-m", "reports", "render", "--results", str(folder), "--out", out)
        imports_s = cost_of("-c", "import numpy, scipy.special, matplotlib.figure, matplotlib.backends.backend_agg")[1]
        rows = [["render", f"{wall_s:.1f} s, CPU {cpu_s:.1f} s, {peak_bytes / 1e9:.2f} GB"]]
        rows.append(["of that imports", f"CPU {imports_s:.1f} s"])
        rows += [[name, text] for name, text in openings(Path(out) / "report.html").items()]
    print_table(["what", "took"], rows)
    return 0


def cost_of(*arguments: str) -> tuple[float, float, int]:
    """The wall and the CPU seconds of a Python process, and its peak of memory in bytes (on Linux)."""
    begun = time.perf_counter()
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], dict(os.environ))
    _, status, used = os.wait4(process, 0)
    assert status == 0, arguments
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def openings(page: Path) -> dict[str, str]:
    """Milliseconds from the start of the navigation, the first opening in a fresh browser and the median of the next.

    "drawn" is when everything is: all charts that are switched on.
    """
    found: dict[str, list[float]] = {"first paint": [], "first chart": [], "drawn": []}
    with tempfile.TemporaryDirectory() as profile:
        browser = chromium(profile)
        for _ in range(_OPENINGS):
            browser.get(page.resolve().as_uri())
            while not browser.execute_script("return document.body.dataset.drawn"):
                time.sleep(0.05)
            entries = "performance.getEntriesByName(arguments[0].replace('first paint', 'first-paint'))"
            for name, ms in found.items():
                ms.append(browser.execute_script(f"return {entries}[0].startTime", name))
        browser.quit()
    return {f"page, {name}": f"{ms[0]:.0f} ms, then {median(ms[1:]):.0f} ms" for name, ms in found.items()}


def chromium(profile: str) -> Any:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "window-size=1400,1500"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


if __name__ == "__main__":
    run(main)
