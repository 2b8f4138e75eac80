"""What is under a click, within a line, below a brush."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.photo.choosing import box_between, brushed, enclosed, under_click
from edgegan_widget.photo.sample import sample_photo

SHAPE = (40, 60)


def test_a_line_encloses_a_brush_covers_and_a_box_spans() -> None:
    triangle = enclosed([(10, 5), (30, 5), (10, 25)], SHAPE)
    assert triangle[8, 12]
    assert not triangle[20, 25]
    line = brushed([(10, 20), (50, 20)], 8, SHAPE)
    assert line[17:24, 10:50].all()
    assert not line[10].any()
    assert brushed([(10, 20)], 8, SHAPE).sum() == pytest.approx(np.pi * 16, rel=0.3), "a dot is round"
    box = box_between([(40, 30), (20, 35), (-5, 10)], SHAPE)
    assert box.sum() == 41 * 26


@pytest.mark.parametrize("choose", [enclosed, box_between])
def test_places_that_are_no_numbers_choose_nothing_wild(choose: object) -> None:
    assert choose([(float("nan"), 0), (1e9, 0), (0, float("inf"))], SHAPE).shape == SHAPE  # type: ignore[operator]


def test_a_click_on_the_ground_takes_what_looks_like_it_there() -> None:
    photo = sample_photo()
    sky = under_click(photo, 700, 40)
    assert sky[40, 700]
    assert not sky[400:].any(), "no meadow"
    horse = under_click(photo, 380, 420)
    assert 0.04 < horse.mean() < 0.09
    assert not (horse & sky).any()


def test_the_sample_photo_is_the_same_each_time() -> None:
    photo = sample_photo()
    assert (photo.shape, photo.dtype) == ((640, 960, 3), np.uint8)
    assert np.array_equal(photo, sample_photo())
