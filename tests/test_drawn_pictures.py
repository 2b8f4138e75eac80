"""Known drawings as people scan, photograph and export them come back as they were drawn."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.sketch.trace import sketch_of
from tests.drawn_pictures import DRAWINGS, SHOE, TURNED, Sheet, likeness, lit, lying, page_of, photo_of, png_of, truth
from tests.drawn_pictures import PICTURES as PLAIN
from tests.taken_pictures import PICTURES as TAKEN

PICTURES = PLAIN | TAKEN


@functools.cache
def measured(kind: str) -> tuple[float, float]:
    drawing, make = PICTURES[kind]
    return likeness(sketch_of("a.picture", make(drawing), 64, told="a picture"), truth(drawing))


@pytest.mark.parametrize("kind", PICTURES)
def test_the_lines_are_found_and_nothing_else(kind: str) -> None:
    assert min(measured(kind)) > 0.75


def test_they_are_found_in_the_mean() -> None:
    assert len(PICTURES) >= 40
    precision, recall = np.mean([measured(kind) for kind in PICTURES], axis=0)
    assert precision > 0.9
    assert recall > 0.9


def filled(shade: int, paper: int, side: int = 600) -> bytes:
    """The first line of the shoe as a silhouette."""
    page = np.full((side, side), paper, np.uint8)
    cv2.fillPoly(page, [(np.array(SHOE[0]) * 0.9 * side + 0.05 * side).astype(np.int32)], shade)
    return png_of(page)


@pytest.mark.parametrize(("shade", "paper"), [(0, 255), (255, 0), (90, 240)])
def test_a_silhouette_is_its_outline(shade: int, paper: int) -> None:
    outline = Stroke.make(SHOE[0], 0.02)
    assert outline is not None
    sketch = sketch_of("a.png", filled(shade, paper), 64, told="a picture")
    assert min(likeness(sketch, rasterize(Drawing((outline,)), fit=True))) > 0.95


def blank(kind: str) -> bytes:
    sheet = Sheet(np.zeros((700, 800), np.float32), np.random.default_rng(3))
    if kind == "on a table":
        return lying(Sheet(np.zeros((600, 560), np.float32), sheet.random), TURNED, 0.25)
    return photo_of(page_of(sheet) * lit(kind, sheet.shape), sheet.random)


@pytest.mark.parametrize(
    "kind",
    ["gradient", "corner", "shadow", "soft shadow", "hand", "two", "dim", "bars", "lamp", "vignette", "on a table"],
)
def test_a_blank_sheet_is_no_drawing(kind: str) -> None:
    with pytest.raises(DataError, match="shows no lines"):
        sketch_of("a.jpg", blank(kind), 64, told="a picture")


def test_the_measure_tells_drawings_apart() -> None:
    for name in DRAWINGS:
        others = [min(likeness(truth(name), truth(other))) for other in DRAWINGS if other != name]
        assert max(others) < 0.75
        assert likeness(truth(name), truth(name)) == (1, 1)
    assert likeness(np.full((64, 64), 255, np.uint8), truth("shoe")) == (0, 0)


def test_real_sketches_are_traced_as_ever(shared_data: Path) -> None:
    """Clean drawings need no light evened out: their paper is plain."""
    from edgegan_widget.base.pictures import picture_rgb_u8
    from edgegan_widget.sketch.paper.page import is_plain

    paths = sorted((shared_data / "sketches").rglob("*.png"))[::30]
    assert sum(is_plain(picture_rgb_u8(path)) for path in paths) >= 0.99 * len(paths)
