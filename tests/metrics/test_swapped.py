from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.evaluation.metrics.classes import swapped, swaps

LABELS = [0, 0, 1, 2]


def test_each_drawing_is_asked_for_as_every_other_class() -> None:
    numbers, asked = swaps(LABELS, 3)
    assert list(zip(numbers.tolist(), asked.tolist())) == [
        (0, 1), (0, 2), (1, 1), (1, 2), (2, 0), (2, 2), (3, 0), (3, 1),
    ]  # fmt: skip


def test_among_many_classes_some_are_chosen_by_seed() -> None:
    labels = np.repeat(np.arange(40), 2)
    numbers, asked = swaps(labels, 40, seed=1, most=5)
    assert len(numbers) == 80 * 5
    assert (asked != labels[numbers]).all()
    by_drawing = asked.reshape(80, 5)
    assert (by_drawing[::2] == by_drawing[1::2]).all(), "both drawings of a class as the same others"
    assert len({tuple(row) for row in by_drawing}) > 30
    assert (swaps(labels, 40, seed=1, most=5)[1] == asked).all()
    assert (swaps(labels, 40, seed=2, most=5)[1] != asked).any()


def test_pairs_of_classes_weigh_the_same() -> None:
    """Class 0 has two drawings, right in half of its pictures; class 1 is always right, class 2 never."""
    numbers, asked = swaps(LABELS, 3)
    drawn = np.array(LABELS)[numbers]
    seen = np.where(drawn == 2, drawn, asked)
    seen[numbers == 1] = 0
    found = swapped(LABELS, numbers, asked, seen)
    assert found.by_class == {0: 0.5, 1: 1.0, 2: 0.0}
    assert found.right.value == pytest.approx(0.5)
    assert found.kept == pytest.approx((0.5 + 0 + 1) / 3)
    assert found.pairs == 6
    assert found.right.count == 4
    assert found.right.low < 0.5 < found.right.high


def test_a_model_that_ignores_the_label() -> None:
    labels = np.repeat(np.arange(5), 3)
    numbers, asked = swaps(labels, 5)
    blind, obedient = swapped(labels, numbers, asked, labels[numbers]), swapped(labels, numbers, asked, asked)
    assert (blind.right.value, blind.kept) == (0, pytest.approx(1))
    assert (obedient.right.value, obedient.kept) == (pytest.approx(1), 0)
