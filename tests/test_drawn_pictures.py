"""Known drawings as people scan, photograph and export them come back as they were drawn."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.sketch.trace import sketch_of
from tests.drawn_pictures import DRAWINGS, PICTURES, likeness, truth


@functools.cache
def measured(kind: str) -> tuple[float, float]:
    drawing, make = PICTURES[kind]
    return likeness(sketch_of("a.picture", make(drawing), 64, told="a picture"), truth(drawing))


@pytest.mark.parametrize("kind", PICTURES)
def test_the_lines_are_found_and_nothing_else(kind: str) -> None:
    assert min(measured(kind)) > 0.75


def test_they_are_found_in_the_mean() -> None:
    assert len(PICTURES) >= 40
    precision, recall = np.mean([measured(kind) for kind in PICTURES], axis=0)
    assert precision > 0.9
    assert recall > 0.9


def test_the_measure_tells_drawings_apart() -> None:
    for name in DRAWINGS:
        others = [min(likeness(truth(name), truth(other))) for other in DRAWINGS if other != name]
        assert max(others) < 0.75
        assert likeness(truth(name), truth(name)) == (1, 1)
    assert likeness(np.full((64, 64), 255, np.uint8), truth("shoe")) == (0, 0)


def test_real_sketches_are_traced_as_ever(shared_data: Path) -> None:
    """Clean drawings need no light evened out: their paper is plain."""
    from edgegan_widget.base.files import picture_rgb_u8
    from edgegan_widget.sketch.paper.page import is_plain

    paths = sorted((shared_data / "sketches").rglob("*.png"))[::30]
    assert sum(is_plain(picture_rgb_u8(path)) for path in paths) >= 0.99 * len(paths)
