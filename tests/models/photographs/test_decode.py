"""Image files of every kind: the right pixels and a remark, or UnreadableImage with the reason; never a warning."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models import UserError
from models.photographs.decode import LargeImage, UnreadableImage, decode
from tests.faults.damage import damaged

RGB = np.array([[[255, 0, 0], [0, 128, 0], [3, 2, 1]], [[0, 0, 255], [255, 255, 255], [9, 8, 7]]], dtype=np.uint8)


def png(width, height, *, bits, kind, rows):
    """A PNG file by hand: Pillow doesn't write every kind that it reads."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pixels(path, **how):
    image, remark = decode(path, **how)
    assert image.mode == "RGB"
    return np.asarray(image), remark


@pytest.fixture
def saved(tmp_path):
    def save(image, name="image.png", **how):
        image.save(tmp_path / name, **how)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.webp"])
def test_plain_rgb_is_read_as_it_is(saved, name):
    found, remark = pixels(saved(Image.fromarray(RGB), name, **({"lossless": True} if name == "a.webp" else {})))
    assert (found.tolist(), remark) == (RGB.tolist(), "")


def test_a_jpeg_is_read_as_pillow_reads_it_whatever_its_suffix(saved):
    random = np.random.default_rng(1).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    path = saved(Image.fromarray(random), "a.jpg", quality=90)
    found, remark = pixels(path.rename(path.with_suffix(".png")))
    assert np.array_equal(found, np.asarray(Image.open(path.with_suffix(".png"))))
    assert remark == ""


GREY = RGB[..., 1]


@pytest.mark.parametrize(
    ("image", "expected", "remark"),
    [
        (Image.fromarray(GREY), np.stack([GREY] * 3, -1), "grey"),
        (
            Image.fromarray(np.stack([GREY, 255 - GREY], -1), "LA"),
            np.stack([GREY] * 3, -1),
            "grey, transparency dropped",
        ),
        (Image.fromarray(np.dstack([RGB, GREY]), "RGBA"), RGB, "transparency dropped"),
        (Image.fromarray(GREY > 100), np.stack([(GREY > 100) * 255] * 3, -1), "black and white"),
        (Image.fromarray(RGB).quantize(8), RGB, "palette"),
    ],
    ids=["grey", "grey with alpha", "alpha", "one bit", "palette"],
)
@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated")
def test_other_kinds_become_rgb_and_are_remarked_on(saved, image, expected, remark):
    found, said = pixels(saved(image))
    assert (found.tolist(), said) == (expected.tolist(), remark)


@pytest.mark.parametrize("transparency", [0, bytes([0, 128, 255])])
def test_a_palette_with_transparency_keeps_its_colours(saved, transparency):
    image = Image.fromarray(RGB).quantize(8)
    found, remark = pixels(saved(image, transparency=transparency))
    assert (found.tolist(), remark) == (RGB.tolist(), "palette, transparency dropped")


@pytest.mark.parametrize(
    ("kind", "channels", "remark"),
    [
        (0, 1, "16 bits a value"),
        (2, 3, "16 bits a value"),
        (4, 2, "16 bits a value, transparency dropped"),
        (6, 4, "16 bits a value, transparency dropped"),
    ],
)
def test_16_bits_a_value_are_cut_to_the_upper_8(tmp_path, kind, channels, remark):
    values = np.random.default_rng(2).integers(0, 65536, (5, 7, channels))
    values[0, :3, :] = [[0], [255], [65535]]
    path = tmp_path / "a.png"
    path.write_bytes(png(7, 5, bits=16, kind=kind, rows=[row.astype(">u2").tobytes() for row in values]))
    found, said = pixels(path)
    expected = values[..., : 1 if channels < 3 else 3] >> 8
    assert (found.tolist(), said) == (np.broadcast_to(expected, (5, 7, 3)).tolist(), remark)


def test_cmyk_of_a_jpeg_is_inverted_as_adobe_writes_it(saved):
    colours = {
        (255, 0, 0, 0): (0, 255, 255),
        (0, 0, 0, 0): (255, 255, 255),
        (0, 255, 255, 0): (255, 0, 0),
        (0, 0, 0, 255): (0, 0, 0),
    }
    for ink, light in colours.items():
        path = saved(Image.new("CMYK", (16, 16), ink), "a.jpg", quality=95)
        assert b"Adobe" in path.read_bytes()
        found, remark = pixels(path)
        assert np.abs(found.astype(int) - light).max() <= 4
        assert remark == "CMYK"


def stored(upright, orientation):
    """What a camera stores of an upright picture: EXIF says where its first row and column are seen."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_pixels_are_as_stored_and_upright_turns_them(saved, orientation, name):
    exif = Image.Exif()
    exif[0x0112] = orientation
    array = np.ascontiguousarray(stored(RGB, orientation))
    path = saved(Image.fromarray(array), name, exif=exif, **({"lossless": True} if name == "a.webp" else {}))
    remark = "" if orientation == 1 else f"EXIF orientation {orientation}"
    found, said = pixels(path)
    assert (found.tolist(), said) == (array.tolist(), remark)
    found, said = pixels(path, upright=True)
    assert (found.tolist(), said) == (RGB.tolist(), remark)


@pytest.mark.parametrize("turned", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(saved, turned):
    exif = Image.Exif()
    exif[0x0112] = turned
    found, remark = pixels(saved(Image.fromarray(RGB), exif=exif), upright=True)
    assert (found.tolist(), remark) == (RGB.tolist(), "damaged EXIF")


@settings(max_examples=100)
@given(st.binary(max_size=60), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08\0\x01\x01\x12"]))
def test_damaged_exif_never_costs_the_image(tmp_path_factory, noise, head):
    path = tmp_path_factory.getbasetemp() / "exif.jpg"
    Image.new("RGB", (8, 6), (200, 100, 50)).save(path, exif=b"Exif\0\0" + head + noise)
    plain, _ = pixels(path)
    assert plain.shape == (6, 8, 3)
    turned, _ = pixels(path, upright=True)
    assert turned.size == plain.size


@pytest.mark.parametrize(
    ("name", "how"), [("a.gif", {}), ("a.webp", {"lossless": True}), ("a.png", {}), ("a.jpg", {"format": "MPO"})]
)
def test_of_an_animation_it_is_the_first_frame(saved, name, how):
    red, blue = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    found, remark = pixels(saved(red, name, save_all=True, append_images=[blue], **how))
    assert np.abs(found.astype(int) - [255, 0, 0]).max() <= 2
    assert remark.endswith("first frame of an animation")


def test_a_damaged_second_frame_does_not_cost_the_first(saved):
    random = np.random.default_rng(3).integers(0, 256, (2, 60, 60), dtype=np.uint8)
    first, second = map(Image.fromarray, random)
    path = saved(first, "a.gif", save_all=True, append_images=[second])
    path.write_bytes(path.read_bytes()[:-1500])
    found, remark = pixels(path)
    assert (np.array_equal(found[..., 0], random[0]), remark) == (True, "grey, first frame of an animation")


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1)])
def test_slivers_are_images(saved, size):
    found, remark = pixels(saved(Image.new("RGB", size, (1, 2, 3))))
    assert (found.shape, found[-1, -1].tolist(), remark) == ((size[1], size[0], 3), [1, 2, 3], "")


def test_large_images_are_read_and_remarked_on_unless_forbidden(saved):
    path = saved(Image.new("1", (7300, 7000)))
    found, remark = pixels(path)
    assert (found.shape, remark) == ((7000, 7300, 3), "black and white, 51 megapixels")
    with pytest.raises(LargeImage, match="7300 x 7000 pixels"):
        decode(path, most_px=7300 * 7000 - 1)


def test_a_decompression_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(20_000, 10_000, bits=1, kind=0, rows=[bytes(2500)] * 10_000))
    assert path.stat().st_size < 100_000
    with pytest.raises(UnreadableImage, match="200000000 pixels"):
        decode(path)


def test_a_webp_file_of_few_bytes_and_gigabytes_of_memory_is_refused(tmp_path):
    path = tmp_path / "a.webp"
    path.write_bytes(bytes.fromhex("524946461e000000574542505650384c110000002ff3f3fc0c07d0842634a1ff8188e87f0000"))
    with pytest.raises(UnreadableImage, match="a WebP image of 177 megapixels, above 100"):
        decode(path)


def run_length_encoded_bmp(width, height):
    """Every line ends after one pixel."""
    palette, lines = bytes(4), b"\1\0\0\0" * height + b"\0\1"
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(lines), 0, 0, 1, 0)
    begin = 14 + len(about) + len(palette)
    return struct.pack("<2sIII", b"BM", begin + len(lines), 0, begin) + about + palette + lines


def test_a_bmp_file_of_few_bytes_and_many_seconds_is_refused(tmp_path):
    path = tmp_path / "a.bmp"
    path.write_bytes(run_length_encoded_bmp(9, 7))
    assert pixels(path)[0].shape == (7, 9, 3)
    path.write_bytes(run_length_encoded_bmp(10_000, 3_000))
    with pytest.raises(UnreadableImage, match="a run-length encoded BMP image of 30 megapixels, above 25"):
        decode(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"no image at all", "no JPEG, PNG, GIF, BMP or WEBP image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no JPEG, PNG, GIF, BMP or WEBP image"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ""),
        (png(40, 40, bits=8, kind=2, rows=[bytes(range(120))] * 40)[:100], "image file is truncated"),
    ],
)
def test_what_is_no_image_says_so(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=rf"can't read image .*a\.jpg: .*{reason}.*; mend or remove it") as error:
        decode(path)
    assert isinstance(error.value, UserError)
    assert error.value.reason
    assert "object at" not in str(error.value)


def test_files_that_cannot_be_read_say_why(tmp_path, monkeypatch):
    with pytest.raises(UnreadableImage, match="No such file or directory"):
        decode(tmp_path / "missing\n.png")
    with pytest.raises(UnreadableImage, match="Is a directory"):
        decode(tmp_path)
    Image.fromarray(RGB).save(tmp_path / "a.png")

    def refuse(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "load", refuse)
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(UnreadableImage) as error:
        decode(tmp_path / "a.png")
    assert error.value.reason == "out of memory"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_damaged_file_is_an_image_or_unreadable(tmp_path, kind, progressive):
    """Cut short, overwritten, flipped: no other error, no warning; a JPEG or PNG cut short is always unreadable."""
    file = io.BytesIO()
    random = np.random.default_rng(4).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    Image.fromarray(random).save(file, kind, **({"progressive": progressive} if kind == "JPEG" else {}))
    content, unreadable = file.getvalue(), 0
    for broken in damaged(content, 5, 90):
        path = tmp_path / f"a.{kind.lower()}"
        path.write_bytes(broken)
        try:
            found, _ = pixels(path, upright=True)
        except UnreadableImage as error:
            assert error.reason
            assert "\n" not in error.reason
            unreadable += 1
        else:
            assert found.size
            assert kind not in {"JPEG", "PNG"} or len(broken) > len(content) - 15
    assert unreadable >= 30
