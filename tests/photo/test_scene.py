"""Scenes: written, read again, composed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.photo.fitting import Fit
from edgegan_widget.photo.scene import Erased, Placed, Scene, fill, lay, turned
from edgegan_widget.sketch.strokes import Drawing, Stroke


def scene() -> Scene:
    line = Stroke.make([(0.2, 0.3), (0.8, 0.3), (0.8, 0.7), (0.2, 0.7), (0.2, 0.3)], width=0.02)
    hole = np.zeros((90, 120), bool)
    hole[60:80, 10:30] = True
    start = Scene("photo.png").without(Erased.make(hole, "telea"))
    return start.having(Placed(Drawing().add(line), "handbag", (50, 10, 64, 64), seed=3))


def test_a_scene_is_read_as_it_was_written() -> None:
    made = scene()
    again = Scene.from_json(made.to_json())
    assert again == made
    assert again.erased[0].mask().sum() == 400


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "edgegan-widget scene", "version": 2}'])
def test_what_is_no_scene_is_told(text: str) -> None:
    with pytest.raises(DataError, match="not a saved scene"):
        Scene.from_json(text)


def test_a_scene_is_composed_by_the_command(tmp_path: Path) -> None:
    photo = np.full((90, 120, 3), 120, np.uint8)
    photo[60:80, 10:30] = (255, 0, 0)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    (tmp_path / "scene.json").write_text(scene().to_json())
    assert main(["compose", str(tmp_path / "scene.json"), "--out", str(tmp_path / "out.png")]) == 0
    out = picture_rgb_u8(tmp_path / "out.png")
    assert (np.abs(out[64:76, 14:26].astype(int) - 120) < 20).all()
    assert (out[10:74, 50:114] != 120).any()
    assert (out[:8] == 120).all()
    assert main(["compose", str(tmp_path / "none.json"), "--out", str(tmp_path / "out.png")]) == 1


def placed(**more: Any) -> Placed:
    return Placed(Drawing(), "ball", (20, 10, 40, 40), **more)


def half_red() -> np.ndarray:
    """A picture whose left half is red and whose right half cannot be seen."""
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :8] = (255, 0, 0, 255)
    return rgba


@pytest.mark.parametrize(
    ("degrees", "mirrored", "red"),
    [(0, False, (25, 30)), (0, True, (55, 30)), (90, False, (40, 15)), (180, False, (55, 30)), (90, True, (40, 45))],
)
def test_objects_are_mirrored_and_then_turned_clockwise(degrees: float, mirrored: bool, red: tuple[int, int]) -> None:
    ground = np.full((60, 80, 3), 90, np.uint8)
    lay(ground, half_red(), placed(turned_degrees=degrees, mirrored=mirrored, fit=Fit(match_light=0.0)))
    x, y = red
    assert ground[y, x, 0] > 200
    assert (ground[60 - y, 80 - x] == 90).all(), "the other half cannot be seen"


def test_a_turned_picture_keeps_its_middle_and_size() -> None:
    shown, (x, y, width, height) = turned(half_red(), placed(turned_degrees=45))
    assert (x + width / 2, y + height / 2) == (pytest.approx(40, abs=1), pytest.approx(30, abs=1))
    assert width == height == pytest.approx(40 * 2**0.5, abs=1)
    covered = (shown[..., 3] > 128).sum() * (width * height) / shown[..., 3].size
    assert covered == pytest.approx(800, rel=0.1), "half of the box, as before"


def test_what_lies_outside_changes_nothing() -> None:
    ground = np.full((60, 80, 3), 90, np.uint8)
    assert lay(ground, half_red(), Placed(Drawing(), "ball", (500, 10, 40, 40))) is None
    assert (ground == 90).all()


def test_a_feather_goes_over_into_the_photo() -> None:
    photo = np.full((60, 80, 3), 100, np.uint8)
    photo[25:35, 30:50] = 200
    photo[:, ::2] += 20  # what a filling does not know
    mask = np.zeros((60, 80), bool)
    mask[22:38, 27:53] = True
    hard, soft = (fill(photo, Erased.make(mask, "telea", px)).astype(int) for px in (0, 8))
    assert (hard[10] == photo[10]).all()
    assert (soft[5] == photo[5]).all(), "beyond the feather"
    assert (soft[18, 30:50] != photo[18, 30:50]).any(), "within it"
    assert soft[30, 40].max() < 150


def test_scenes_of_the_first_version_are_read() -> None:
    made = Scene.from_json(
        '{"format": "edgegan-widget scene", "version": 1, "photo": "a.png", "erased": [], "placed": [{"strokes": [], '
        '"class": "ball", "box": [1, 2, 3, 4], "seed": null, "style": null, "model": "default"}]}'
    )
    assert made.placed[0] == Placed(Drawing(), "ball", (1, 2, 3, 4))
    assert (made.ground, made.photo_file) == ("photo", b"")
    with pytest.raises(DataError, match="not a saved scene"):
        Scene.from_json(made.to_json().replace('"ground": "photo"', '"ground": "no colour"'))


def test_a_scene_keeps_photo_ground_and_how_objects_stand() -> None:
    one = placed(turned_degrees=30.0, mirrored=True, name="mine", hidden=True, closeness=0.5, fit=Fit(shadow=0.7))
    made = Scene("a.png", placed=(one,), ground="#102030", photo_file=b"a photo")
    assert Scene.from_json(made.to_json()) == made
    assert Scene.from_json(made.to_json(with_photo=False)) == dataclasses.replace(made, photo_file=b"")
