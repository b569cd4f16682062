"""Images that are made to harm whoever decodes them, and images of every unusual kind."""

import io
import struct
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from models.photographs.decode import decode
from models.photographs.folder import photographs
from models.photographs.pool import prepared
from models.photographs.preprocessing import Preprocessing
from tests.faults.given import KINDS, image_of

_HOW = Preprocessing(short_px=36, crop_px=32, resolution_px=32)
_ORIENTATION = 0x0112


def bombs(folder: Path) -> tuple[int, str]:
    """Small files that claim far more pixels or text than there is memory for (decompression bombs)."""
    files = {
        "huge.png": _png(60_000, 60_000, zlib.compress(bytes(10_000_000), 9)),
        "wide.png": _png(2**31 - 1, 1, b""),
        "text.png": _png(8, 8, zlib.compress(bytes(8 * 25)), _chunk(b"zTXt", b"a\0\0" + _zeros(600_000_000))),
        "profile.png": _png(8, 8, zlib.compress(bytes(8 * 25)), _chunk(b"iCCP", b"a\0\0" + _zeros(600_000_000))),
        "huge.gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + image_of("gif")[10:],
        "huge.bmp": image_of("bmp")[:18] + struct.pack("<ii", 50_000, 50_000) + image_of("bmp")[26:],
        "huge.jpeg": _resized_jpeg(65_500),
        "huge.webp": b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f\xff\xff\xff\x0f" + bytes(12),
    }
    reasons = _prepared(folder, files)
    refused = [name for name in files if reasons[name] is not None]
    assert {name for name in files if name.startswith(("huge", "wide"))} <= set(refused), reasons
    return len(files), f"{len(refused)} left out with the reason, every sound image beside them prepared"


def cut_short(folder: Path) -> tuple[int, str]:
    """Images cut short after each of twenty parts, and images that end in something else."""
    files = {}
    for kind in KINDS:
        content = image_of(kind)
        files |= {f"{part:02}.{kind}": content[: part * len(content) // 20] for part in range(20)}
        files |= {f"more.{kind}": content + b"<?php" * 1000, f"twice.{kind}": content * 2}
    reasons = _prepared(folder, files)
    refused = sum(reason is not None for reason in reasons.values())
    whole = [name for name in files if name.startswith(("more", "twice"))]
    assert all(reasons[name] is None for name in whole), reasons
    assert refused >= len(files) - len(whole) - 2, reasons
    return len(files), f"{refused} left out with the reason; what follows a whole image is passed over"


def rotations(folder: Path) -> tuple[int, str]:
    """EXIF orientations that lie: each of 1 to 8, 0, 9, a huge one, damaged EXIF."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = 255
    values = (*range(10), 65_535)
    for value in values:
        exif = Image.Exif()
        exif[_ORIENTATION] = value
        Image.fromarray(pixels).save(folder / f"{value:02}.png", exif=exif)
    Image.fromarray(pixels).save(folder / "broken.jpeg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    remarked = 0
    for path in sorted(folder.iterdir()):
        image, remark = decode(path)
        assert image.size == (40, 20), path
        assert remark == "" or "EXIF" in remark, remark
        remarked += bool(remark)
        turned, _ = decode(path, upright=True)
        assert turned.size in {(40, 20), (20, 40)}
    assert remarked >= 7
    return len(values) + 1, f"pixels are taken as stored, as the official evaluations do; {remarked} have a remark"


def animations(folder: Path) -> tuple[int, str]:
    """Animations (GIF, PNG, WebP), and ones whose later frames are damaged or missing."""
    frames = [Image.new("RGB", (48, 40), (value, 0, 0)) for value in (250, 120, 10)]
    files = {}
    for kind in ("gif", "png", "webp"):
        file = io.BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=50)
        content = file.getvalue()
        files |= {f"whole.{kind}": content, f"cut.{kind}": content[:-20], f"noise.{kind}": content[:-30] + b"\xff" * 30}
    reasons = _prepared(folder, files)
    for kind in ("gif", "png", "webp"):
        image, remark = decode(folder / f"whole.{kind}")
        assert "first frame of an animation" in remark, remark
        assert np.asarray(image)[0, 0, 0] > 200
        assert reasons[f"whole.{kind}"] is None
    left = sum(reason is not None for reason in reasons.values())
    return len(files), f"the first frame with a remark, or left out with the reason ({left})"


def modes(folder: Path) -> tuple[int, str]:
    """Images of 1 and 16 bits, grey, palette, CMYK, and with transparency, plain or in one colour."""
    noise = np.random.default_rng(23).integers(0, 256, (40, 48, 4), dtype=np.uint8)
    grey, colour = Image.fromarray(noise[..., 0]), Image.fromarray(noise[..., :3])
    made: dict[str, Image.Image] = {
        "1.png": grey.convert("1"),
        "L.png": grey,
        "LA.png": grey.convert("LA"),
        "P.png": colour.convert("P"),
        "PA.png": colour.convert("RGBA").quantize(16),
        "RGBA.png": Image.fromarray(noise),
        "I16.png": Image.fromarray(noise[..., 0].astype(np.uint16) * 257),
        "CMYK.jpeg": Image.fromarray(noise, "CMYK"),
        "L.jpeg": grey,
        "YCbCr.jpeg": colour.convert("YCbCr"),
        "RGBA.webp": Image.fromarray(noise),
        "P.gif": colour.convert("P"),
        "P.bmp": colour.convert("P"),
        "1.bmp": grey.convert("1"),
    }
    for name, image in made.items():
        image.save(folder / name)
    Image.fromarray(noise[..., :3]).save(folder / "key.png", transparency=(1, 2, 3))
    remarked = 0
    for image, values, said in prepared(photographs(folder).images, _HOW, processes=2):
        assert values is not None, (image.name, said)
        assert np.isfinite(values).all()
        assert values.shape == (3, 32, 32)
        remarked += bool(said)
    assert remarked >= len(made) - 2
    return len(made) + 1, f"all read as RGB of 8 bits, {remarked} with a remark on what was changed"


def _prepared(folder: Path, files: dict[str, bytes]) -> dict[str, str | None]:
    """Why each file, between sound ones, gives no input; None where it does. Every sound one must be prepared."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / f"{name}-sound.png").write_bytes(image_of("png"))
    reasons: dict[str, str | None] = {}
    begun = time.monotonic()
    for image, values, said in prepared(photographs(folder).images, _HOW, processes=2):
        assert "sound" not in image.name or values is not None, said
        assert values is not None or (said and "\n" not in said and "killed" not in said), (image.name, said)
        reasons[image.name] = None if values is not None else said
    assert time.monotonic() - begun < 300
    return reasons


def _png(width: int, height: int, compressed: bytes, *more: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [_chunk(b"IHDR", head), *more, _chunk(b"IDAT", compressed), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _zeros(count: int) -> bytes:
    """So many zeros, compressed."""
    compressor = zlib.compressobj(9)
    piece = bytes(1_000_000)
    return b"".join(compressor.compress(piece) for _ in range(count // len(piece))) + compressor.flush()


def _resized_jpeg(side_px: int) -> bytes:
    """A JPEG whose header tells of an image of that side."""
    content = image_of("jpeg")
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", side_px, side_px) + content[at + 4 :]
