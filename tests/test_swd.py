from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from edgegan_widget.training.dataset import load_data
from edgegan_widget.training.recipes.swd import sliced_wasserstein


@pytest.fixture
def pictures(shapes: Path) -> torch.Tensor:
    return load_data(shapes, "train").take(range(16)).images


def test_the_same_set_in_another_order_is_no_distance_away(pictures: torch.Tensor) -> None:
    assert sliced_wasserstein(pictures, pictures.flip(0)) == pytest.approx(0, abs=1e-3)


def test_the_more_is_wrong_the_larger(pictures: torch.Tensor) -> None:
    blurred = [F.avg_pool2d(pictures, 2 * reach + 1, 1, reach, count_include_pad=False) for reach in (1, 2, 4)]
    pale = 1 - 0.3 * (1 - pictures)
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    distances = [sliced_wasserstein(pictures, other) for other in blurred]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert sliced_wasserstein(pictures, pale) > 10, "washed-out pictures are found"
    assert sliced_wasserstein(pictures, noise) > 2 * distances[2]


def test_a_known_distance() -> None:
    """Two flat sets that differ by one deviation of the first lie sqrt(2 / pi) apart along a random direction."""
    random = torch.Generator().manual_seed(0)
    real = torch.randn(400, 1, 16, 16, generator=random)
    moved = real + 1.0
    # The shift of every number of a patch by 1 moves a projection by the sum of its direction: normal, of deviation 1.
    assert sliced_wasserstein(real, moved) == pytest.approx(1000 * (2 / torch.pi) ** 0.5, rel=0.1)


def test_it_repeats_and_refuses_unequal_sets(pictures: torch.Tensor) -> None:
    other = pictures.roll(1, 3)
    assert sliced_wasserstein(pictures, other) == sliced_wasserstein(pictures, other)
    with pytest.raises(ValueError, match="they must have one shape"):
        sliced_wasserstein(pictures, other[:3])
