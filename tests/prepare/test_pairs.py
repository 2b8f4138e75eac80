"""Pairs as people have them: the drawing in either half, black on white or white on black, or in no half at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from edgegan_widget.app.cli import main

SIDE = 128


def shoe(colour: tuple[int, int, int] | None) -> Image.Image:
    """A box with a window: filled, or only drawn."""
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((20, 30, 100, 100), 12, colour, "black", 2)
    draw.ellipse((45, 50, 75, 80), "yellow" if colour else None, "black", 2)
    return picture


EDGE, PHOTO, OTHER = shoe(None), shoe((160, 60, 40)), shoe((40, 60, 160))


def prepared(tmp_path: Path, *pairs: tuple[Image.Image, Image.Image]) -> list[np.ndarray]:
    """What is made of pairs: uint8 [H, 2H, 3] each."""
    folder = tmp_path / "in" / "train" / "shoe"
    folder.mkdir(parents=True)
    for number, (left, right) in enumerate(pairs):
        joined = np.concatenate([np.asarray(left), np.asarray(right)], axis=1)
        Image.fromarray(joined).save(folder / f"{number}.png")
    command = ["data", "from-pairs", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main([*command, "--val-share", "0", "--keep-refused"]) == 0
    made = sorted((tmp_path / "out" / "train" / "shoe").iterdir())
    return [np.asarray(Image.open(path).convert("RGB")) for path in made]


@pytest.mark.parametrize(
    "pairs",
    [[(EDGE, PHOTO)], [(PHOTO, EDGE)], [(ImageOps.invert(EDGE), PHOTO)], [(PHOTO, ImageOps.invert(EDGE))],
     [(EDGE, PHOTO), (OTHER, EDGE), (EDGE, OTHER)]],
    ids=["left", "right", "white on black", "white on black, right", "some left, some right"],
)  # fmt: skip
def test_the_drawing_is_the_edge_map_whichever_half_it_is_in(
    pairs: list[tuple[Image.Image, Image.Image]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for made in prepared(tmp_path, *pairs):
        side = made.shape[0]
        edge, photo = made[:, :side].astype(int), made[:, side:].astype(int)
        assert np.ptp(edge, axis=2).max() < 20, "black lines"
        assert np.median(edge) > 230, "on white paper"
        assert np.ptp(photo, axis=2).max() > 100, "a coloured thing"
    mixed = "the drawing is in the left half of some pairs and in the right of others" in capsys.readouterr().out
    assert mixed == (len(pairs) > 1)


def test_pairs_without_a_drawing_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared(tmp_path, (PHOTO, OTHER), (OTHER, PHOTO))
    told = capsys.readouterr().out
    assert "in 2 of the 2 pairs that were looked at neither half is a drawing; the left ones were taken" in told
