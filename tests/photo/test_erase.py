"""Taking away what a mask marks, and putting something in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError, StoppedError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.photo import erase, place
from edgegan_widget.photo.inpainting import names


def scene(height: int = 120, width: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Stripes with a hole in their middle."""
    rows, columns = np.mgrid[:height, :width]
    stripes = np.where(columns // 6 % 2, 200, 60).astype(np.uint8)
    photo = np.dstack([stripes, stripes // 2 + 40, (80 + rows // 2).astype(np.uint8)])
    hole = np.zeros((height, width), bool)
    hole[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = True
    return photo, hole


def error_of(filled: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> float:
    return float(np.abs(filled[hole].astype(float) - photo[hole]).mean())


def test_stripes_go_on_where_telea_smears() -> None:
    photo, hole = scene()
    wrong = photo.copy()
    wrong[hole] = (255, 0, 255)
    by_pieces = error_of(erase(wrong, hole, grow_px=0), photo, hole)
    assert by_pieces < 0.85 * error_of(erase(wrong, hole, "telea", grow_px=0), photo, hole)


def test_an_even_texture_keeps_its_contrast() -> None:
    noise = np.random.default_rng(0).normal(0, 30, (150, 200, 1))
    photo = (cv2.GaussianBlur(noise, (0, 0), 1.0)[..., None] * 2 + [90, 140, 60]).clip(0, 255).astype(np.uint8)
    hole = np.zeros((150, 200), bool)
    hole[50:100, 60:140] = True
    contrast = photo[~hole][:, 1].std()
    by_pieces, smeared = (erase(photo, hole, method, grow_px=0)[hole][:, 1].std() for method in ("shiftmap", "telea"))
    assert by_pieces > 0.85 * contrast
    assert smeared < 0.8 * by_pieces


@pytest.mark.parametrize("method", ["shiftmap", "telea", "ns"])
@pytest.mark.parametrize("shape", [(3, 3), (1, 5000), (40, 30), (300, 260)])
def test_only_the_hole_changes_at_any_size(method: str, shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    hole = np.zeros(shape, bool)
    hole[shape[0] // 2, shape[1] // 2 : shape[1] // 2 + 9] = True
    filled = erase(photo, hole, method, grow_px=0)
    assert filled.shape == photo.shape
    assert (filled[~hole] == photo[~hole]).all()


def test_the_same_again() -> None:
    photo, hole = scene()
    assert (erase(photo, hole) == erase(photo, hole)).all()


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.zeros((120, 160), bool), "marks nothing"),
        (np.ones((120, 160), bool), "whole photo"),
        (np.ones((12, 16), bool), "its photo 160x120"),
        (None, "its photo 160x120"),
    ],
)
def test_masks_that_do_not_fit(mask: np.ndarray | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        erase(scene()[0], mask)


def test_unknown_methods_are_told() -> None:
    with pytest.raises(ConfigError, match="shiftmap"):
        erase(*scene(), method="magic")
    assert names()[0] == "shiftmap"


def test_progress_grows_and_stops() -> None:
    photo, hole = scene(400, 500)
    told: list[float] = []
    erase(photo, hole, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) > 3
    with pytest.raises(StoppedError):
        erase(photo, hole, on_progress=lambda done: done < 0.1)


def test_an_object_is_placed_and_cut_off_at_the_edge() -> None:
    photo = np.full((50, 60, 3), 100, np.uint8)
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    alpha = np.full((16, 16), 255, np.uint8)
    placed = place(photo, red, alpha, (-10, 20, 30, 20), feather_px=0, match_light=False)
    assert (placed[20:40, :20] == (255, 0, 0)).all()
    assert (placed[:20] == 100).all()
    assert (placed[:, 20:] == 100).all()
    matched = place(photo, red, alpha, (10, 10, 20, 20), feather_px=0)
    assert matched[20, 20, 0] < 255  # nearer to grey


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (90, 0, 5, 5), (1, 2, 3), (0.5, 0, 3, 3)])
def test_boxes_that_are_none(box: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="box"):
        place(np.zeros((50, 60, 3), np.uint8), np.zeros((4, 4, 3), np.uint8), np.ones((4, 4)), box)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, hole = scene()
    Image.fromarray(photo).convert("CMYK").save(tmp_path / "photo.jpg")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    arguments = ["erase", str(tmp_path / "photo.jpg"), "--mask", str(tmp_path / "mask.png"), "--out"]
    assert main([*arguments, str(tmp_path / "out.png"), "--method", "ns"]) == 0
    assert picture_rgb_u8(tmp_path / "out.png").shape == photo.shape
    assert main([*arguments, str(tmp_path / "out.png"), "--method", "magic"]) == 1
    assert "choose one of" in capsys.readouterr().err


def test_replace_from_the_command_line(tmp_path: Path) -> None:
    photo, hole = scene()
    Image.fromarray(photo).save(tmp_path / "photo.png")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    sketch = np.full((64, 64), 255, np.uint8)
    sketch[20:45, 12:52] = 0
    sketch[22:43, 14:50] = 255
    Image.fromarray(sketch).save(tmp_path / "sketch.png")
    done = main([
        "replace", str(tmp_path / "photo.png"), "--mask", str(tmp_path / "mask.png"), "--method", "telea",
        "--sketch", str(tmp_path / "sketch.png"), "--class", "handbag", "--out", str(tmp_path / "out.png"),
    ])  # fmt: skip
    replaced = picture_rgb_u8(tmp_path / "out.png")
    assert done == 0
    assert (replaced[hole] != photo[hole]).any()
    assert (replaced[:20] == photo[:20]).all()


def test_hardly_anything_may_be_left_to_fill_from() -> None:
    photo, _ = scene()
    mask = np.ones(photo.shape[:2], bool)
    mask[60, 20:140] = False
    assert erase(photo, mask, grow_px=2).shape == photo.shape
