"""A coarse mask -> a soft alpha that follows the photo's edges at its full size.

First GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004) decides in a band around the coarse edge, on a reduced
photo, by the colours of either side. Then a guided filter (He, Sun and Tang, TPAMI 2013) carries the mask over to the
full size, in which it is locally a linear function of the photo: hair and small holes come out soft. It is worked out
in tiles, and only where the mask is not all object or all ground, so that large photos need little memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.pixels import resized, within

__all__ = ["cut_by_colour", "follow_edges", "refine"]

WORK_PX = 320  # longest side of the photo on which GrabCut works
_SURE, _SURE_NOT = 0.97, 0.03
_ROUNDS = 2
_TRUST = 0.7  # of the band: how much GrabCut's word counts beside the network's
_LEAST_SIDE_PX = 8  # photos below it have no colours to learn from
_RADIUS = 1 / 80  # of the longest side
_SMOOTHNESS = 5e-3  # the filter's epsilon, of colours in 0..1: variances well below are smoothed
_FAST_RADIUS_PX = 8  # larger ones are worked out on a reduced tile (He and Sun, "Fast Guided Filter", 2015)
_TILE_PX = 1024
_STEEP = 1.6  # a linear function of the photo rarely reaches 0 and 1
_SPECK = 0.02  # what the filter leaves of nothing


def refine(photo_u8: U8, likely: F32) -> F32:
    """Bring a coarse mask to the photo's edges.

    Parameters
    ----------
    photo_u8
        uint8 [H, W, 3].
    likely
        float32 [h, w] in 0..1, of any size: how likely each place is object.

    Returns
    -------
    float32 [H, W] in 0..1.
    """
    size = within(photo_u8, WORK_PX)
    small_u8, small = resized(photo_u8, size), resized(likely, size)
    return follow_edges(photo_u8, cut_by_colour(small_u8, small))


def cut_by_colour(photo_u8: U8, likely: F32) -> F32:
    """The mask with its uncertain band decided mostly by colours; float32 of the same size, 0..1."""
    sure, sure_not = likely >= _SURE, likely <= _SURE_NOT
    if min(photo_u8.shape[:2]) < _LEAST_SIDE_PX or not sure.any() or not sure_not.any():
        return likely
    mask = np.where(likely >= 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[sure], mask[sure_not] = cv2.GC_FGD, cv2.GC_BGD
    inside = run_grabcut(photo_u8, mask)
    band = ~(sure | sure_not)
    return np.where(band, (1 - _TRUST) * likely + _TRUST * inside, likely).astype(np.float32)


def run_grabcut(photo_u8: U8, mask_u8: U8, rounds: int = _ROUNDS) -> np.ndarray:
    """OpenCV's GrabCut from its own kind of mask; bool [H, W], the same for the same input."""
    cv2.setRNGSeed(0)  # its colour clusters begin at random
    colours = np.zeros((1, 65)), np.zeros((1, 65))
    found, *_ = cv2.grabCut(photo_u8, mask_u8.copy(), None, *colours, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((found == cv2.GC_FGD) | (found == cv2.GC_PR_FGD))


def follow_edges(photo_u8: U8, mask: F32) -> F32:
    """A mask float32 [h, w] in 0..1 of any size -> alpha [H, W] along the photo's edges, by a guided filter."""
    height, width = photo_u8.shape[:2]
    radius = max(2, round(_RADIUS * max(height, width)))
    whole = resized(mask, (width, height)).astype(np.float32, copy=True)
    alpha = whole.copy()
    for tile, wider, inner in _tiles(height, width, 2 * radius):
        coarse = whole[wider]
        if coarse.max() - coarse.min() < _SPECK:
            continue
        scale = _FAST_RADIUS_PX / radius if radius > _FAST_RADIUS_PX else 1.0
        scale = scale if scale * min(coarse.shape) >= 2 else 1.0
        guide = photo_u8[wider].astype(np.float32) / 255
        fine = cv2.ximgproc.guidedFilter(guide, coarse, radius, _SMOOTHNESS, scale=scale)
        alpha[tile] = np.clip((fine[inner] - 0.5) * _STEEP + 0.5, 0, 1)
    alpha[alpha < _SPECK] = 0
    alpha[alpha > 1 - _SPECK] = 1
    return np.asarray(alpha, np.float32)


_Box = tuple[slice, slice]


def _tiles(height: int, width: int, overlap: int) -> Iterator[tuple[_Box, _Box, _Box]]:
    """Each tile, the same with its surroundings, and where it lies in that."""
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            bottom, right = min(height, top + _TILE_PX), min(width, left + _TILE_PX)
            above, before = max(0, top - overlap), max(0, left - overlap)
            wider = slice(above, min(height, bottom + overlap)), slice(before, min(width, right + overlap))
            inner = slice(top - above, bottom - above), slice(left - before, right - before)
            yield (slice(top, bottom), slice(left, right)), wider, inner
