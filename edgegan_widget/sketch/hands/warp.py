"""Planes of numbers moved, mirrored, slanted and bent by a seeded stream; paper lies beyond the border.

The same random stream makes the same changes on any device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["Placement", "knots", "leaning", "place", "sample", "stretched", "uniform"]


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


def knots(random: torch.Generator, count: int, strength: float) -> Tensor:
    """Displacements [N, 2, 6] at even distances along each axis."""
    knots = torch.zeros(count, 2, 6)
    knots[..., 1:-1] = uniform(random, -0.07, 0.07, count, 2, 4) * min(strength, 2.0)  # beyond that lines would fold
    return knots


def stretched(knots: Tensor, size: torch.Size) -> Tensor:
    """Displacements [N, 2, H, W] by which parts of a drawing are stretched at the cost of others, along each axis."""
    along_x, along_y = (
        F.interpolate(knots[:, axis, None, None], size=(1, length), mode="bicubic", align_corners=True)[:, 0, 0]
        for axis, length in ((0, size[1]), (1, size[0]))
    )
    return torch.stack([along_x[:, None].expand(-1, *size), along_y[:, :, None].expand(-1, *size)], dim=1)


@dataclass(frozen=True, eq=False)
class Placement:
    """Where each of N objects goes; the same for pictures and drawings of any size.

    Attributes
    ----------
    theta
        float32 [N, 2, 3], sampling grids: mirrored, moved, scaled, turned.
    knots
        float32 [N, 2, 6], displacements along each axis by which parts are stretched at the cost of others, or None.
    """

    theta: Tensor
    knots: Tensor | None = None

    @classmethod
    def draw(cls, random: torch.Generator, count: int, mirrored: bool = True, poses: float = 0.0) -> Placement:
        """Mirror half of the objects if allowed, and move, scale and stretch each a little.

        With ``poses`` above 0 objects also get other proportions, turn and lean, as those of a drawing do.
        """
        mirror = 1 - 2 * torch.randint(2, (count,), generator=random).float() * mirrored
        scale = uniform(random, 0.95, 1.15, count)  # of the sampling grid: above 1 the object shrinks
        stretch = uniform(random, 0.93, 1.07, count)
        shift = uniform(random, -0.06, 0.06, count, 2)
        theta = torch.zeros(count, 2, 3)
        theta[:, 0, 0] = mirror * scale * stretch
        theta[:, 1, 1] = scale / stretch
        theta[:, :, 2] = shift
        if poses <= 0:
            return cls(theta)
        theta[:, :, :2] = theta[:, :, :2] @ leaning(random, count, poses)[:, :, :2]
        return cls(theta, knots(random, count, poses))

    def apply(self, planes: Tensor) -> Tensor:
        """The planes [N, C, H, W] so placed; paper (1) comes in from beyond the border."""
        return sample(planes, self._grid(planes))

    def apply_to_pictures(self, pictures: Tensor) -> Tensor:
        """Pictures [N, 3 or 4, H, W] so placed; the paper beyond the border is not covered by alpha, the fourth."""
        moved = self.apply(pictures[:, :3])
        return torch.cat([moved, -self.apply(-pictures[:, 3:])], dim=1) if pictures.shape[1] > 3 else moved

    def _grid(self, planes: Tensor) -> Tensor:
        grid = F.affine_grid(self.theta.to(planes.device), list(planes.shape), align_corners=False)
        if self.knots is None:
            return grid
        return grid + stretched(self.knots, planes.shape[2:]).permute(0, 2, 3, 1).to(planes.device)


def place(planes: Tensor, random: torch.Generator, mirrored: bool = True) -> Tensor:
    """Planes [N, C, H, W], each placed anew, see :meth:`Placement.draw`."""
    return Placement.draw(random, len(planes), mirrored).apply(planes)
