"""Planes of numbers moved, slanted and bent by a seeded stream; paper lies beyond the border."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["knots", "leaning", "sample", "stretched", "uniform"]


def sample(planes: Tensor, grid: Tensor) -> Tensor:
    """``grid_sample`` in which paper (1) lies beyond the border."""
    return F.grid_sample(planes - 1, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + 1


def uniform(random: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    """Even random numbers from ``low`` to ``high``, on the CPU."""
    return low + (high - low) * torch.rand(*shape, generator=random)


def leaning(random: torch.Generator, count: int, strength: float) -> Tensor:
    """Sampling grids [N, 2, 3] of drawings too wide, too high, turned or slanted; none grows out of its frame."""
    squeeze = uniform(random, -0.12, 0.12, count) * strength
    turn = uniform(random, -0.1, 0.1, count) * strength
    slant = uniform(random, -0.12, 0.12, count) * strength
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = (squeeze.abs() + squeeze).exp() * turn.cos()
    theta[:, 1, 1] = (squeeze.abs() - squeeze).exp() * turn.cos()
    theta[:, 0, 1] = slant - turn.sin()
    theta[:, 1, 0] = turn.sin()
    return theta


def knots(random: torch.Generator, count: int, strength: float, most: float = 0.07) -> Tensor:
    """Displacements [N, 2, 6] at even distances along each axis."""
    knots = torch.zeros(count, 2, 6)
    knots[..., 1:-1] = uniform(random, -most, most, count, 2, 4) * min(strength, 2.0)  # beyond that lines would fold
    return knots


def stretched(knots: Tensor, size: torch.Size) -> Tensor:
    """Displacements [N, 2, H, W] by which parts of a drawing are stretched at the cost of others, along each axis."""
    along_x, along_y = (
        F.interpolate(knots[:, axis, None, None], size=(1, length), mode="bicubic", align_corners=True)[:, 0, 0]
        for axis, length in ((0, size[1]), (1, size[0]))
    )
    return torch.stack([along_x[:, None].expand(-1, *size), along_y[:, :, None].expand(-1, *size)], dim=1)
