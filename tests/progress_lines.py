"""What a command printed beside its progress: stages say on stderr how far they are, where the machine is slow."""

import re

_STAGE = re.compile(r"[a-z]+: (\d+ s$|\d+%)")


def without_progress(stderr: str) -> list[str]:
    """The lines but those of stages."""
    return [line for line in stderr.splitlines() if not _STAGE.match(line)]
