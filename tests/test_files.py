from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.base.pictures import open_picture, picture_rgb_u8


def test_write_leaves_the_old_file_when_it_fails(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    write_bytes(target, "old")

    def fail() -> None:
        with write_atomic(target) as stream:
            stream.write(b"half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


def test_transparent_pixels_become_paper(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    picture.putpixel((1, 1), (0, 0, 255, 255))
    picture.save(tmp_path / "clear.png")
    pixels = picture_rgb_u8(tmp_path / "clear.png")
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [0, 0, 255]


def test_sixteen_bit_greys_are_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 65535], [32768, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert picture_rgb_u8(tmp_path / "deep.png")[..., 0].tolist() == [[0, 255], [127, 255]]


@pytest.mark.parametrize("mode", ["CMYK", "P", "L", "1", "LA"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    name = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    Image.new(mode, (5, 3)).save(name)
    assert picture_rgb_u8(name).shape == (3, 5, 3)


def test_pictures_are_turned_upright() -> None:
    picture = Image.new("RGB", (6, 3), "white")
    exif = picture.getexif()
    exif[0x0112] = 6  # lies on its side
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif)
    stream.seek(0)
    assert open_picture(stream, "turned.jpg").size == (3, 6)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"GIF89a"])
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd name é.png").write_bytes(content)
    with pytest.raises(DataError, match=r"odd name é\.png cannot be read as a picture"):
        open_picture(tmp_path / "odd name é.png")


def test_a_picture_cut_short_is_named(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(stream, "PNG")
    (tmp_path / "half.png").write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])
    with pytest.raises(DataError, match=r"half.png cannot be read"):
        open_picture(tmp_path / "half.png")


@pytest.mark.parametrize("size", [(20_000, 20_000), (9_000, 9_000)])
def test_a_huge_picture_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    stream = io.BytesIO()
    Image.new("1", size).save(stream, "PNG")
    stream.seek(0)
    with pytest.raises(DataError, match=r"huge.png has more than 64,000,000 pixels"):
        open_picture(stream, "huge.png")


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_picture(tmp_path / "none.png")
    with pytest.raises(DataError, match="is a folder"):
        open_picture(tmp_path)
