from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.sketch.hands.hand import ANYBODY, Hand, distort, distortion_grid, sketch_like

NOTHING = Hand(wobble=0, gaps=0, thickness=0)


def house(side: int = 64) -> np.ndarray:
    """A closed outline with a door, windows and small things in it."""
    sketch = np.full((512, 512), 255, np.uint8)
    cv2.polylines(sketch, [np.array([[70, 470], [70, 200], [256, 50], [442, 200], [442, 470]])], True, 0, 14)
    for corner in ((130, 220), (200, 220), (270, 220), (340, 220), (130, 300), (340, 300), (340, 380)):
        cv2.rectangle(sketch, corner, (corner[0] + 30, corner[1] + 30), 0, 10)
    cv2.rectangle(sketch, (200, 310), (290, 440), 0, 10)
    return cv2.resize(sketch, (side, side), interpolation=cv2.INTER_AREA)


def as_tensor(sketch_u8: np.ndarray, count: int = 1) -> torch.Tensor:
    return (torch.from_numpy(sketch_u8).float() / 127.5 - 1)[None, None].expand(count, -1, -1, -1)


def ink(sketch_u8: np.ndarray) -> float:
    return float((255 - sketch_u8.astype(float)).sum() / 255)


def box(sketch_u8: np.ndarray) -> tuple[int, int]:
    """Width and height of what is drawn."""
    return tuple(cv2.boundingRect((sketch_u8 < 160).astype(np.uint8))[2:])


def test_no_strength_changes_nothing() -> None:
    assert np.array_equal(distort(house(), 3, 0.0), house())
    assert torch.equal(sketch_like(as_tensor(house()), stream(0, 0, "t"), 0.0, ANYBODY), as_tensor(house()))
    assert np.array_equal(distort(house(), 3, 1.0, NOTHING), house()), "no share of anything is no strength either"


def test_a_seed_makes_the_same_changes() -> None:
    assert np.array_equal(distort(house(), 3), distort(house(), 3))
    assert not np.array_equal(distort(house(), 3), distort(house(), 4))


def test_pictures_and_tensors_are_distorted_alike() -> None:
    changed = sketch_like(as_tensor(house()), stream(7, 0, "hand"), 1.0, ANYBODY)[0, 0]
    assert np.abs((changed.numpy() + 1) * 127.5 - distort(house(), 7)).max() <= 0.51


@pytest.mark.parametrize("hand", [ANYBODY, Hand()])
def test_more_strength_is_further_from_the_edge_map(hand: Hand) -> None:
    away = [
        np.mean([np.abs(distort(house(), seed, strength, hand).astype(float) - house()).mean() for seed in range(20)])
        for strength in (0.0, 0.3, 0.7, 1.0, 1.5)
    ]
    assert away[0] == 0
    assert away == sorted(away)
    assert away[-1] > 2 * away[1]


@pytest.mark.parametrize("strength", [0.5, 1.0, 4.0])
def test_paper_stays_paper(strength: float) -> None:
    paper = np.full((64, 64), 255, np.uint8)
    assert (distort(paper, 0, strength) == 255).all()


def test_details_go_and_the_outline_stays() -> None:
    only = Hand(0, 0, 0, details=2.0)
    drawn = [distort(house(128), seed, 1.0, only) for seed in range(12)]
    outline = np.ones((128, 128), bool)
    outline[52:114, 28:100] = False
    for sketch in drawn:
        assert np.array_equal(sketch[outline], house(128)[outline])
        assert (sketch >= house(128)).all(), "nothing is added"
    parts = [cv2.connectedComponents((sketch < 128).astype(np.uint8))[0] - 2 for sketch in drawn]  # paper and outline
    assert min(parts) <= 3
    assert max(parts) >= 7
    assert len(set(parts)) > 3


def test_an_open_outline_keeps_its_details() -> None:
    opened = house(128)
    opened[100:, :] = 255
    assert np.array_equal(distort(opened, 1, 1.0, Hand(0, 0, 0, details=4.0)), opened)


def test_proportions_change_and_nothing_leaves_the_frame() -> None:
    only = Hand(0, 0, 0, proportions=1.0)
    drawn = [distort(house(128), seed, 1.0, only) for seed in range(30)]
    aspects = np.array([width / height for width, height in map(box, drawn)])
    width, height = box(house(128))
    assert aspects.min() < 0.93 * width / height
    assert aspects.max() > 1.07 * width / height
    for sketch in drawn:
        frame = np.concatenate([sketch[0], sketch[-1], sketch[:, 0], sketch[:, -1]])
        assert frame.min() > 128
        assert ink(sketch) == pytest.approx(ink(house(128)), rel=0.3)


def test_gaps_take_ink_and_thickness_adds_it() -> None:
    gaps = [ink(distort(house(), seed, 1.0, Hand(0, 1, 0))) for seed in range(10)]
    thick = [ink(distort(house(), seed, 1.0, Hand(0, 0, 1))) for seed in range(10)]
    assert max(gaps) <= ink(house())
    assert min(gaps) < 0.9 * ink(house())
    assert min(thick) >= ink(house())
    assert max(thick) > 1.3 * ink(house())


def test_a_distortion_does_not_depend_on_the_size_of_the_sketch() -> None:
    for seed in range(6):
        small, large = distort(house(64), seed), distort(house(192), seed)
        reduced = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
        blurred = [cv2.GaussianBlur(sketch.astype(float), (0, 0), 1.0).ravel() for sketch in (small, reduced)]
        assert np.corrcoef(*blurred)[0, 1] > 0.85


def test_training_can_have_details_and_proportions() -> None:
    sketches = as_tensor(house(), 6)
    changed = sketch_like(sketches, stream(0, 1, "t"), 1.0, ANYBODY)
    assert changed.shape == sketches.shape
    assert changed.dtype == sketches.dtype
    assert -1.001 < changed.min() < changed.max() < 1.001
    assert len(torch.unique(changed.flatten(1), dim=0)) == 6, "each its own"


def test_a_grid_has_a_row_a_sketch_and_a_column_a_strength() -> None:
    pictures = [np.full((40, 30, 3), (200, 30, 30), np.uint8)] * 2
    grid = distortion_grid([house(64), house(96)[:, 10:80]], (0.0, 1.0, 2.0), pictures_u8=pictures, tile_px=66)
    assert grid.shape == (2 * 66, 4 * 66, 3)
    assert np.array_equal(grid[1:65, 67:131, 0], house(64))
    assert tuple(grid[33, 33]) == (200, 30, 30)
    again = distortion_grid([house(96)[:, 10:80]], (0.0, 1.0, 2.0), seed=1, tile_px=66)
    assert np.array_equal(grid[66:, 66:], again), "a row depends on its own seed alone"


def test_what_cannot_be_distorted_is_refused() -> None:
    for strength in (-0.1, 4.5, float("nan")):
        with pytest.raises(ConfigError, match="give a number from 0"):
            distort(house(), 0, strength)
    with pytest.raises(ConfigError, match="gaps is 5"):
        Hand(gaps=5)
    with pytest.raises(DataError, match=r"uint8 \[H, W\]"):
        distort(np.zeros((4, 4, 3), np.uint8), 0)
    with pytest.raises(DataError, match="one or more"):
        distortion_grid([])
