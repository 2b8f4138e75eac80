"""``canny``: Canny's edges."""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.contours import PAPER_U8, canny_mask, grey_unit
from edgegan_widget.sketch.sources import Asked, EdgeSource, register

__all__ = ["canny"]


def canny(
    image_u8: U8, sigma_px: float = 1.4, low: float = 0.06, high: float = 0.15, line_px: float | None = None
) -> U8:
    """Edges after Canny, "A Computational Approach to Edge Detection" (PAMI 1986), sections VI to VIII.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3]; its grey values are used.
    sigma_px
        Deviation of the Gaussian before slopes are taken.
    low, high
        Hysteresis: a line begins where a step edge would have ``high`` of white's contrast and goes on down to ``low``.
    line_px
        Width of the lines; None leaves one pixel, black or white.

    Returns
    -------
    uint8 [H, W], 255 is paper.
    """
    grey = grey_unit(image_u8)
    lines = canny_mask(grey, sigma_px, low, high)
    if line_px is None or not lines.any():
        return PAPER_U8 * (1 - lines)
    away_px = cv2.distanceTransform(1 - lines, cv2.DIST_L2, 5)
    return np.asarray(255 - 255 * np.clip((line_px + 1) / 2 - away_px, 0, 1), np.uint8)


def _draw(image_u8: U8, asked: Asked) -> U8:
    easier = 1 / max(asked.detail, 0.1)
    return canny(image_u8, low=min(0.06 * easier, 0.8), high=min(0.15 * easier, 0.9), line_px=asked.line_px)


register(EdgeSource("canny", "Canny's edges", _draw))
