from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.base.frechet import as_features
from edgegan_widget.evaluation.metrics import distances
from edgegan_widget.evaluation.metrics.distances import blocks, kth_nearest, mean_pair, nearest


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(3, 1, (57, 6))


def brute(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.linalg.norm(first[:, None] - second[None], axis=2)


def test_blocks_add_up_to_all_distances(points: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "ROWS", 10)
    others = points[:20] + 0.5
    parts = list(blocks(points, others))
    assert [rows.start for rows, _ in parts] == [0, 10, 20, 30, 40, 50]
    assert np.concatenate([part for _, part in parts]) == pytest.approx(brute(points, others), abs=1e-12)


def test_neighbours_match_brute_force(points: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distances, "ROWS", 16)
    own = brute(points, points)
    np.fill_diagonal(own, np.inf)
    assert kth_nearest(points, 3) == pytest.approx(np.sort(own, axis=1)[:, 2])
    found, numbers = nearest(points)
    assert found == pytest.approx(own.min(axis=1))
    assert (numbers == own.argmin(axis=1)).all()
    among = points[::2] + 0.1
    assert nearest(points, among)[0] == pytest.approx(brute(points, among).min(axis=1))
    finite = own[np.isfinite(own)]
    assert mean_pair(points) == pytest.approx(finite.mean())


def test_equal_pictures_are_no_distance_away(points: np.ndarray) -> None:
    assert nearest(points + 1000, points + 1000)[0].max() < 1e-5
    assert np.isnan(mean_pair(points[:1]))


@pytest.mark.parametrize("given", [np.zeros(3), np.zeros((0, 4)), np.array([[np.nan]])])
def test_what_is_no_set_of_features(given: np.ndarray) -> None:
    with pytest.raises(ValueError, match="the features"):
        as_features(given)


def test_too_few_for_neighbours() -> None:
    with pytest.raises(ValueError, match="there are 3 samples; neighbour number 3 needs at least 4"):
        kth_nearest(np.zeros((3, 2)), 3)
