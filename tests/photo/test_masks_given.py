"""Masks in every form and every place, given to what takes photos with masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.photo.beside import photos_with_masks
from edgegan_widget.photo.erase import as_mask, erase
from tests.photo.mask_forms import FORMS, LOSSY, ball, coloured, photo


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


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_files_and_soft_edges_make_no_classes(name: str, tmp_path: Path) -> None:
    LOSSY[name]().save(tmp_path / name)
    found = as_mask(tmp_path / name, np.asarray(photo()))
    assert (found != (ball() > 0)).mean() < 0.03


@pytest.mark.parametrize(
    ("picture", "told"),
    [(photo(), "holds 3 classes"), (photo().convert("L"), "a picture of many shades and no mask"),
     (Image.effect_mandelbrot((120, 90), (-2, -1, 1, 1), 9).convert("RGB").quantize(200), "classes")],
    ids=["photo", "grey photo", "palette of a picture"],
)  # fmt: skip
def test_a_picture_is_no_mask(picture: Image.Image, told: str, tmp_path: Path) -> None:
    picture.save(tmp_path / "m.png")
    with pytest.raises(DataError, match=told):
        as_mask(tmp_path / "m.png", np.asarray(photo()))


def test_several_classes_in_a_lossy_file_are_told(tmp_path: Path) -> None:
    shades, colours = Image.fromarray((ball() > 0) * np.uint8(90)), coloured((128, 0, 0), (0, 0, 0))
    shades.paste(40, (5, 5, 25, 25))
    colours.paste((0, 160, 0), (5, 5, 25, 25))
    for picture, told in ((shades, "several classes, or none, in a lossy file"), (colours, "holds 2 classes")):
        picture.save(tmp_path / "m.jpg", quality=80)
        with pytest.raises(DataError, match=told):
            as_mask(tmp_path / "m.jpg", np.asarray(photo()))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_mask_of_the_pixels_as_stored_is_turned_with_its_photo(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo().save(tmp_path / "p.jpg", quality=95, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(tmp_path / "p.jpg"))
    for name, mask in (("as stored", ball()), ("upright", turned(orientation))):
        if name == "as stored" and orientation < 5:
            continue  # of the same size either way: it is taken for the upright one's
        Image.fromarray(mask).save(tmp_path / "m.png")
        command = ["erase", str(tmp_path / "p.jpg"), "--mask", str(tmp_path / "m.png"), "--method", "telea"]
        assert main([*command, "--out", str(tmp_path / "o.png")]) == 0
        filled = np.asarray(Image.open(tmp_path / "o.png"))
        assert filled.shape[1::-1] == upright.size
        assert not ((filled[..., 0].astype(int) - filled[..., 1]) > 70).any(), name


def turned(orientation: int) -> np.ndarray:
    """The ball as it is seen upright."""
    stored = Image.fromarray(ball())
    stored.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(stored))


def test_masks_the_wrong_way_round_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pairs = pytest.importorskip("edgegan_widget.training.cutout.pairs", reason="PyTorch is not installed")
    for number in range(3):
        photo().save(tmp_path / f"{number}.jpg")
        Image.fromarray(255 - ball()).save(tmp_path / f"{number}.png")
    as_mask(tmp_path / "0.png", np.asarray(photo()))
    assert "marks all around and leaves out the middle; invert it" in caplog.text
    learned, _ = pairs.find_pairs(tmp_path, 1)
    with pytest.raises(DataError, match=r"2 of 2 masks are object all around .*; invert them"):
        list(pairs.keep_small(learned, 32, tmp_path / "small.npy"))
    assert not (tmp_path / "small.npy").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "it is empty"), (bytes(99), "nothing but zeros"), (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
     (b"\n<!DOCTYPE html><html>", "an HTML page"), (b"PK\3\4....", "a ZIP archive"), (b"gimp xcf v011", "GIMP")],
)  # fmt: skip
def test_what_is_no_picture_is_told_by_what_it_is(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(content)
    with pytest.raises(DataError, match=told):
        as_mask(tmp_path / "m.png", np.asarray(photo()))


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
