"""Damaged versions of a file: cut short, overwritten with noise, single bits flipped."""

import random
from collections.abc import Iterator


def damaged(content: bytes, seed: int, count: int) -> Iterator[bytes]:
    """`count` damaged versions of a file: empty, noise, then in turn cut short, overwritten, or one bit flipped."""
    dice = random.Random(seed)
    yield b""
    yield dice.randbytes(300)
    for number in range(count - 2):
        at = dice.randrange(len(content))
        if number % 3 == 0:
            yield content[:at]
        elif number % 3 == 1:
            noise = dice.randbytes(min(40, len(content) - at))
            yield content[:at] + noise + content[at + len(noise) :]
        else:
            yield content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :]
