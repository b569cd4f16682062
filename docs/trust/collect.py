"""Collect samples of every network and of two fixed references in turn, for `analyse.py` to try estimators on.

    python docs/trust/collect.py SECONDS OUT.jsonl [--busy SECONDS_ON SECONDS_OFF] [--model GLOB]

One line a visit: when, what, the seconds of each inference and the kernel's evidence. `--busy` runs a neighbour on
every core, switched on and off in turn.
"""

import argparse
import random
import time
from pathlib import Path

import msgspec

from bench.neighbour import Neighbour
from devices.targets import find_targets
from devices.worker import open_session
from exporters.cache import Cache
from models import find


def main() -> None:
    """Collect for the given time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float)
    parser.add_argument("out", type=Path)
    parser.add_argument("--busy", type=float, nargs=2)
    parser.add_argument("--model", default="*")
    arguments = parser.parse_args()
    (target,) = find_targets("cpu")
    (reference,) = find_targets("reference", Path("docs/trust/reference.toml"))
    cache = Cache(Path("artifacts"))
    models = find(arguments.model)
    sessions = {model.name: open_session(cache.obtain(target.job(model)), target, timeout_s=600) for model in models}
    artifact = cache.obtain(reference.job(models[0]))
    for kind in ("compute", "stream"):
        options = msgspec.structs.replace(reference, options=reference.options | {"kind": kind})
        sessions[kind] = open_session(artifact, options, timeout_s=60)
    for session in sessions.values():
        session.run(3)
    order = random.Random(1)
    end = time.monotonic() + arguments.seconds
    with arguments.out.open("a", buffering=1) as out, Neighbour(arguments.busy):
        while time.monotonic() < end:
            names = [model.name for model in models]
            order.shuffle(names)
            for name in names:
                for visited, settle, count in (("compute", 0, 1), ("stream", 0, 1), (name, 1, 1)):
                    session = sessions[visited]
                    at = time.time()
                    if settle:
                        each = session.run(settle).seconds[-1]
                        count = max(1, min(20, round(0.15 / each)))
                    samples = session.run(count)
                    line = {"at": at, "what": visited, "seconds": samples.seconds, **samples.evidence}
                    out.write(msgspec.json.encode(line).decode() + "\n")
    for session in sessions.values():
        session.close()


if __name__ == "__main__":
    main()
