"""What a drawing encloses."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgegan_widget.sketch.contours import body_and_paper, covered_share


def outlined(*, open_by_degrees: int = 0, side_px: int = 64) -> np.ndarray:
    """A circle, open by so much of its round."""
    sketch = np.full((side_px, side_px), 255, np.uint8)
    centre, radius = (side_px // 2, side_px // 2), side_px // 3
    cv2.ellipse(sketch, centre, (radius, radius), 0, open_by_degrees, 360, 0, max(1, side_px // 64))
    return sketch


@pytest.mark.parametrize("side_px", [64, 128])
def test_a_closed_line_encloses_a_body(side_px: int) -> None:
    body, paper = body_and_paper(outlined(side_px=side_px))
    assert body[side_px // 2, side_px // 2]
    assert body.mean() == pytest.approx(np.pi / 9, abs=0.05)
    assert paper[0, 0]
    assert not (body & paper).any()


def test_a_small_gap_is_closed_and_an_open_line_tells_nothing() -> None:
    body, _ = body_and_paper(outlined(open_by_degrees=4))
    assert body.any()
    body, paper = body_and_paper(outlined(open_by_degrees=60))
    assert not body.any()
    assert not paper.any(), "what an open outline leaves out may be the object"


def test_a_whisker_is_neither_body_nor_paper() -> None:
    sketch = outlined()
    cv2.line(sketch, (52, 32), (62, 32), 0, 1)
    body, paper = body_and_paper(sketch)
    assert not body[32, 60]
    assert not paper[32, 60]


def test_an_empty_page() -> None:
    body, paper = body_and_paper(np.full((64, 64), 255, np.uint8))
    assert not body.any()
    assert not paper.any() or paper.all()


def test_a_ring_covers_less_than_a_disc() -> None:
    disc, ring = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    cv2.circle(disc, (32, 32), 20, 1, -1)
    cv2.circle(ring, (32, 32), 20, 1, 3)
    assert covered_share(disc) == 1
    assert 0.1 < covered_share(ring) < 0.5
    assert covered_share(np.zeros((64, 64), np.uint8)) == 1
