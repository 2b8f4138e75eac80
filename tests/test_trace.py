from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.sketch.trace import read_drawing, read_sketch, sketch_from_picture, trace


def picture(width: int, side: int = 128, ink: int = 0, paper: int = 255) -> np.ndarray:
    image = Image.new("L", (side, side), paper)
    draw = ImageDraw.Draw(image)
    draw.ellipse((side * 0.2, side * 0.3, side * 0.8, side * 0.7), outline=ink, width=width)
    draw.line((side * 0.5, side * 0.3, side * 0.5, side * 0.7), fill=ink, width=width)
    return np.asarray(image)


def ink_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance in pixels from ink in a to the nearest ink in b."""
    here, there = np.argwhere(a < 128), np.argwhere(b < 128)
    return float(np.sqrt(((here[:, None] - there[None]) ** 2).sum(-1)).min(axis=1).mean())


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 170)])
def test_tracing_finds_the_lines_whatever_their_width_and_shade(width: int, ink: int, paper: int) -> None:
    traced = rasterize(trace(picture(width, ink=ink, paper=paper)), 128)
    wanted = picture(2)
    assert ink_distance(traced, wanted) < 2.5
    assert ink_distance(wanted, traced) < 2.5


@pytest.mark.parametrize("width", [1, 4])
def test_the_sketch_does_not_depend_on_the_lines_width(width: int) -> None:
    ink = [255 - sketch_from_picture(picture(line), 64).astype(float) for line in (width, 2)]
    assert ink[0].sum() == pytest.approx(ink[1].sum(), rel=0.15)


def test_a_wide_picture_keeps_its_proportions() -> None:
    wide = np.full((60, 240), 255, np.uint8)
    wide[29:31, 20:220] = 0
    left, right = trace(wide).bounds()
    assert right[0] - left[0] == pytest.approx(200 / 240, abs=0.02)
    assert (left[1] + right[1]) / 2 == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_picture_without_lines_is_refused(grey: int) -> None:
    with pytest.raises(DataError, match="shows no lines"):
        trace(np.full((80, 80, 3), grey, np.uint8))


def test_a_sketch_of_the_right_size_is_taken_as_it_is() -> None:
    given = picture(2, side=64, ink=100, paper=200)
    sketch = sketch_from_picture(given, 64)
    assert np.array_equal(sketch, np.where(given == 100, 0, 255))  # stretched to the full range, as the original does


def test_a_loop_is_closed_and_crossings_meet() -> None:
    sketch = rasterize(trace(picture(2)), 128)
    ink_parts, _ = cv2.connectedComponents((sketch < 128).astype(np.uint8))
    paper_parts, _ = cv2.connectedComponents((sketch >= 128).astype(np.uint8), connectivity=4)
    assert ink_parts - 1 == 1, "the lines fall apart"
    assert paper_parts - 1 == 3, "the outside and the two halves of the ellipse"


def test_drawings_are_read_by_their_name(tmp_path: Path) -> None:
    drawing = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.8)], 0.02))
    assert read_drawing("a.json", drawing.to_json().encode()) == drawing
    assert read_drawing("a.SVG", drawing.to_svg().encode()) == drawing
    (tmp_path / "a.svg").write_text(drawing.to_svg())
    assert np.array_equal(read_sketch(tmp_path / "a.svg", 64), rasterize(drawing, fit=True))
    for name, content in (("b.json", b"{}"), ("b.png", b"none"), ("b.svg", b"<a/>")):
        with pytest.raises(DataError, match=name):
            read_drawing(name, content)


def test_real_sketches_are_traced(shared_data: Path) -> None:
    paths = sorted((shared_data / "sketches").rglob("*.png"))[::40]
    assert len(paths) > 10
    for path in paths:
        sketch = read_sketch(path, 64)
        assert 0.01 < (sketch < 128).mean() < 0.5, path
