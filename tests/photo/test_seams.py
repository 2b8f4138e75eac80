"""What spreads into a hole."""

from __future__ import annotations

import numpy as np
import pytest

from edgegan_widget.photo.seams import Mesh, ease


def hole_in(shape: tuple[int, int]) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[shape[0] // 3 : 2 * shape[0] // 3, shape[1] // 3 : 2 * shape[1] // 3] = True
    return inside


@pytest.mark.parametrize("turned", [False, True])
def test_colours_go_on_along_lines(turned: bool) -> None:
    waves = 120 + 80 * np.sin(np.arange(48) / 2)
    bars = np.repeat(waves, 60).reshape(48, 60)
    photo = np.dstack([bars.T if turned else bars] * 3).astype(np.uint8)
    inside = hole_in(photo.shape[:2])
    mesh = Mesh(inside)
    guess = np.full((len(mesh), 3), 125, np.float32)
    even = np.ones((*inside.shape, 2), np.float32)
    errors = [
        np.abs(mesh.spread(photo, passes, guess, 300) - photo[inside]).mean() for passes in (even, ease(photo, inside))
    ]
    assert errors[1] < 0.5 * errors[0]


def test_an_even_spread_is_the_membrane() -> None:
    rows, columns = np.mgrid[:40, :50]
    photo = np.dstack([2 * rows + 3 * columns] * 3).astype(np.uint8)  # a plane is its own membrane
    inside = hole_in((40, 50))
    inside[:3, :5] = True  # also at a corner, where it has no rim on two sides
    mesh = Mesh(inside)
    found = mesh.spread(photo, np.ones((40, 50, 2), np.float32), np.zeros((len(mesh), 3), np.float32), 500)
    away = (mesh.rows > 3) | (mesh.columns > 5)
    assert np.abs(found - photo[inside])[away].max() < 1
