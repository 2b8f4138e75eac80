"""``cut_out`` with the shipped network, and the command of that name."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.photo import cut_out
from edgegan_widget.photo.cut import alone, objection, with_alpha
from edgegan_widget.photo.refine import follow_edges, refine
from tests.photo.drawn import overlap, photo

Capture = pytest.CaptureFixture[str]


def test_what_stands_out_is_found_and_its_edge_is_soft() -> None:
    pixels, mask = photo()
    alpha = cut_out(pixels)
    assert alpha.shape == mask.shape
    assert alpha.dtype == np.float32
    assert overlap(alpha, mask) > 0.85
    assert ((alpha > 0) & (alpha < 1)).mean() > 0.002
    assert objection(alpha) == ""
    assert np.array_equal(alpha, cut_out(Image.fromarray(pixels)))


def test_refining_brings_a_coarse_mask_to_the_edge() -> None:
    pixels, mask = photo()
    coarse = np.asarray(Image.fromarray(mask).resize((20, 16), Image.Resampling.BOX), np.float32) / 255
    before = np.asarray(Image.fromarray(coarse).resize(mask.shape[::-1], Image.Resampling.BILINEAR))
    assert overlap(refine(pixels, coarse), mask) > overlap(before, mask) + 0.03


def test_holes_stay_open_and_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, mask = photo(1)
    pixels, mask = pixels.copy(), mask.copy()
    ys, xs = np.ogrid[:200, :240]
    hole = (ys - 100) ** 2 + (xs - 120) ** 2 < 14**2
    pixels[hole], mask[hole] = (150, 190, 225), 0
    rough = np.float32(mask / 255)
    whole = follow_edges(pixels, rough)
    assert whole[100, 120] < 0.2
    monkeypatch.setattr("edgegan_widget.photo.refine._TILE_PX", 64)
    assert np.abs(follow_edges(pixels, rough) - whole).max() < 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 5000), (5000, 1)])
def test_photos_of_no_use_give_an_alpha_all_the_same(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    alpha = cut_out(pixels)
    assert alpha.shape == shape
    assert np.isfinite(alpha).all()
    assert isinstance(objection(alpha), str)


def test_what_is_no_photo_is_one_sentence() -> None:
    for wrong in (np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(DataError, match=r"the photo (is|has) .*; give uint8"):
            cut_out(wrong)
    with pytest.raises(DataError, match="does not exist"):
        cut_out("nowhere.jpg")


def test_masks_are_judged() -> None:
    alpha = np.zeros((100, 100), np.float32)
    assert objection(alpha) == "nothing found that stands out"
    alpha[10:40, 10:40] = 1
    assert objection(alpha) == ""
    alpha[60:63, 60:63] = 1  # a speck is no object
    assert objection(alpha) == ""
    assert alone(alpha).sum() == 900
    alpha[60:90, 50:80] = 1
    assert objection(alpha) == "several objects found (2)"
    assert np.array_equal(alone(alpha), alpha)
    with pytest.raises(DataError, match="give one of that size"):
        with_alpha(np.zeros((4, 4, 3), np.uint8), alpha)


def _jpeg(image: Image.Image, **more: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95, **more)
    return stream.getvalue()


def test_the_command_writes_cut_outs_of_the_photos_size(tmp_path: Path, capsys: Capture) -> None:
    pixels, mask = photo()
    turned = Image.Exif()
    turned[0x0112] = 6  # stored lying; shown a quarter turn clockwise
    (tmp_path / "lying.jpg").write_bytes(_jpeg(Image.fromarray(np.rot90(pixels).copy()), exif=turned))
    (tmp_path / "cmyk.jpg").write_bytes(_jpeg(Image.fromarray(pixels).convert("CMYK")))
    Image.fromarray(pixels).save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (240, 200))])
    photos = [str(tmp_path / name) for name in ("lying.jpg", "cmyk.jpg", "moving.gif")]
    assert main(["cut-out", *photos, "--out", str(tmp_path / "out")]) == 0
    for name in ("lying", "cmyk", "moving"):
        with Image.open(tmp_path / "out" / f"{name}.png") as picture:
            assert (picture.mode, picture.size) == ("RGBA", (240, 200))
            rgba = np.asarray(picture)
        assert overlap(rgba[..., 3] / 255, mask) > 0.8
        assert not rgba[rgba[..., 3] == 0].any()
    assert "lying.png: 240x200" in capsys.readouterr().out


def test_the_command_names_what_it_leaves_out(tmp_path: Path, capsys: Capture) -> None:
    pixels, _ = photo()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels).save(tmp_path / folder / "same.png")
    Image.new("RGB", (80, 80), (120, 140, 120)).save(tmp_path / "empty.png")
    Image.new("1", (9000, 9000)).save(tmp_path / "bomb.png")
    (tmp_path / "torn.jpg").write_bytes(_jpeg(Image.fromarray(pixels))[:900])
    photos = [str(tmp_path / name) for name in ("a/same.png", "b/same.png", "empty.png", "bomb.png", "torn.jpg")]
    assert main(["cut-out", *photos, "--out", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr()
    for reason in (
        "same.png is of another photo", "empty.png: nothing found", "more than 64,000,000 pixels",
        "torn.jpg cannot be read",
    ):  # fmt: skip
        assert reason in shown.out
    assert "4 of 5 photos were not cut out" in shown.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["same.png"]
    assert main(["cut-out", str(tmp_path / "a" / "same.png"), "--out", str(tmp_path / "a")]) == 1
    assert "would be replaced by its own cut-out" in capsys.readouterr().out
