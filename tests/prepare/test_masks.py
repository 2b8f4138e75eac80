"""Masks as programs and people save them: each is the same ball, or is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.photo.masks import mask_picture
from tests.photo.mask_forms import FORMS, HEIGHT, WIDTH, ball, coloured, photo


@pytest.mark.parametrize("name", FORMS)
def test_each_form_of_a_mask_is_the_same_ball(name: str, tmp_path: Path) -> None:
    FORMS[name]().save(tmp_path / name)
    assert np.array_equal(mask_picture(tmp_path / name, WIDTH, HEIGHT), ball())


def test_one_the_other_way_round_is_told(tmp_path: Path) -> None:
    Image.fromarray(255 - ball()).save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"m\.png is object all around and none in the middle, .*; invert it\."):
        mask_picture(tmp_path / "m.png", WIDTH, HEIGHT)


def test_several_colours_are_named(tmp_path: Path) -> None:
    picture = coloured((128, 0, 0), (0, 0, 0))
    picture.paste((0, 128, 0), (40, 40, 60, 60))
    picture.save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"holds 2 classes \(values #008000, #800000\); give a mask of one object"):
        mask_picture(tmp_path / "m.png", WIDTH, HEIGHT)


@pytest.mark.parametrize("called", ["one.png", "one.PNG", "one.tif", "one_mask.png", "one-Mask.bmp", "one.jpg.png"])
def test_masks_are_found_by_their_photos_names(called: str, tmp_path: Path) -> None:
    for folder in ("cup", "masks/cup"):
        (tmp_path / folder).mkdir(parents=True)
    photo().save(tmp_path / "cup" / "one.jpg")
    Image.fromarray(ball()).save(tmp_path / "masks" / "cup" / called)
    (source,) = FolderReader(tmp_path)
    assert source.regions[0].mask == tmp_path / "masks" / "cup" / called


@pytest.mark.parametrize("upright", [True, False])
def test_a_mask_of_a_turned_photo_may_be_upright_or_as_stored(upright: bool, tmp_path: Path) -> None:
    for folder in ("cup", "masks/cup"):
        (tmp_path / "in" / folder).mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo().rotate(90, expand=True).save(tmp_path / "in" / "cup" / "one.jpg", exif=exif, quality=95)
    mask = Image.fromarray(ball())
    (mask if upright else mask.rotate(90, expand=True)).save(tmp_path / "in" / "masks" / "cup" / "one.png")
    command = ["data", "from-folder", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main([*command, "--val-share", "0"]) == 0
    (made,) = (tmp_path / "out" / "train" / "cup").iterdir()
    with Image.open(made) as cut:
        red, green, _, alpha = cut.convert("RGBA").getpixel((cut.width // 4, cut.height // 2))
    assert alpha == 255
    assert red > 2 * green, "the ball, not the wall"
