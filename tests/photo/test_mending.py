"""Strokes on a mask: they count where they are and as far as colours reach, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.photo import mend
from tests.benchmarks.photo import person_strokes
from tests.photo.drawn import overlap, photo


def test_a_short_stroke_brings_back_a_part_that_is_missing() -> None:
    pixels, mask = photo()
    alpha = np.float32(mask / 255)
    alpha[:, 150:] = 0  # the head and the front legs are gone
    stroke = np.zeros(mask.shape, bool)
    stroke[98:104, 140:170] = True
    mended = mend(pixels, alpha, keep=stroke)
    assert overlap(mended, mask) > overlap(alpha, mask) + 0.1
    assert mended[stroke].min() == 1
    assert np.array_equal(mended[:, :70], alpha[:, :70])


def test_a_stroke_takes_away_what_does_not_belong() -> None:
    pixels, mask = photo()
    alpha = np.float32(mask / 255)
    alpha[10:60, 10:80] = 1  # a piece of sky
    stroke = np.zeros(mask.shape, bool)
    stroke[30:40, 20:70] = True
    mended = mend(pixels, alpha, take_away=stroke)
    assert mended[10:60, 10:80].mean() < 0.1
    assert overlap(mended, mask) > 0.93


def test_three_strokes_of_a_person_mend_a_bad_mask() -> None:
    pixels, mask = photo(2)
    alpha = np.zeros(mask.shape, np.float32)
    alpha[60:110, 60:170] = 1
    assert overlap(alpha, mask) < 0.65
    for _ in range(3):
        drawn = person_strokes(alpha >= 0.5, mask >= 128)
        assert drawn is not None
        alpha = mend(pixels, alpha, **drawn)
    assert overlap(alpha, mask) > 0.9


def test_it_is_a_function_of_what_it_is_given() -> None:
    pixels, mask = photo()
    alpha = np.float32(mask / 255)
    assert np.array_equal(mend(pixels, alpha), alpha)
    both = np.zeros(mask.shape, np.uint8)
    both[100, 100:140] = 255
    given = (pixels.copy(), alpha.copy(), both.copy())
    found = mend(pixels, alpha, keep=both, take_away=both)
    assert found[both > 0].max() == 0  # taking away wins
    assert np.array_equal(found, mend(pixels, alpha, keep=both, take_away=both))
    assert all(np.array_equal(one, other) for one, other in zip(given, (pixels, alpha, both)))


def test_tiny_photos_can_be_mended_too() -> None:
    for shape in ((1, 1), (3, 3), (1, 500)):
        stroke = np.ones(shape, bool)
        pixels = np.zeros((*shape, 3), np.uint8)
        assert mend(pixels, np.zeros(shape, np.float32), keep=stroke).min() == 1


def test_what_does_not_fit_is_one_sentence() -> None:
    pixels, mask = photo()
    alpha = np.float32(mask / 255)
    for wrong, about in (
        ({"alpha": mask}, "give float"),
        ({"alpha": alpha * 2}, "values from 0 to 2; they must be from 0 to 1"),
        ({"alpha": alpha[1:]}, "give float"),
        ({"keep": np.zeros((2, 2), bool)}, "keep is bool .* true where a stroke is"),
        ({"take_away": alpha}, "take_away is float32"),
    ):
        with pytest.raises(DataError, match=about):
            mend(**{"image": pixels, "alpha": alpha} | wrong)
