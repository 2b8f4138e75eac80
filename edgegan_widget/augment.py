"""Changes to pictures while training: moved and mirrored objects, and edge maps distorted as a hand distorts them.

Everything is seeded: the same random stream makes the same changes on any device.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["place", "sketch_like"]


def sketch_like(sketches: Tensor, random: torch.Generator, strength: float = 1.0) -> Tensor:
    """Distort edge maps as a hand does: lines wobble, break, thin and thicken.

    Parameters
    ----------
    sketches
        float [N, 1, H, W] in [-1, 1], 1 is paper.
    random
        Source of all the chance in it.
    strength
        0 returns the edge maps unchanged, 1 is the strength used in training.
    """
    if strength <= 0:
        return sketches
    ink = 1 - sketches
    ink = _thicken(ink, random, strength)
    ink = _wobble(ink, random, strength)
    ink = _break(ink, random, strength)
    return 1 - ink


def _sample(planes: Tensor, grid: Tensor) -> Tensor:
    """``grid_sample`` in which paper (1) lies beyond the border."""
    return F.grid_sample(planes - 1, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + 1


def _uniform(random: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=random)


def place(planes: Tensor, random: torch.Generator, mirrored: bool = True) -> Tensor:
    """Mirror half of the pictures if allowed, and move, scale and stretch each a little; planes [N, C, H, W]."""
    count = len(planes)
    mirror = 1 - 2 * torch.randint(2, (count,), generator=random).float() * mirrored
    scale = _uniform(random, 0.95, 1.15, count)  # of the sampling grid: above 1 the object shrinks
    stretch = _uniform(random, 0.93, 1.07, count)
    shift = _uniform(random, -0.06, 0.06, count, 2)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = mirror * scale * stretch
    theta[:, 1, 1] = scale / stretch
    theta[:, :, 2] = shift
    grid = F.affine_grid(theta.to(planes.device), list(planes.shape), align_corners=False)
    return _sample(planes, grid)


def _thicken(ink: Tensor, random: torch.Generator, strength: float) -> Tensor:
    """Blend each drawing with itself dilated by a pixel; at most half of them change much."""
    amount = (_uniform(random, -1.0, 1.0, len(ink), 1, 1, 1) * strength).clamp_min(0).to(ink.device)
    return ink + amount * (F.max_pool2d(ink, 3, stride=1, padding=1) - ink)


def _wobble(ink: Tensor, random: torch.Generator, strength: float, most_px: float = 1.8) -> Tensor:
    """Bend lines by a smooth random displacement of up to about ``most_px`` pixels at 64."""
    count = len(ink)
    amount = _uniform(random, 0.0, most_px * strength / 32, count, 1, 1, 1)
    coarse = torch.randn(count, 2, 7, 7, generator=random) * amount / 1.5
    field = F.interpolate(coarse.to(ink.device), size=ink.shape[2:], mode="bicubic", align_corners=True)
    identity = torch.eye(2, 3, device=ink.device).expand(count, -1, -1)
    grid = F.affine_grid(identity, list(ink.shape), align_corners=False) + field.permute(0, 2, 3, 1)
    return 1 - _sample(1 - ink, grid)


def _break(ink: Tensor, random: torch.Generator, strength: float, most_share: float = 0.25) -> Tensor:
    """Rub out small patches: none in half of the drawings, up to ``most_share`` of the area in the others."""
    share = (_uniform(random, -1.0, 1.0, len(ink), 1, 1, 1) * most_share * strength).clamp_min(0)
    noise = torch.rand(len(ink), 1, 14, 14, generator=random)
    keep = (noise >= share).float().to(ink.device)
    return ink * F.interpolate(keep, size=ink.shape[2:], mode="bilinear", align_corners=False)
