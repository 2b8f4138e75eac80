from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.data.look import HAND, Look, draw_lines, see
from edgegan_widget.sketch.edges import draw
from edgegan_widget.sketch.hands.hand import ANYBODY


@pytest.fixture
def ball(shapes: Path) -> Path:
    return shapes / "train" / "ball" / "ball_0.png"


def test_the_hand_is_anybodys_at_first() -> None:
    assert list(HAND.items()) == list(dataclasses.asdict(ANYBODY).items())


def test_a_cut_out_gets_the_edges_that_are_asked_for(ball: Path) -> None:
    seen = see(ball)
    assert seen.picture_u8.shape == (128, 128, 3)
    for source, detail in (("full", 1.0), ("contour", 2.0)):
        edge, _ = draw_lines(seen, Look(source, detail))
        assert np.array_equal(edge, draw(seen.picture_u8, source, detail=detail))


def test_the_hand_changes_lines_by_strength_and_seed(ball: Path) -> None:
    seen = see(ball, 64)
    edge, same = draw_lines(seen, Look(strength=0))
    assert np.array_equal(edge, same)
    first, again, other = (draw_lines(seen, Look(strength=2, seed=seed))[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    calm = draw_lines(seen, Look(strength=2, hand=(0, 0, 0, 0, 0), seed=1))[1]
    assert np.abs(calm.astype(int) - edge).max() <= 1, "a hand that does nothing"
    with pytest.raises(ConfigError, match="gaps"):
        draw_lines(seen, Look(hand=(0, 9, 0, 0, 0)))


def test_a_pair_shows_its_own_edge_map(tmp_path: Path) -> None:
    pair = np.full((64, 128, 3), 255, np.uint8)
    pair[10:50, 20:22] = 0
    pair[:, 64:, 0] = 40
    Image.fromarray(pair).save(tmp_path / "pair.png")
    seen = see(tmp_path / "pair.png", 64)
    assert np.array_equal(draw_lines(seen, Look("xdog", strength=0))[0], pair[:, :64, 0])
    assert np.array_equal(seen.picture_u8, pair[:, 64:])


def test_a_picture_of_any_shape_stands_on_a_white_square(tmp_path: Path) -> None:
    Image.new("RGB", (30, 90), (10, 20, 30)).save(tmp_path / "high.png")
    seen = see(tmp_path / "high.png", 90)
    assert seen.picture_u8[45, 45].tolist() == [10, 20, 30]
    assert seen.picture_u8[45, 5].tolist() == [255, 255, 255]
