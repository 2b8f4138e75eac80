"""Objects and their drawings moved, mirrored and bent into other poses while training.

Everything is seeded: the same random stream makes the same changes on any device.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.sketch.warp import knots, leaning, sample, stretched, uniform

__all__ = ["Placement", "place"]


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


def place(planes: Tensor, random: torch.Generator, mirrored: bool = True, poses: float = 0.0) -> Tensor:
    """Planes [N, C, H, W], each placed anew, see :meth:`Placement.draw`."""
    return Placement.draw(random, len(planes), mirrored, poses).apply(planes)
