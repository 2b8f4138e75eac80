"""``full``, ``outline``, ``thin``, ``coarse``: the edge maps that every training picture has, from careful to sparse.

Their lines are XDoG's (see :mod:`.xdog`) without its brightness term, since nobody fills dark areas with ink; the
silhouette is added, because XDoG misses the border of a light object on white paper.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.contours import grey_unit, silhouette
from edgegan_widget.sketch.sources import Asked, EdgeSource, register
from edgegan_widget.sketch.sources.xdog import XDOG_RATIO

__all__ = ["STYLES", "edge_styles", "xdog_lines"]

STYLES = {  # in the order of the planes of edge_styles
    "full": "silhouette and inner lines: what the networks learn to draw",
    "outline": "the silhouette alone",
    "thin": "thin silhouette, faint lines",
    "coarse": "silhouette and the lines of a wider XDoG",
}
_PENS = {"full": 1.0, "outline": 1.0, "thin": 0.5, "coarse": 1.0}  # widths of the outlines


def xdog_lines(image_u8: U8, sigma_px: float = 1.0, threshold: float = 0.018) -> U8:
    """Lines by thresholded difference of Gaussians, XDoG's equation 7 without its brightness term.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3].
    sigma_px
        Deviation of the narrower Gaussian; about half the line width.
    threshold
        How much darker than its surroundings a pixel must be to get ink, as a share of white (epsilon).

    Returns
    -------
    uint8 [H, W], 255 is paper.
    """
    grey = grey_unit(image_u8)
    narrow = cv2.GaussianBlur(grey, (0, 0), sigma_px)
    wide = cv2.GaussianBlur(grey, (0, 0), sigma_px * XDOG_RATIO)
    excess = narrow - wide + threshold  # below zero: ink, with an edge of slope 60 (phi)
    lines = np.where(excess >= 0, 1.0, 1.0 + np.tanh(60 * excess))
    return np.asarray(np.clip(lines, 0, 1) * 255, np.uint8)


def edge_styles(image_u8: U8, size_px: int) -> U8:
    """The edge map of a cut-out in each of :data:`STYLES`.

    Parameters
    ----------
    image_u8
        Cut-out on white, uint8 [H, H, 3], at least ``size_px`` large.
    size_px
        Side of the edge maps.

    Returns
    -------
    uint8 [4, size_px, size_px]; plane 0 is the edge map that the networks learn to draw.
    """
    line_px = 2 * image_u8.shape[0] / 128  # one pixel once reduced to 64
    outlines = {share: silhouette(image_u8, line_px * share) for share in set(_PENS.values())}
    planes = [_inked(outlines[_PENS[style]], image_u8, style) for style in STYLES]
    return np.stack([cv2.resize(plane, (size_px, size_px), interpolation=cv2.INTER_AREA) for plane in planes])


def _inked(outline: U8, image_u8: U8, style: str, detail: float = 1.0) -> U8:
    """An outline and the inner lines of a style."""
    if style == "outline" or detail == 0:
        return outline
    lines = xdog_lines(image_u8, 2.0 if style == "coarse" else 1.0, 0.018 / detail)
    return np.minimum(outline, 255 - (255 - lines) // 2 if style == "thin" else lines)


def _draw_as(style: str, image_u8: U8, asked: Asked) -> U8:
    return _inked(silhouette(image_u8, asked.line_px * _PENS[style], asked.mask_u8), image_u8, style, asked.detail)


for _style, _meaning in STYLES.items():
    register(EdgeSource(_style, _meaning, functools.partial(_draw_as, _style), always=True))
