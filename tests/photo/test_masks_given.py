"""Masks in every form and every place, given to what takes photos with masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.photo.beside import photos_with_masks
from edgegan_widget.photo.erase import as_mask, erase
from tests.photo.mask_forms import FORMS, ball, coloured, photo


@pytest.mark.parametrize("name", FORMS)
def test_erasing_takes_each_form(name: str, tmp_path: Path) -> None:
    FORMS[name]().save(tmp_path / name)
    pixels = np.asarray(photo())
    assert np.array_equal(as_mask(tmp_path / name, pixels), ball() > 0)
    filled = erase(pixels, tmp_path / name, "telea")
    red = (filled[..., 0].astype(int) - filled[..., 1]) > 60
    assert not red.any(), "the ball is gone"


def test_erasing_all_around_is_allowed(tmp_path: Path) -> None:
    Image.fromarray(255 - ball()).save(tmp_path / "m.png")
    assert np.array_equal(as_mask(tmp_path / "m.png", np.asarray(photo())), ball() == 0)


def test_a_mask_of_several_classes_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = coloured((128, 0, 0), (0, 0, 0))
    picture.paste((0, 128, 0), (40, 40, 60, 60))
    picture.save(tmp_path / "m.png")
    photo().save(tmp_path / "p.png")
    command = ["erase", str(tmp_path / "p.png"), "--mask", str(tmp_path / "m.png"), "--out", str(tmp_path / "o.png")]
    assert main(command) == 1
    assert "holds 2 classes" in capsys.readouterr().err
    assert not (tmp_path / "o.png").exists()


@pytest.mark.parametrize("name", FORMS)
def test_training_to_cut_out_takes_each_form(name: str, tmp_path: Path) -> None:
    pairs = pytest.importorskip("edgegan_widget.training.cutout.pairs", reason="PyTorch is not installed")
    photo().save(tmp_path / "p.jpg")
    FORMS[name]().save(tmp_path / name)
    photo_u8, mask_u8 = pairs.Pair(tmp_path / "p.jpg", tmp_path / name).read()
    assert photo_u8.shape[:2] == mask_u8.shape
    assert np.array_equal(mask_u8, ball())


LAYOUTS: dict[str, Callable[[int], tuple[str, str]]] = {
    "beside": lambda n: (f"{n}.jpg", f"{n}.png"),
    "capitals": lambda n: (f"{n}.JPG", f"{n}.PNG"),
    "called so": lambda n: (f"{n}.png", f"{n}_mask.png"),
    "called so, other kinds": lambda n: (f"{n}.jpg", f"{n}-Mask.bmp"),
    "folders": lambda n: (f"images/{n}.jpg", f"masks/{n}.png"),
    "folders as DUTS has them": lambda n: (f"DUTS-TR-Image/{n}.jpg", f"DUTS-TR-Mask/{n}.png"),
    "ground truth": lambda n: (f"im/{n}.png", f"GT/{n}.png"),
    "masks below the photos": lambda n: (f"{n}.jpg", f"masks/{n}.tif"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_photos_and_masks_are_found(layout: str, tmp_path: Path) -> None:
    for number in range(3):
        for name, picture in zip(LAYOUTS[layout](number), (photo(), Image.fromarray(ball()))):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            picture.save(tmp_path / name)
    found, alone = photos_with_masks(tmp_path)
    wanted = [LAYOUTS[layout](number) for number in range(3)]
    assert found == {tmp_path / a: tmp_path / b for a, b in wanted}
    assert alone == []


def test_pictures_without_a_partner_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pairs = pytest.importorskip("edgegan_widget.training.cutout.pairs", reason="PyTorch is not installed")
    for name in ("0.jpg", "1.jpg", "2.jpg", "3.jpg"):
        photo().save(tmp_path / name)
    for name in ("0.png", "1_mask.png", "2.png", "other.png"):
        Image.fromarray(ball()).save(tmp_path / name)
    learned, kept = pairs.find_pairs(tmp_path, 1)
    assert [pair.photo.name for pair in (*learned, *kept)] == ["0.jpg", "1.jpg", "2.jpg"]
    assert "2 pictures without a partner are left out (3.jpg, other.png)" in caplog.text
    with pytest.raises(DataError, match="holds 3 photos with masks, of which 2 are to be kept"):
        pairs.find_pairs(tmp_path, 2)
