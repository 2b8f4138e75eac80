from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgegan_widget.evaluation.metrics.variety import colours, mean_colours
from edgegan_widget.evaluation.metrics.variety import overall_colours as overall


def thing(colour: tuple[int, int, int], side: int = 64) -> np.ndarray:
    picture = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(picture).ellipse((side // 4, side // 4, 3 * side // 4, 3 * side // 4), fill=colour)
    return np.asarray(picture)


def test_the_colour_is_the_object_s_and_not_the_paper_s() -> None:
    # scikit-image's rgb2lab: red (255, 0, 0) is (53.24, 80.09, 67.20), grey 119 is (50.03, 0, 0)
    found = mean_colours(np.stack([thing((255, 0, 0)), thing((119, 119, 119))]))
    assert found[0] == pytest.approx((53.24, 80.09, 67.20), abs=0.3)
    assert found[1] == pytest.approx((50.03, 0, 0), abs=0.3)
    assert mean_colours(thing((255, 0, 0), 128)[None])[0] == pytest.approx(found[0], abs=0.1), "at any size"
    assert np.isnan(mean_colours(np.full((1, 64, 64, 3), 255, np.uint8))).all()
    assert mean_colours(np.empty((0, 64, 64, 3), np.uint8)).shape == (0, 3)


def test_one_colour_and_as_many_as_reality_has() -> None:
    random = np.random.default_rng(3)
    spread = np.array([20.0, 10.0, 5.0])
    real = random.normal(size=(400, 3)) * spread
    labels = np.arange(400) % 2
    many = random.normal(size=(60, 8, 3)) * spread + random.normal(size=(60, 1, 3)) * 100
    found = colours(real, many, labels, np.arange(60) % 2, 3)
    assert set(found) == {0, 1}
    assert found[0].real == pytest.approx(np.sqrt((spread**2).sum()), rel=0.1)
    assert overall(found) == pytest.approx(1, abs=0.1), "what drawings differ by does not count"
    single = np.repeat(many[:, :1], 8, axis=1)
    assert overall(colours(real, single, labels, np.arange(60) % 2, 3)) == pytest.approx(0)


def test_what_has_no_colour_is_left_out() -> None:
    real = np.array([[0.0, 0, 0], [2, 0, 0], [5, 5, 5], [5, 5, 5], [1, 1, 1]])
    drawn = np.array([[[0.0, 0, 0], [1, 0, 0], [np.nan] * 3], [[np.nan] * 3] * 3, [[1.0, 2, 3], [2, 3, 4], [3, 4, 5]]])
    found = colours(real, drawn, [0, 0, 1, 1, 2], [0, 0, 1], 3)
    assert set(found) == {0}, "class 1 has one real colour, class 2 one real picture"
    assert found[0].ratio == pytest.approx(0.5)
    assert np.isnan(overall({}))
