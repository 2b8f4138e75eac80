from __future__ import annotations

import numpy as np

from edgegan_widget.sketch.edges import scaled


def test_a_picture_keeps_its_light_and_its_place() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[16:32, 16:48] = (200, 40, 0)
    large = scaled(picture, 128)
    assert large.shape == (128, 128, 3)
    assert (large[40:56, 40:88] == (200, 40, 0)).all()
    assert np.abs(scaled(large, 64).astype(int) - picture).mean() < 1
    assert scaled(picture, 64) is picture
    checked = np.indices((64, 64)).sum(axis=0) % 2 * np.uint8(255)
    assert (np.abs(scaled(checked.astype(np.uint8), 32) - 127.5) <= 1).all(), "fine lines do not vanish"
