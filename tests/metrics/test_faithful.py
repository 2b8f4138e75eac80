from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edgegan_widget.evaluation.metrics.lines import Fit, fits, lines, picture_edges
from edgegan_widget.evaluation.metrics.lines import fit as fit_lines
from edgegan_widget.evaluation.robustness import DISTORTIONS

SIDE = 64


def square(left: int = 16, top: int = 16, size: int = 30, width: int = 2) -> np.ndarray:
    """A drawing of a square's outline."""
    canvas = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(canvas).rectangle((left, top, left + size, top + size), outline=0, width=width)
    return np.asarray(canvas)


def block(left: int = 16, top: int = 16, size: int = 30) -> np.ndarray:
    """A picture of a filled square."""
    canvas = Image.new("RGB", (SIDE, SIDE), "white")
    ImageDraw.Draw(canvas).rectangle((left, top, left + size, top + size), fill=(180, 60, 40))
    return np.asarray(canvas)


def fit(drawn: np.ndarray, edges: np.ndarray) -> Fit:
    return fit_lines(lines(drawn), lines(edges))


def test_a_drawing_fits_itself() -> None:
    found = fit(square(), square())
    assert (found.chamfer, found.precision, found.recall, found.f_score, found.shift_px) == (0, 1, 1, 1, (0, 0))


def test_a_picture_that_was_drawn_fits() -> None:
    found = fits(square()[None], block()[None])[0]
    assert found.f_score > 0.95
    assert found.chamfer * SIDE < 0.5


def test_a_small_shift_is_forgiven_and_told() -> None:
    found = fit(square(), square(left=19, top=14))
    assert found.shift_px == (2, -3)
    assert (found.chamfer, found.f_score) == (0, 1)


def test_the_distance_beyond_alignment_is_known() -> None:
    """Two parallel lines across the sheet, ten pixels apart: four are aligned away, six remain."""
    sheets = np.full((2, SIDE, SIDE), 255, np.uint8)
    sheets[0, 20], sheets[1, 30] = 0, 0
    found = fit(*sheets)
    assert found.shift_px == (-4, 0)
    assert found.chamfer == pytest.approx(6 / SIDE, rel=1e-6)
    assert found.f_score == 0


def test_precision_and_recall_tell_which_side_has_more() -> None:
    more = np.minimum(square(), square(left=26, top=26, size=8))
    extra, missing = fit(square(), more), fit(more, square())
    assert (extra.recall, missing.precision) == (1, 1)
    assert extra.precision == missing.recall
    assert extra.precision < 0.9


def test_the_worse_it_fits_the_farther() -> None:
    distances = [fit(square(), square(size=size)).chamfer for size in (30, 26, 20, 10)]
    assert distances == sorted(distances)
    assert len(set(distances)) == 4


def test_a_blank_sheet_fits_nothing() -> None:
    paper = np.full((SIDE, SIDE), 255, np.uint8)
    for pair in ((paper, square()), (square(), paper), (paper, paper)):
        assert (fit(*pair).chamfer, fit(*pair).f_score) == (1, 0)
    assert (picture_edges(np.full((SIDE, SIDE, 3), 255, np.uint8)) == 255).all()


@pytest.mark.parametrize("name", DISTORTIONS)
def test_a_distortion_keeps_the_sheet_and_grows_with_its_strength(name: str) -> None:
    change = DISTORTIONS[name].change
    sketch = square().copy()
    sketch[30:32, 4:30] = 0  # to tell left from right
    nothing, half, whole = (change(sketch, strength, 3) for strength in (0.0, 0.5, 1.0))
    assert {part.shape for part in (nothing, half, whole)} == {sketch.shape}
    assert whole.dtype == np.uint8
    assert (change(sketch, 1.0, 3) == whole).all()
    changed = [np.abs(part.astype(float) - sketch).sum() for part in (nothing, half, whole)]
    assert changed[0] <= 0.1 * changed[2]
    assert 0 < changed[1] <= changed[2] or name == "thinned"
    assert (whole < 160).any(), "something is left of the drawing"


def test_what_distortions_do() -> None:
    ink = {name: (255.0 - way.change(square(), 1.0, 0)).sum() for name, way in DISTORTIONS.items()}
    before = (255.0 - square()).sum()
    assert ink["thickened"] > 2 * before
    assert ink["thinned"] < 0.8 * before
    assert 0.2 * before < ink["broken"] < 0.8 * before
    narrow = DISTORTIONS["squeezed"].change(square(), 1.0, 0)
    assert np.ptp(np.nonzero((narrow < 128).any(axis=0))[0]) == pytest.approx(0.6 * 31, abs=2)
    assert fit(square(), DISTORTIONS["wobbled"].change(square(), 1.0, 0)).f_score < 0.95
