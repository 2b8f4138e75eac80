"""Mending a mask with strokes: what they touch is kept or taken away, and colours say how far that reaches.

GrabCut (Rother, Kolmogorov and Blake, "GrabCut: interactive foreground extraction using iterated graph cuts", SIGGRAPH
2004, section 3.3, "further user editing") is run with the strokes as certain. Of what it would change, only the parts
that a stroke of that kind touches are taken: a stroke at the tail changes nothing at the head.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.pixels import Picture, as_alpha, as_photo, as_strokes, resized, within
from edgegan_widget.photo.refine import follow_edges, run_grabcut

__all__ = ["mend"]

_WORK_PX = 320  # longest side of the photo on which GrabCut works
_ROUNDS = 3
_DEEP = 0.03  # of the longest side: so far inside or outside the mask, away from strokes, is held certain
_REACH = 0.07  # of the longest side: a stroke changes nothing farther away
_SOFT_PX = 1.0  # by which a changed part's edge is smoothed on the reduced photo

Bools = np.ndarray


def mend(image: Picture, alpha: F32, keep: Any = None, take_away: Any = None) -> F32:
    """The alpha with what strokes keep and take away.

    Parameters
    ----------
    image
        The photo: uint8 [H, W, 3], a Pillow image or a path.
    alpha
        float [H, W] in 0..1, as :func:`~edgegan_widget.photo.cut_out` returns it.
    keep, take_away
        bool or uint8 [H, W], true where a stroke is; None is no stroke. Where both are, ``take_away`` wins.

    Returns
    -------
    float32 [H, W] in 0..1: 1 under ``keep``, 0 under ``take_away``; far from the strokes as it was.

    Raises
    ------
    DataError
        The photo cannot be read, or one of the others does not fit it.
    """
    photo_u8 = as_photo(image)
    before = as_alpha(alpha, photo_u8)
    away = as_strokes(take_away, "take_away", photo_u8)
    kept = as_strokes(keep, "keep", photo_u8) & ~away
    if not kept.any() and not away.any():
        return before
    changed = _changed(photo_u8, before, kept, away)
    changed[kept], changed[away] = 1, 0
    return np.asarray(changed, np.float32)


def _changed(photo_u8: U8, before: F32, kept: Bools, away: Bools) -> F32:
    """What GrabCut makes of it, at full size; as before where nothing was to be changed."""
    size, full = within(photo_u8, _WORK_PX), (photo_u8.shape[1], photo_u8.shape[0])
    small_u8, small = resized(photo_u8, size), resized(before, size)
    on, off = (resized(each.astype(np.float32), size) > 0 for each in (kept, away))
    inside = small >= 0.5
    wanted = _wanted(small_u8, inside, on & ~off, off)
    differs = wanted != inside
    if not differs.any():
        return np.array(before)
    mended = cv2.GaussianBlur(np.where(differs, wanted, small).astype(np.float32), (0, 0), _SOFT_PX)
    near = cv2.dilate(differs.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    weight = resized(cv2.GaussianBlur(near, (0, 0), _SOFT_PX), full)
    return np.asarray(before + weight * (follow_edges(photo_u8, mended) - before), np.float32)


def _wanted(photo_u8: U8, inside: Bools, on: Bools, off: Bools) -> Bools:
    """The mask after GrabCut and the strokes, bool [h, w]; changed only in parts that a stroke touches."""
    reach = round(_REACH * max(inside.shape))
    near_on, near_off = _grown(on, reach), _grown(off, reach)
    mask = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    mask[_deep(inside) & ~near_off], mask[_deep(~inside) & ~near_on] = cv2.GC_FGD, cv2.GC_BGD
    mask[on], mask[off] = cv2.GC_FGD, cv2.GC_BGD
    found = run_grabcut(photo_u8, mask, _ROUNDS) if min(inside.shape) > 2 and _has_both(mask) else inside
    found = (found | on) & ~off
    wanted = inside | _touched(found & ~inside & near_on, on)
    return np.asarray(wanted & ~_touched(~found & inside & near_off, off))


def _has_both(mask_u8: U8) -> bool:
    ground = (mask_u8 == cv2.GC_BGD) | (mask_u8 == cv2.GC_PR_BGD)
    return bool(ground.any() and not ground.all())


def _grown(mask: Bools, by_px: int) -> Bools:
    if not mask.any():
        return mask
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= by_px)


def _deep(mask: Bools) -> Bools:
    """What lies farther inside than an edge can be wrong."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) > _DEEP * max(mask.shape))


def _touched(parts: Bools, strokes: Bools) -> Bools:
    """Of connected parts those that a stroke touches."""
    _, numbers = cv2.connectedComponents(parts.astype(np.uint8), connectivity=8)
    hit = np.unique(numbers[strokes & parts])
    return np.isin(numbers, hit[hit > 0])
