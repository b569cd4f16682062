"""Versions of packages, compared by their release."""

import re


def release_of(version: str) -> tuple[int, ...]:
    """The first two numbers of a version: (1, 31) of "1.31.0rc1"."""
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
