"""Bootstrap, classes, diversity and memorisation on sets whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.evaluation.metrics.classes import confusion
from edgegan_widget.evaluation.metrics.copies import mann_whitney, memorisation
from edgegan_widget.evaluation.metrics.intervals import mean_interval, paired_difference
from edgegan_widget.evaluation.metrics.variety import collapsed, diversity, overall


@pytest.fixture
def chance() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_mean_and_its_interval(chance: np.random.Generator) -> None:
    values = chance.normal(2, 1, 400)
    found = mean_interval(values)
    error = values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) == pytest.approx(2 * 1.96 * error, rel=0.1)
    assert found.differs
    assert mean_interval(values) == found
    assert mean_interval([1.0, np.nan, 3.0]).count == 2
    assert np.isnan(mean_interval([]).value)


def test_pairing_takes_the_sketches_difficulty_out(chance: np.random.Generator) -> None:
    difficulty = chance.normal(0, 10, 200)
    first, second = difficulty + chance.normal(0.5, 1, 200), difficulty + chance.normal(0, 1, 200)
    assert paired_difference(first, second).differs
    assert not mean_interval(first - chance.permutation(second)).differs
    with pytest.raises(ValueError, match="200 and 199 values cannot be paired"):
        paired_difference(first, second[1:])


def test_confusion() -> None:
    found = confusion([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 2, 0], ("a", "b", "c", "d"))
    assert found.counts.tolist() == [[2, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.by_class() == {"a": pytest.approx(2 / 3), "b": 1.0, "c": 0.5}
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 + 0.5) / 3)
    assert found.worst_class == ("c", 0.5, 2)
    assert np.isnan(confusion([], [], ("a",)).accuracy)
    assert confusion([], [], ("a",)).worst_class[::2] == ("", 0)


def test_mann_whitney_is_standard_normal_without_a_difference(chance: np.random.Generator) -> None:
    found = [mann_whitney(chance.random(30), chance.random(40)) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0, abs=0.15)
    assert np.std(found) == pytest.approx(1, abs=0.1)
    # scipy.stats.mannwhitneyu(method="asymptotic", use_continuity=False): U = 2, z = -1.7748239
    assert mann_whitney(np.array([1.0, 2, 2, 3]), np.array([2.0, 4, 5, 6])) == pytest.approx(-1.7748239349298849)
    assert mann_whitney(np.ones(5), np.ones(9)) == 0


def two_classes(chance: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(count) % 2
    return chance.normal(size=(count, 8)) + 6 * labels[:, None], labels


def test_copies_are_told_from_honest_pictures(chance: np.random.Generator) -> None:
    train, train_labels = two_classes(chance, 400)
    held_out, labels = two_classes(chance, 100)
    honest, honest_labels = two_classes(chance, 200)
    fair = memorisation(train, held_out, honest, labels, honest_labels)
    assert not fair.closer_than_held_out
    assert fair.copied_share < 0.25
    copies = memorisation(train, held_out, train[:200] + 0.01, labels, train_labels[:200])
    assert copies.memorising
    assert copies.copied_share == 1
    assert (copies.neighbour == np.arange(200)).all()
    assert np.median(copies.relative) < 0.1
    far = memorisation(train, held_out, honest + 3, labels, honest_labels)
    assert far.statistic > 3
    assert not far.memorising


def test_half_copies_are_found_as_well(chance: np.random.Generator) -> None:
    train, train_labels = two_classes(chance, 400)
    held_out, labels = two_classes(chance, 100)
    honest, honest_labels = two_classes(chance, 200)
    mixed = np.concatenate([train[:200], honest])
    found = memorisation(train, held_out, mixed, labels, np.concatenate([train_labels[:200], honest_labels]))
    assert found.memorising


def test_held_out_pictures_that_are_training_pictures_too(chance: np.random.Generator) -> None:
    """Shops show one photograph twice: copies among the held-out pictures must not hide those of a model."""
    train, labels = two_classes(chance, 200)
    honest, honest_labels = two_classes(chance, 100)
    held_out = np.concatenate([train[:30], honest[30:]])
    found = memorisation(train, held_out, train, honest_labels, labels)
    assert found.memorising
    assert not memorisation(train, held_out, honest[:60], honest_labels, honest_labels[:60]).memorising
    same = memorisation(train, train, train, labels, labels)
    assert not same.memorising
    assert (same.relative == 1).all()


def test_too_few_to_tell(chance: np.random.Generator) -> None:
    train, _ = two_classes(chance, 20)
    found = memorisation(train, train[:2], train, np.array([0, 1]), np.zeros(20, int))
    assert np.isnan(found.statistic)
    assert not found.memorising


def test_one_picture_a_class_is_collapsed(chance: np.random.Generator) -> None:
    real, real_labels = two_classes(chance, 200)
    varied, labels = two_classes(chance, 60)
    fair = diversity(real, varied, real_labels, labels, 3)
    assert set(fair) == {0, 1}
    assert fair[0].ratio == pytest.approx(1, abs=0.15)
    assert not collapsed(fair)
    single = np.where(labels[:, None] == 0, real[0], real[1])
    found = diversity(real, single, real_labels, labels, 3)
    assert collapsed(found)
    assert overall(found) == (pytest.approx(0, abs=1e-6), 1.0, 0.0)
    # Two pictures a class, far apart, drawn again and again: varied by distance, yet nearly all the same.
    few = real[labels + 2 * (np.arange(60) // 2 % 2)]
    repeated = diversity(real, few, real_labels, labels, 3)
    assert repeated[0].ratio > 0.3
    assert repeated[0].same_share == 1
    assert collapsed(repeated)
    assert not collapsed({})
    assert np.isnan(overall({})[0])
