"""Differences of distances between sets: the value is that of the plain distances, the interval that of repetitions."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.base.frechet import Gaussian, frechet_distance
from edgegan_widget.evaluation.metrics.realism import _Against, frechet_difference, kernel_difference, squared_mmd

Sets = tuple[np.ndarray, np.ndarray, np.ndarray]


def three(seed: int, apart: float = 0.0, count: int = 120) -> Sets:
    """Real features, those of a model, and those of another that moved each picture a little or by ``apart``."""
    random = np.random.default_rng(seed)
    real, first = random.normal(size=(150, 8)), random.normal(0.3, 1, (count, 8))
    return real, first, first + random.normal(0, 0.3, first.shape) + apart


def test_the_values_are_those_of_the_plain_distances() -> None:
    real, first, second = three(0, apart=0.4)
    expected = frechet_distance(real, first) - frechet_distance(real, second)
    assert frechet_difference(real, first, second).value == pytest.approx(expected, rel=1e-9)
    expected = squared_mmd(real, first) - squared_mmd(real, second)
    assert kernel_difference(real, first, second).value == pytest.approx(expected, rel=1e-9)


def test_weights_count_a_picture_as_often_as_they_say() -> None:
    real, first, _ = three(1, count=30)
    against = _Against(Gaussian.of(real), first)
    assert against(np.ones(30)) == pytest.approx(frechet_distance(real, first), rel=1e-9)
    weights = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30)).astype(float)
    repeated = np.repeat(first, weights.astype(int), axis=0)
    assert against(weights) == pytest.approx(frechet_distance(real, repeated), rel=1e-9)


@pytest.mark.parametrize("difference", [frechet_difference, kernel_difference])
def test_a_better_model_is_found_and_equal_ones_are_not_told_apart(difference: object) -> None:
    worse = difference(*three(2, apart=0.5))
    assert worse.high < 0, "the first is nearer to the real pictures"
    assert worse.count == 120
    assert worse == difference(*three(2, apart=0.5)), "the same every time"
    real, first, _ = three(3)
    same = difference(real, first, first)
    assert (same.value, same.low, same.high) == (pytest.approx(0, abs=1e-9),) * 3
    assert not same.differs


def test_intervals_hold_what_other_drawings_give() -> None:
    """Of two models that differ in nothing but chance, few intervals leave zero out."""
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        found = kernel_difference(*random.normal(size=(3, 60, 5)), seed=seed)
        held += found.low <= 0 <= found.high
    assert held >= 34
