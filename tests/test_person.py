from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.data.readers.synthetic import SYNTHETIC_CLASSES, draw_synthetic
from edgegan_widget.sketch.contours import lines_apart, paint
from edgegan_widget.sketch.hands.person import MOST, draw_as_person, person_lines
from edgegan_widget.sketch.raster import LINE_WIDTH, rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke


def cut_out(kind: str, number: int) -> np.ndarray:
    """One of the synthetic objects on white paper."""
    layers = draw_synthetic(kind, 0, number)
    alpha = layers[..., 3:].astype(float) / 255
    image = layers[..., :3] * alpha + 255 * (1 - alpha)
    return cv2.resize(image.round().astype(np.uint8), (128, 128), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def objects() -> list[np.ndarray]:
    return [cut_out(kind, number) for kind in SYNTHETIC_CLASSES for number in range(4)]


def ink(drawn: np.ndarray) -> float:
    return float((255 - drawn.astype(float)).sum() / 255)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance in pixels from the lines of each to the nearest of the other."""
    away = [cv2.distanceTransform((plane >= 128).astype(np.uint8), cv2.DIST_L2, 5) for plane in (one, other)]
    return float(away[0][other < 128].mean() + away[1][one < 128].mean()) / 2


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0, MOST])
def test_a_drawing_is_dark_lines_on_white(objects: list[np.ndarray], strength: float) -> None:
    for number, image in enumerate(objects):
        drawn = draw_as_person(image, number, strength=strength)
        assert drawn.shape == (64, 64)
        assert drawn.dtype == np.uint8
        assert drawn.max() == 255
        assert 30 < ink(drawn) < 0.4 * 64 * 64
    assert draw_as_person(objects[0], 0, 100).shape == (100, 100)


def test_the_same_seed_draws_the_same(objects: list[np.ndarray]) -> None:
    for image in objects[::5]:
        first, again, other = draw_as_person(image, 3), draw_as_person(image.copy(), 3), draw_as_person(image, 4)
        assert np.array_equal(first, again)
        assert (first != other).mean() > 0.01


def test_another_picture_meets_other_chance(objects: list[np.ndarray]) -> None:
    image = objects[0]
    nearly = image.copy()
    nearly[64, 64] ^= 1  # changes no line
    assert (draw_as_person(image, 3) != draw_as_person(nearly, 3)).mean() > 0.01


def test_more_strength_is_farther_from_the_contour(objects: list[np.ndarray]) -> None:
    clean = [draw_as_person(image, 0, strength=0) for image in objects]
    distances = [
        np.mean([apart(draw_as_person(image, seed, strength=strength), plain)
                 for image, plain in zip(objects, clean) for seed in range(3)])
        for strength in (0.0, 0.25, 0.5, 1.0, 2.0)
    ]  # fmt: skip
    assert distances[0] < 0.01
    assert (np.diff(distances) > 0).all(), distances


def test_without_strength_it_is_the_contour(objects: list[np.ndarray]) -> None:
    for image in objects[::5]:
        outlines, inner = lines_apart(image, 1.5, None, 128)
        contour = paint([(line + 0.5) / 2 - 0.5 for line in outlines + inner], (64, 64), LINE_WIDTH * 64)
        assert apart(draw_as_person(image, 9, strength=0), contour) < 0.5


def test_it_stays_where_the_object_is(objects: list[np.ndarray]) -> None:
    """Its box has the object's middle and longer side, within a line's width."""
    for number, image in enumerate(objects):
        boxes = [
            np.array([np.nonzero(plane.min(axis=axis) < 128)[0][[0, -1]] for axis in (0, 1)])
            for plane in (draw_as_person(image, number, strength=0), draw_as_person(image, number))
        ]
        middles, sides = [box.mean(axis=1) for box in boxes], [np.ptp(box, axis=1).max() for box in boxes]
        assert np.abs(middles[0] - middles[1]).max() < 2.5
        assert abs(sides[0] - sides[1]) < 4


def test_its_lines_are_as_wide_as_the_pads(objects: list[np.ndarray]) -> None:
    for number, image in enumerate(objects[::3]):
        strokes = [Stroke.make((line + 0.5) / 128, LINE_WIDTH) for line in person_lines(image, number)]
        on_the_pad = rasterize(Drawing(tuple(stroke for stroke in strokes if stroke is not None)))
        assert ink(draw_as_person(image, number)) == pytest.approx(ink(on_the_pad), rel=0.1)


def test_less_detail_is_fewer_lines(objects: list[np.ndarray]) -> None:
    counts = [sum(len(person_lines(image, 1, 0.5, detail)) for image in objects) for detail in (0.0, 1.0, 2.0)]
    assert counts[0] < counts[1] < counts[2]


def test_an_empty_page_and_a_photo_without_paper() -> None:
    assert (draw_as_person(np.full((128, 128, 3), 255, np.uint8), 0) == 255).all()
    assert (draw_as_person(np.full((96, 128, 3), 90, np.uint8), 0) == 255).all()
    full = np.full((128, 128, 3), 200, np.uint8)
    cv2.circle(full, (64, 64), 40, (20, 30, 90), -1)
    assert ink(draw_as_person(full, 0, strength=0)) > 50, "no silhouette, but the lines within"
    assert draw_as_person(full, 0).shape == (64, 64)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 2), (200, 90)])
def test_pictures_of_any_shape_are_drawn(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    for strength in (0.0, 1.0, MOST):
        assert draw_as_person(noise, 0, strength=strength).shape == (64, 64)


def test_a_high_picture_is_drawn_in_the_middle_of_a_square() -> None:
    image = np.full((200, 100, 3), 255, np.uint8)
    cv2.rectangle(image, (20, 20), (80, 180), (90, 40, 20), -1)
    columns = np.nonzero(draw_as_person(image, 0, strength=0).min(axis=0) < 128)[0]
    assert columns.mean() == pytest.approx(31.5, abs=1)
    assert np.ptp(columns) == pytest.approx(60 / 200 * 64, abs=2)


def test_what_cannot_be_drawn_is_refused() -> None:
    image = np.full((32, 32, 3), 255, np.uint8)
    with pytest.raises(ConfigError, match="strength is 9"):
        draw_as_person(image, 0, strength=9)
    with pytest.raises(ConfigError, match="size_px is 0"):
        draw_as_person(image, 0, 0)
    with pytest.raises(ConfigError, match="the seed is -1"):
        draw_as_person(image, -1)
    with pytest.raises(DataError, match=r"uint8 \[H, W, 3\]"):
        draw_as_person(image[..., 0], 0)
