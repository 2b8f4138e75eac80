"""Pairs as people have them: the drawing in either half, black on white or white on black, or in no half at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from edgegan_widget.app.cli import main
from edgegan_widget.sketch.pairs import halves, has_shape

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


def tinted(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> Image.Image:
    """The drawing in other colours."""
    share = np.asarray(EDGE.convert("L"))[..., None] / 255
    return Image.fromarray((share * paper + (1 - share) * ink).astype(np.uint8))


def joined(*parts: Image.Image, tall: bool = False, gap: int = 0, frame: int = 0, colour: str = "white") -> Image.Image:
    """Pictures beside or above each other, with a gap between them and a frame around all."""
    size = np.array([SIDE, SIDE]) * ((1, len(parts)) if tall else (len(parts), 1))
    size[int(tall)] += gap
    whole = Image.new("RGB", tuple(int(each) for each in size + 2 * frame), colour)
    for number, part in enumerate(parts):
        offset = frame + number * (SIDE + gap)
        whole.paste(part, (frame, offset) if tall else (offset, frame))
    return whole


@pytest.mark.parametrize(
    "pair",
    [
        joined(tinted((20, 40, 200), (255, 255, 255)), PHOTO),
        joined(PHOTO, tinted((200, 20, 20), (255, 255, 255))),
        joined(tinted((40, 40, 40), (190, 190, 190)), PHOTO),
        joined(tinted((10, 10, 10), (255, 242, 217)), PHOTO),
        joined(tinted((255, 255, 255), (30, 60, 160)), PHOTO),
        joined(EDGE, PHOTO, tall=True),
        joined(PHOTO, EDGE, tall=True),
        joined(EDGE, PHOTO, gap=4),
        joined(EDGE, PHOTO, gap=2, colour="black"),
        joined(EDGE, PHOTO, gap=2, frame=2, colour="black"),
        joined(PHOTO, EDGE, gap=2, frame=2, tall=True),
        joined(EDGE, PHOTO).resize((257, 128)),
        joined(EDGE, PHOTO).resize((255, 128)),
    ],
    ids=["blue", "red, right", "grey paper", "cream paper", "blueprint", "above", "below", "gap", "black gap", "frame",
         "frame, below", "a pixel more", "a pixel less"],
)  # fmt: skip
def test_pairs_in_other_colours_and_with_gaps(pair: Image.Image) -> None:
    assert has_shape(pair)
    parted = halves(pair)
    assert parted is not None
    edge, photo = (np.asarray(half.convert("RGB")).astype(int) for half in parted)
    assert edge.shape == photo.shape
    assert abs(edge.shape[0] - edge.shape[1]) <= 1
    assert np.ptp(edge, axis=2).max() < 30, "lines without colour"
    assert np.median(edge) > 230, "on white paper"
    assert edge.min() < 100, "dark"
    assert np.ptp(photo, axis=2).max() > 100, "a coloured thing"


def bird() -> Image.Image:
    """A cut-out twice as high as wide, whose lower half is nothing but legs."""
    picture = Image.new("RGB", (SIDE, 2 * SIDE), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((24, 20, 104, 120), (220, 90, 120), (120, 30, 50), 3)
    for left in (54, 74):
        draw.line((left, 116, left, 240), (90, 70, 70), 2)
    return picture


@pytest.mark.parametrize(
    "picture",
    [bird(), joined(PHOTO, OTHER, tall=True), joined(EDGE, EDGE, tall=True), joined(EDGE, PHOTO, EDGE), PHOTO,
     joined(EDGE, PHOTO).resize((300, 128))],
    ids=["bird", "no drawing", "two drawings", "three", "square", "stretched"],
)  # fmt: skip
def test_what_is_no_pair(picture: Image.Image) -> None:
    assert halves(picture) is None


def test_what_is_no_pair_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in" / "train" / "shoe"
    folder.mkdir(parents=True)
    joined(EDGE, PHOTO, EDGE).save(folder / "0.png")
    scene = Image.fromarray(np.tile(np.linspace(60, 200, SIDE).astype(np.uint8)[:, None, None], (1, SIDE, 3)))
    joined(EDGE, scene).save(folder / "1.png")
    command = ["data", "from-pairs", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main([*command, "--keep-refused"]) == 1
    told = capsys.readouterr().out
    assert "is 384x128 pixels; a pair is two squares" in told
    assert "edgegan-widget train takes pairs with a background as they are" in told
