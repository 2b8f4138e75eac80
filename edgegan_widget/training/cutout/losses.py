"""How far found masks are from the true ones: by pixel, by neighbourhood and as a whole.

Qin et al., "BASNet: Boundary-Aware Salient Object Detection", CVPR 2019, section 3.4: the sum of cross entropy, SSIM
and IoU, taken at every depth at which the decoder tells.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["mask_loss", "overlap_loss", "structure_loss"]

_WEIGHTS = (1.0, 0.5, 0.25, 0.25)  # of the depths, the finest first
_WINDOW_PX = 11
_C1, _C2 = 0.01**2, 0.03**2  # Wang et al., "Image Quality Assessment", 2004, section III.B


def mask_loss(found: Sequence[Tensor], masks: Tensor) -> Tensor:
    """One number for logits at several depths.

    Parameters
    ----------
    found
        float32 [N, 1, s, s] each, the finest first.
    masks
        float32 [N, 1, S, S] in 0..1; at each depth their means over its larger pixels are wanted.
    """
    total = masks.new_zeros(())
    for logits, weight in zip(found, _WEIGHTS):
        total = total + weight * _at_depth(logits, F.adaptive_avg_pool2d(masks, (logits.shape[2], logits.shape[3])))
    return total


def _at_depth(logits: Tensor, masks: Tensor) -> Tensor:
    likely = logits.sigmoid()
    by_pixel = F.binary_cross_entropy_with_logits(logits, masks)
    return by_pixel + overlap_loss(likely, masks) + structure_loss(likely, masks)


def overlap_loss(likely: Tensor, masks: Tensor) -> Tensor:
    """1 - IoU, softly, in the mean of the pictures (equation 6)."""
    both = (likely * masks).sum(dim=(1, 2, 3))
    either = (likely + masks).sum(dim=(1, 2, 3)) - both
    return (1 - (both + 1) / (either + 1)).mean()


def structure_loss(likely: Tensor, masks: Tensor) -> Tensor:
    """1 - SSIM (equation 5) over square windows, smaller where the picture is."""
    window = min(_WINDOW_PX, likely.shape[-1] // 2 * 2 - 1)

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, window, stride=1)

    mean_x, mean_y = mean(likely), mean(masks)
    var_x = mean(likely * likely) - mean_x.square()
    var_y = mean(masks * masks) - mean_y.square()
    both = mean(likely * masks) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    most = (mean_x.square() + mean_y.square() + _C1) * (var_x + var_y + _C2)
    return torch.mean(1 - alike / most)
