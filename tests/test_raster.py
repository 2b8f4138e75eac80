from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegan_widget.sketch.raster import LINE_WIDTH, WIDEST_LINE, Rasterizer, rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke

anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


def drawn(*strokes: Stroke | None) -> Drawing:
    drawing = Drawing()
    for stroke in strokes:
        drawing = drawing.add(stroke)
    return drawing


def ink(sketch: np.ndarray) -> float:
    """Area of ink, in whole pixels."""
    return float((255 - sketch.astype(float)).sum() / 255)


def test_nothing_drawn_is_white_paper() -> None:
    assert (rasterize(Drawing()) == 255).all()
    assert rasterize(Drawing()).shape == (64, 64)


@pytest.mark.parametrize("size", [64, 128, 256])
def test_a_line_lies_where_it_was_drawn_and_is_as_wide(size: int) -> None:
    sketch = rasterize(drawn(Stroke.make([(0.25, 0.5), (0.75, 0.5)], LINE_WIDTH)), size)
    weight = 255 - sketch.astype(float)
    middles = [(weight.sum(axis=axis) @ (np.arange(size) + 0.5)) / weight.sum() for axis in (0, 1)]
    assert middles == [pytest.approx(size / 2, abs=0.2)] * 2
    width = ink(sketch[:, size // 2 : size // 2 + 1])
    assert width == pytest.approx(LINE_WIDTH * size, abs=0.25)


def test_a_dot_is_seen() -> None:
    sketch = rasterize(drawn(Stroke.make([(0.5, 0.5)], 0.04)))
    assert ink(sketch) == pytest.approx(np.pi * (WIDEST_LINE * 64 / 2) ** 2, rel=0.3)


def test_lines_keep_to_the_widths_of_training() -> None:
    def width(given: float) -> float:
        return ink(rasterize(drawn(Stroke.make([(0.1, 0.5), (0.9, 0.5)], given)))[:, 32:33])

    assert width(0.001) == pytest.approx(LINE_WIDTH * 64, abs=0.2)
    assert width(0.5) == pytest.approx(WIDEST_LINE * 64, abs=0.2)


def test_a_light_touch_is_thinner_and_visible() -> None:
    def width(pressure: float) -> float:
        return ink(rasterize(drawn(Stroke.make([(0.1, 0.5, 0, pressure), (0.9, 0.5, 1, pressure)], 0.03)))[:, 32:33])

    assert 0.4 < width(0.0) / width(1.0) < 0.6


def test_pressure_that_changes_leaves_no_gap() -> None:
    points = [(0.1 + 0.8 * i / 40, 0.5, i, 0.5 + 0.5 * np.sin(i)) for i in range(41)]
    sketch = rasterize(drawn(Stroke.make(points, 0.03)))
    assert (sketch[:, 8:56].min(axis=0) < 140).all()


def test_the_eraser_takes_ink_away() -> None:
    pen = Stroke.make([(0.1, 0.5), (0.9, 0.5)], 0.03)
    rubber = Stroke.make([(0.5, 0.4), (0.5, 0.6)], 0.2, "eraser")
    sketch = rasterize(drawn(pen, rubber))
    assert sketch[32, 32] == 255
    assert sketch[32, 10] < 100


@given(st.lists(st.tuples(anything, anything), max_size=30), st.booleans())
@settings(max_examples=200)
def test_any_input_is_survived(points: list[tuple[float, float]], fit: bool) -> None:
    sketch = rasterize(drawn(Stroke.make(points, 0.02)), fit=fit)
    assert sketch.shape == (64, 64)
    assert sketch.dtype == np.uint8


def test_a_hundred_thousand_points() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(0, 0.003, (100_000, 2)), axis=0) % 1
    assert ink(rasterize(drawn(Stroke.make(walk, 0.02)))) > 1000


@given(st.lists(st.tuples(st.floats(-0.2, 1.2), st.floats(-0.2, 1.2)), min_size=2, max_size=25))
@settings(max_examples=100)
def test_drawing_bit_by_bit_gives_the_same_sketch(points: list[tuple[float, float]]) -> None:
    stroke = Stroke.make(points, 0.02)
    assert stroke is not None
    raster = Rasterizer()
    for end in range(2, len(stroke) + 1):
        part = Stroke.make(stroke.points[end - 2 : end], 0.02)
        raster.draw(part)
    difference = np.abs(raster.sketch().astype(int) - rasterize(drawn(stroke)))
    assert difference.max() <= 64  # the caps of a line and a lone dot differ by a fraction of a pixel
    assert difference.mean() < 0.5


def test_a_stroke_can_be_continued() -> None:
    stroke = Stroke.make([(0.1, 0.1), (0.5, 0.9), (0.9, 0.1)], 0.02)
    raster = Rasterizer()
    raster.draw(Stroke.make(stroke.points[:2], 0.02))
    raster.draw(stroke, first=1)
    assert np.array_equal(raster.sketch(), rasterize(drawn(stroke)))
    raster.clear()
    assert (raster.sketch() == 255).all()


def test_fitting_fills_the_frame_to_the_margin_of_training() -> None:
    corner = drawn(Stroke.make([(0.05, 0.05), (0.2, 0.05), (0.2, 0.1)], 0.02))
    columns = np.nonzero((rasterize(corner, fit=True) < 128).any(axis=0))[0]
    assert columns[0] == pytest.approx(3, abs=1)
    assert columns[-1] == pytest.approx(60, abs=1)
