from __future__ import annotations

import pytest
import torch

from edgegan_widget.training.recipes.diffaugment import NUMBERS, augment


@pytest.fixture
def pairs() -> torch.Tensor:
    return torch.rand(6, 4, 64, 64, generator=torch.Generator().manual_seed(0)) * 1.8 - 0.9


def numbers(rows: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(rows, NUMBERS, generator=torch.Generator().manual_seed(seed))


def test_none_changes_nothing(pairs: torch.Tensor) -> None:
    assert torch.equal(augment(pairs, numbers(6), "none"), pairs)


def test_a_shift_moves_by_whole_pixels_and_brings_paper_in(pairs: torch.Tensor) -> None:
    still = torch.full((6, NUMBERS), 0.5)
    assert torch.allclose(augment(pairs, still, "shift"), pairs, atol=1e-6)
    most = still.clone()
    most[:, 3], most[:, 4] = 0.999, 0.0  # five down, five to the left
    moved = augment(pairs, most, "shift")
    assert torch.allclose(moved[:, :, 5:, :-5], pairs[:, :, :-5, 5:], atol=1e-6)
    assert torch.equal(moved[:, :, :5], torch.ones(6, 4, 5, 64))


def test_diffaugment_moves_both_and_recolours_the_picture_alone(pairs: torch.Tensor) -> None:
    only_colour = torch.full((6, NUMBERS), 0.5)
    only_colour[:, :3] = torch.tensor([0.9, 0.2, 0.1])
    only_colour[:, 5:] = torch.tensor([0.0, 0.0])
    changed = augment(pairs, only_colour, "diffaugment")
    outside = (slice(None), slice(None), slice(17, None), slice(17, None))
    assert torch.allclose(changed[outside][:, :1], pairs[outside][:, :1], atol=1e-6)
    assert (changed[outside][:, 1:] - pairs[outside][:, 1:]).abs().mean() > 0.2
    assert (changed[:, :, :16, :16] == 0).all(), "a hole hangs over the corner"


def test_gradients_flow_and_equal_numbers_make_equal_changes(pairs: torch.Tensor) -> None:
    given = pairs.requires_grad_()
    changed = augment(given, numbers(6), "diffaugment")
    (gradient,) = torch.autograd.grad(changed.square().sum(), given)
    assert gradient.abs().amax(dim=(1, 2, 3)).min() > 0
    assert torch.equal(changed, augment(pairs, numbers(6), "diffaugment"))
    assert not torch.equal(changed, augment(pairs, numbers(6, 1), "diffaugment"))
