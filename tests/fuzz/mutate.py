"""Changes of inputs that keep what is around the changed part whole: JSON, MessagePack, zip archives, PNG's checksums.

`libfuzzer` is libFuzzer's own mutation, `(content, most_bytes) -> content`.
"""

import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from tests.fuzz.parser import Shape

Mutation = Callable[[bytes, int], bytes]

_PLAIN_SHARE = 0.2  # of mutations that are libFuzzer's own, of the whole input
_SCALARS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 64, 1000, 2**31, 2**53, 2**63, 2**64, 10**30, 0.5, -0.0, 5e-324, 1e-300),
    *(1e300, 1.7e308, "", "a\nb", "é", "\x1b[2J", "\u2028", "\u202e", "\ud800", "<b>|`$\\", "=1+1", "x" * 500, [], {}),
    *("cpu", "fake", "NaN", "-1", "1e999", "../../etc/passwd", "\x00"),
)


def mutated(shape: Shape, content: bytes, most_bytes: int, seed: int, libfuzzer: Mutation) -> bytes:
    """An input that differs from `content`, of at most `most_bytes`."""
    dice = random.Random(seed)
    change = _CHANGES.get(shape)
    if change is None or dice.random() < _PLAIN_SHARE:
        return libfuzzer(content, most_bytes)
    try:
        changed = change(content, dice, libfuzzer)
    except Exception:  # it is no longer of that shape
        return libfuzzer(content, most_bytes)
    return changed if len(changed) <= most_bytes else libfuzzer(content, most_bytes)


def _json_lines(content: bytes, dice: random.Random, libfuzzer: Mutation) -> bytes:
    lines = content.split(b"\n")
    at = dice.choice([at for at, line in enumerate(lines) if line.strip()])
    way = dice.random()
    if way < 0.05:
        lines.insert(dice.randrange(len(lines) + 1), lines[at])
    elif way < 0.1:
        del lines[at]
    else:
        lines[at] = json.dumps(_changed_tree(json.loads(lines[at]), dice)).encode()
    return b"\n".join(lines)


def _msgpack(content: bytes, dice: random.Random, libfuzzer: Mutation) -> bytes:
    return msgspec.msgpack.encode(_changed_tree(msgspec.msgpack.decode(content), dice))


def _changed_tree(tree: Any, dice: random.Random) -> Any:
    """The tree with one to three of its values changed; all that is in it may be found anywhere else afterwards."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return dice.choice(_SCALARS)
        holder, key = dice.choice(places)
        way = dice.randrange(6)
        if way == 0:
            del holder[key]
        elif way == 1 and isinstance(holder, list):
            holder.insert(key, holder[key])
        elif way == 2:
            other, at = dice.choice(places)
            holder[key] = json.loads(json.dumps(other[at])) if not isinstance(other[at], bytes) else other[at]
        elif way == 3 and isinstance(holder[key], int | float):
            holder[key] = dice.choice((-holder[key], holder[key] * 1000, holder[key] * 1e-9, int(holder[key]) + 1))
        elif way == 4 and isinstance(holder, dict):
            holder[dice.choice(("", "a", "at", "\u2028", "throttled", "waited_s", "count", "threads"))] = holder[key]
        else:
            holder[key] = dice.choice(_SCALARS)
    return tree


def _places(tree: Any) -> Any:
    """Every (container, key) of a tree of lists and tables."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(pairs):
        yield tree, key
        yield from _places(value)


def _zip(content: bytes, dice: random.Random, libfuzzer: Mutation) -> bytes:
    """One member's content changed, and its checksum with it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = dice.choice(sorted(members))
    way, member = dice.random(), members[name]
    if way < 0.08:
        del members[name]
    elif way < 0.15:
        members[name] = members[dice.choice(sorted(members))]
    elif member[:1] in (b"{", b"["):
        members[name] = _json_lines(member.replace(b"\n", b" "), dice, libfuzzer)
    else:
        members[name] = libfuzzer(member, len(member) + 200)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member)
    return written.getvalue()


def _png(content: bytes, dice: random.Random, libfuzzer: Mutation) -> bytes:
    """One chunk's content changed, its length and checksum with it; the pixels are changed before they are packed."""
    if content[:4] != b"\x89PNG":
        return libfuzzer(content, len(content) + 200)
    chunks, at = [], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    number = dice.randrange(len(chunks))
    kind, data = chunks[number]
    if kind == b"IDAT" and dice.random() < 0.5:
        pixels = zlib.decompress(data)
        chunks[number] = kind, zlib.compress(libfuzzer(pixels, len(pixels) + 100))
    elif dice.random() < 0.1:
        chunks.insert(number, (kind, data))
    elif dice.random() < 0.1:
        del chunks[number]
    else:
        chunks[number] = kind, libfuzzer(data, len(data) + 64)
    written = content[:8]
    for kind, data in chunks:
        written += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return written


_CHANGES = {"json lines": _json_lines, "msgpack": _msgpack, "png": _png, "zip": _zip}
