"""What people may give instead of a photo and a mask: handled, or one sentence and a true exit status."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.photo import cut_out, erase, replace
from tests.photo.drawn import photo

SKETCH = np.full((64, 64), 255, np.uint8)
SKETCH[20:45, 12:52] = 0


@pytest.fixture(scope="module")
def model() -> EdgeGAN:
    return EdgeGAN.from_pretrained("default")


def bomb(path: Path) -> None:
    """A few bytes that say to be a hundred thousand pixels high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def torn(path: Path) -> None:
    Image.fromarray(photo()[0]).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:3000])


def of(shape: tuple[int, int]) -> Callable[[Path], None]:
    return lambda path: Image.fromarray(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)).save(
        path, "PNG"
    )


def animated(path: Path) -> None:
    frames = [Image.fromarray(photo(seed)[0]) for seed in range(3)]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


ODD: dict[str, Callable[[Path], None]] = {  # what is handled
    "3x3": of((3, 3)),
    "1x5000": of((1, 5000)),
    "5000x1": of((5000, 1)),
    "CMYK": lambda path: Image.fromarray(photo()[0]).convert("CMYK").save(path, "TIFF"),
    "16 bit": lambda path: Image.fromarray(photo()[1].astype(np.uint16) * 256).save(path, "PNG"),
    "animated": animated,
}
BAD: dict[str, tuple[Callable[[Path], None], str]] = {  # what is refused, and what is said
    "broken": (torn, "cannot be read"),
    "bomb": (bomb, "64,000,000 pixels"),
    "empty": (lambda path: path.write_bytes(b""), "cannot be read"),
    "a folder": (lambda path: path.mkdir(), "is a folder"),
    "missing": (lambda path: None, "does not exist"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_photos_are_handled(kind: str, tmp_path: Path, model: EdgeGAN) -> None:
    path, mask_path = tmp_path / "photo", tmp_path / "mask.png"
    ODD[kind](path)
    shape = picture_rgb_u8(path).shape
    alpha = cut_out(path)
    assert alpha.shape == shape[:2]
    assert 0 <= alpha.min() <= alpha.max() <= 1
    mask = np.zeros(shape[:2], bool)
    mask[shape[0] // 2, shape[1] // 2] = True
    Image.fromarray(mask).save(mask_path)
    assert erase(path, mask_path, "telea", grow_px=0).shape == shape
    full = replace(
        path, mask_path, SKETCH, "dog", model=model, method="telea", shadow=1, seamless=True, match_sharpness=True
    )
    assert full.shape == shape
    out = tmp_path / "out.png"
    assert main(["erase", str(path), "--mask", str(mask_path), "--out", str(out)]) == 0
    assert picture_rgb_u8(out).shape == shape


@pytest.mark.parametrize("kind", BAD)
def test_bad_photos_and_masks_are_refused_in_a_sentence(
    kind: str, tmp_path: Path, model: EdgeGAN, capsys: pytest.CaptureFixture[str]
) -> None:
    make, said = BAD[kind]
    bad, good, mask = tmp_path / "bad.png", tmp_path / "good.png", tmp_path / "mask.png"
    make(bad)
    pixels, mask_u8 = photo()
    Image.fromarray(pixels).save(good)
    Image.fromarray(mask_u8).save(mask)
    for call in (
        lambda: cut_out(bad),
        lambda: erase(bad, mask_u8),
        lambda: erase(good, bad),
        lambda: replace(bad, mask_u8, SKETCH, "dog", model=model),
    ):
        with pytest.raises(DataError, match=said) as raised:
            call()
        assert "\n" not in str(raised.value)
    out = tmp_path / "out.png"
    for command in (
        ["erase", str(bad), "--mask", str(mask), "--out", str(out)],
        ["erase", str(good), "--mask", str(bad), "--out", str(out)],
        ["cut-out", str(bad), "--out", str(tmp_path / "cut")],
    ):
        assert main(command) == 1
        told = capsys.readouterr()
        assert said in told.err + told.out
        assert "Traceback" not in told.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((200, 240), np.uint8), "marks nothing"),
        (np.full((200, 240), 255, np.uint8), "whole photo"),
        (np.full((240, 200), 255, np.uint8), "its photo 240x200"),
    ],
)
def test_masks_that_do_not_fit_are_told_by_both_commands(
    mask: np.ndarray, said: str, tmp_path: Path, model: EdgeGAN, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(photo()[0]).save(tmp_path / "photo.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(SKETCH).save(tmp_path / "sketch.png")
    with pytest.raises(DataError, match=said):
        replace(photo()[0], mask, SKETCH, "dog", model=model)
    asked = [str(tmp_path / "photo.png"), "--mask", str(tmp_path / "mask.png"), "--out", str(tmp_path / "out.png")]
    assert main(["erase", *asked]) == 1
    assert said in capsys.readouterr().err
    assert main(["replace", *asked, "--sketch", str(tmp_path / "sketch.png"), "--class", "dog"]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_no_mask_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(photo()[0]).save(tmp_path / "photo.png")
    with pytest.raises(SystemExit) as stopped:
        main(["erase", str(tmp_path / "photo.png"), "--out", str(tmp_path / "out.png")])
    assert stopped.value.code == 2
    assert "--mask" in capsys.readouterr().err
