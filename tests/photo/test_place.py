"""Fitting a drawn object into a photo: its edge, light, sharpness, grain, shadow and seam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.photo import place

BOX = (20, 20, 96, 96)


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """A dark disc as networks draw it: at its soft edge more paper is left in the colours than alpha says."""
    rows, columns = np.mgrid[:64, :64]
    far = np.hypot(rows - 32, columns - 32)
    alpha = np.clip((24 - far) / 4, 0, 1)
    paper = np.clip(2.2 * (1 - alpha), 0, 1)[..., None]
    return np.uint8(40 + 215 * paper * np.ones(3)), np.uint8(255 * alpha)


def placed(photo: np.ndarray, **options: Any) -> np.ndarray:
    return place(photo, *drawn(), BOX, **({"match_light": False} | options))


def noisy(shape: tuple[int, int], deviation: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, deviation, (*shape, 1))
    return (120 + noise * np.ones(3)).round().clip(0, 255).astype(np.uint8)


def test_paper_does_not_shine_at_the_edge() -> None:
    dark = np.full((140, 140, 3), 30, np.uint8)
    assert placed(dark, clean_edge=False).max() > 80
    assert placed(dark).max() <= 55


def test_what_is_evenly_transparent_stays() -> None:
    photo = np.full((60, 60, 3), 100, np.uint8)
    glass = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    half = np.full((40, 40), 0.5, np.float32)
    box = (10, 10, 40, 40)
    given = [place(photo, glass, half, box, feather_px=0, match_light=0, clean_edge=on) for on in (False, True)]
    assert (given[0] == given[1]).all()


def test_a_shadow_darkens_the_ground_at_the_foot_only() -> None:
    photo = noisy((200, 200), 8)
    without, weak, strong = (placed(photo, shadow=strength) for strength in (0.0, 0.4, 1.0))
    assert (strong <= weak).all()
    assert (weak <= without).all()
    darker = (strong < without).any(2)
    rows, columns = np.nonzero(darker)
    foot = 20 + 96 * (32 + 22) // 64
    assert darker[foot + 2, 68]
    assert 0 < abs(rows - foot).max() < 0.25 * 96
    assert 20 <= columns.min() < columns.max() < 116


def test_light_is_matched_as_strongly_as_is_asked() -> None:
    photo = np.full((140, 140, 3), (200, 120, 60), np.uint8)
    centres = [placed(photo, match_light=strength)[68, 68].astype(float) for strength in (0, 0.2, True, 1)]
    far = [float(np.abs(centre - photo[0, 0]).sum()) for centre in centres]
    assert far == sorted(far, reverse=True)
    assert far[0] > far[1] > far[2] > far[3]


@pytest.mark.parametrize(
    ("photo_px", "object_px", "least", "most"), [(2, 0, 0.1, 0.5), (0, 2, 1.3, 2), (2, 2, 0.9, 1.1)]
)
def test_sharpness_comes_nearer_to_the_surroundings(photo_px: int, object_px: int, least: float, most: float) -> None:
    stripes = np.where(np.arange(320) // 8 % 2, 200, 60)[None, :, None] * np.ones((320, 1, 3))
    photo, thing = (
        cv2.GaussianBlur(stripes, (0, 0), blur_px) if blur_px else stripes for blur_px in (photo_px, object_px)
    )
    object_u8, alpha = thing[:160, :160].astype(np.uint8), np.full((160, 160), 255, np.uint8)
    as_it_is, matched = (
        place(photo.astype(np.uint8), object_u8, alpha, (80, 80, 160, 160), match_light=0, match_sharpness=on)
        for on in (False, True)
    )
    assert least < steepest(matched) / steepest(as_it_is) < most


def steepest(picture: np.ndarray) -> int:
    """From pixel to pixel, within the box."""
    return int(np.abs(np.diff(picture[160, 100:220, 0].astype(int))).max())


def test_grain_is_as_strong_as_that_of_the_photo() -> None:
    photo = noisy((200, 200), 5)
    plain, grainy = (placed(photo, match_sharpness=on)[60:76, 60:76, 1].std() for on in (False, True))
    assert plain < 0.5
    assert 3 < grainy < 7


def test_a_seamless_outline_is_nearer_to_the_photo() -> None:
    photo = np.full((140, 140, 3), 200, np.uint8)
    rims = [abs(200 - int(placed(photo, seamless=on)[68, 38, 0])) for on in (False, True)]  # 4 pixels inside
    assert rims[1] < 0.85 * rims[0]


def test_a_seam_of_a_speck_and_at_the_photos_edge() -> None:
    photo = noisy((40, 40), 3)
    speck = place(photo, *drawn(), (5, 5, 3, 3), seamless=True, match_light=0)
    assert (speck == place(photo, *drawn(), (5, 5, 3, 3), match_light=0)).all()
    beyond = place(photo, *drawn(), (-30, -30, 96, 96), seamless=True, shadow=1, match_sharpness=True)
    assert beyond.shape == photo.shape
    assert (beyond != photo).any()


@pytest.mark.parametrize("options", [{"shadow": 1.5}, {"match_light": -0.1}, {"feather_px": 99}, {"seamless": "yes"}])
def test_settings_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        place(noisy((140, 140), 1), *drawn(), BOX, **options)


def test_the_command_takes_the_same_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(noisy((100, 100), 2)).save(tmp_path / "photo.png")
    hole = np.zeros((100, 100), np.uint8)
    hole[30:70, 30:70] = 255
    Image.fromarray(hole).save(tmp_path / "mask.png")
    Image.fromarray(cv2.circle(np.full((64, 64), 255, np.uint8), (32, 34), 28, 0, 2)).save(tmp_path / "sketch.png")
    command = [
        "replace", str(tmp_path / "photo.png"), "--mask", str(tmp_path / "mask.png"), "--method", "telea",
        "--sketch", str(tmp_path / "sketch.png"), "--class", "handbag", "--out",
    ]  # fmt: skip
    fitted = tmp_path / "fitted.png"
    assert main([*command, str(fitted), "--shadow", "2"]) == 1
    assert "0 to 1" in capsys.readouterr().err
    assert main([*command, str(fitted), "--shadow", "1", "--match-light", "0", "--match-sharpness"]) == 0
    result, photo = picture_rgb_u8(fitted), picture_rgb_u8(tmp_path / "photo.png")
    below = slice(70 + 3, 80), slice(30, 70)
    assert (result[below] <= photo[below]).all()
    assert (result[below] < photo[below]).any()
    assert (result[80:] == photo[80:]).all()
