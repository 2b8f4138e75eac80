"""Changes to real and generated pictures before the discriminators, so that a small set is not learnt by heart.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020. ``shift`` moves only;
``diffaugment`` is the paper's colour, translation and cutout. Everything is differentiable, deterministic on any device
and free of waits for it: what is random comes in as numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["NUMBERS", "augment"]

NUMBERS = 7  # uniform numbers that one picture needs: brightness, saturation, contrast, shift (2), hole (2)
SHIFT_SHARE = {"shift": 5 / 64, "diffaugment": 1 / 8}  # of the side, either way
HOLE_SHARE = 0.5


def augment(pairs: Tensor, numbers: Tensor, kind: str) -> Tensor:
    """Change pictures.

    Parameters
    ----------
    pairs
        float [N, C, S, S] in [-1, 1]; the last three channels are the picture, those before it its edge map, which
        moves with it and keeps its colour.
    numbers
        float [N, NUMBERS], uniform in [0, 1).
    kind
        ``none``, ``shift`` or ``diffaugment``.
    """
    if kind == "none":
        return pairs
    if kind == "diffaugment":
        edges, images = pairs[:, :-3], _recolour(pairs[:, -3:], numbers[:, :3])
        pairs = torch.cat([edges, images], dim=1)
    pairs = _move(pairs, numbers[:, 3:5], SHIFT_SHARE[kind])
    return _punch(pairs, numbers[:, 5:7]) if kind == "diffaugment" else pairs


def _recolour(images: Tensor, numbers: Tensor) -> Tensor:
    """Brightness by up to half, saturation from 0 to 2, contrast from 0.5 to 1.5."""
    brightness, saturation, contrast = (numbers[:, column, None, None, None] for column in range(3))
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * (contrast + 0.5)


def _move(pairs: Tensor, numbers: Tensor, share: float) -> Tensor:
    """Translate by whole pixels, white paper coming in."""
    side = pairs.shape[-1]
    most = round(share * side)
    steps = (numbers * (2 * most + 1)).floor().long() - most  # [N, 2]: down, right
    # As two products with one-hot matrices: exact, and its gradient needs no scattered sums.
    at = torch.arange(side, device=pairs.device)
    down, right = ((at[:, None] - at[None, :] == step[:, None, None]).to(pairs.dtype) for step in steps.unbind(dim=1))
    return down[:, None] @ (pairs - 1) @ right[:, None].transpose(2, 3) + 1


def _punch(pairs: Tensor, numbers: Tensor) -> Tensor:
    """Cut a square hole of half the side out, which may hang over the border; it is grey (0)."""
    side = pairs.shape[-1]
    half = round(HOLE_SHARE * side / 2)
    centre = (numbers * (side + 1)).floor()[:, :, None]  # [N, 2, 1]
    at = torch.arange(side, device=pairs.device)
    rows, columns = ((at >= centre - half) & (at < centre + half)).unbind(dim=1)  # [N, S] each
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    return pairs.masked_fill(hole, 0.0)
