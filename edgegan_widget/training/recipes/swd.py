"""Sliced Wasserstein distance between two sets of pictures: how unlike are they, from texture to layout?

Karras et al., "Progressive Growing of GANs", ICLR 2018, section 5: small patches of each level of a Laplacian pyramid
are compared along random directions. It needs no network that somebody else trained, so it can judge a run while it
goes on.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.chance import stream

__all__ = ["sliced_wasserstein"]

COARSEST_PX = 16
PATCH_PX = 7
PATCHES_PER_PICTURE = 64
DIRECTIONS = 256
SCALE = 1e3  # as the paper reports it


@torch.no_grad()
def sliced_wasserstein(real: Tensor, fake: Tensor) -> float:
    """Mean over pyramid levels of the distance between patches; 0 for equal sets, lower is better.

    Parameters
    ----------
    real, fake
        float [N, C, S, S] in [-1, 1], as many of the one as of the other; 100 and more give a steady number. Patches
        and directions are always the same ones.

    Returns
    -------
    The distance times 1,000. Patches are scaled by the real set's mean and deviation (the paper scales each set by its
    own), so that washed-out pictures are found far away.

    Raises
    ------
    ValueError
        The two sets differ in shape.
    """
    if real.shape != fake.shape:
        raise ValueError(f"the sets are {list(real.shape)} and {list(fake.shape)}; they must have one shape.")
    distances = []
    levels = zip(_laplacian_pyramid(real.float()), _laplacian_pyramid(fake.float()))
    for number, (real_level, fake_level) in enumerate(levels):
        random = stream(0, number, "sliced_wasserstein")
        rows, columns = torch.randint(real_level.shape[-1] - PATCH_PX + 1, (2, PATCHES_PER_PICTURE), generator=random)
        real_patches, fake_patches = (_patches(level, rows, columns) for level in (real_level, fake_level))
        mean = real_patches.mean(dim=(0, 2), keepdim=True)
        deviation = real_patches.std(dim=(0, 2), keepdim=True).clamp_min(1e-6)
        directions = torch.randn(real.shape[1] * PATCH_PX**2, DIRECTIONS, generator=random).to(real.device)
        directions = directions / directions.norm(dim=0)
        projected = [
            (((part - mean) / deviation).flatten(1) @ directions).sort(dim=0).values
            for part in (real_patches, fake_patches)
        ]
        distances.append((projected[0] - projected[1]).abs().mean())
    return float(torch.stack(distances).mean()) * SCALE


def _laplacian_pyramid(pictures: Tensor) -> list[Tensor]:
    """Details at each size down to :data:`COARSEST_PX`, where the rest remains."""
    levels = []
    while pictures.shape[-1] > COARSEST_PX:
        smaller = F.avg_pool2d(pictures, 2)
        levels.append(pictures - F.interpolate(smaller, scale_factor=2, mode="bilinear", align_corners=False))
        pictures = smaller
    return [*levels, pictures]


def _patches(level: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The same places of each picture, [N * places, C, patch * patch]."""
    cut = [level[:, :, y : y + PATCH_PX, x : x + PATCH_PX] for y, x in zip(rows.tolist(), columns.tolist())]
    return torch.stack(cut, dim=1).flatten(0, 1).flatten(2)
