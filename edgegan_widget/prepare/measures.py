"""Measures of a cut-out that tell whether it is fit to learn from; :mod:`audit` holds them against thresholds.

Whatever the picture's size, they are taken at :data:`WORKING_PX`, where what is seen there is what training sees.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.edges import xdog_lines

__all__ = ["Measures", "Shape", "hashes", "measure"]

U8 = npt.NDArray[np.uint8]
Measures = dict[str, float]

WORKING_PX = 128
_INSIDE_FROM_U8 = 128
_RIM_PX = 4  # left out of measures of the inside: the silhouette's own lines
_LEAST_INSIDE_PX = 60
_REBLUR_PX = 7
_CONTACT_SHARE = 0.04  # of the object's longest side: another object nearer than this touches it
_GREY_TIE_U8 = 2
_LARGE_PX = 100
_IN_FRONT = 0.7  # tells hidden from hiding best, on planted ones


class Shape:
    """A mask in its picture: uint8 [H, W] of 0 and 1, its box (left, top, width, height) and, when asked, its hull."""

    def __init__(self, mask_u8: U8) -> None:
        self.mask = np.asarray(mask_u8 >> 7, np.uint8)
        self.box = tuple[int, int, int, int](cv2.boundingRect(self.mask))

    @functools.cached_property
    def _hull(self) -> npt.NDArray[np.int32]:
        left, top, width, height = self.box
        inner = np.ascontiguousarray(self.mask[top : top + height, left : left + width])
        contours, _ = cv2.findContours(inner, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top))
        return np.asarray(cv2.convexHull(np.concatenate(contours)), np.int32)

    def hull_in(self, left: int, top: int, like: U8) -> U8:
        """The filled hull within the window of ``like`` at (left, top)."""
        window = np.zeros(like.shape, np.uint8)
        return np.asarray(cv2.fillConvexPoly(window, self._hull - np.array([left, top], np.int32), 1), np.uint8)


def measure(image_u8: U8, mask_u8: U8, region: Shape, others: Sequence[Shape] = ()) -> Measures:
    """Measure one cut-out.

    Parameters
    ----------
    image_u8, mask_u8
        The cut-out on white, uint8 [S, S, 3], and its mask, uint8 [S, S].
    region
        The object's mask in its picture; not empty.
    others
        Masks of everything else that the picture's annotations know.

    Returns
    -------
    ``frame`` (0..1), ``size_px``, ``brightness`` and ``contrast`` (0..255), ``blur`` (0..1), ``hidden`` (0..1),
    ``pieces`` (0..1), ``ink`` (0..1), ``specks``, ``aspect`` (log of width / height).
    """
    small = _at_working_size(image_u8)
    inside = _inside(_at_working_size(mask_u8))
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    low, high = np.percentile(grey[inside], (5, 95))
    lines = xdog_lines(small)
    found = {
        "brightness": float(high),
        "contrast": float(high - low),
        "blur": _blur(grey, inside),
        "ink": float((255 - lines[inside].astype(np.float64)).mean() / 255),
        "specks": _specks(lines, inside),
    }
    return {name: round(value, 4) for name, value in (found | _of_mask(region, others)).items()}


def _at_working_size(plane: U8) -> U8:
    if plane.shape[0] == WORKING_PX:
        return plane
    method = cv2.INTER_AREA if plane.shape[0] > WORKING_PX else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (WORKING_PX, WORKING_PX), interpolation=method), np.uint8)


def _inside(mask: U8) -> npt.NDArray[np.bool_]:
    """The object without its rim, or all of it where nothing else is left; never empty."""
    whole = (mask >= _INSIDE_FROM_U8).astype(np.uint8)
    eroded = cv2.erode(whole, np.ones((2 * _RIM_PX + 1,) * 2, np.uint8), borderValue=0)
    for plane in (eroded, whole):
        if plane.sum() >= _LEAST_INSIDE_PX:
            return np.asarray(plane, bool)
    return np.asarray(mask >= min(_INSIDE_FROM_U8, int(mask.max())), bool)


def _blur(grey: U8, inside: npt.NDArray[np.bool_]) -> float:
    """How little blurring again changes: Crete et al., "The blur effect" (2007), inside the object only."""
    weight = inside.astype(np.float32)
    shades = grey.astype(np.float32) * weight
    worst = 0.0
    for axis, kernel in ((1, (_REBLUR_PX, 1)), (0, (1, _REBLUR_PX))):
        again = cv2.blur(shades, kernel) / np.maximum(cv2.blur(weight, kernel), 1e-6)
        pairs = np.minimum(np.delete(weight, 0, axis), np.delete(weight, -1, axis)) > 0
        change = np.abs(np.diff(shades, axis=axis))[pairs]
        lost = np.maximum(0, change - np.abs(np.diff(again, axis=axis))[pairs])
        total = float(change.sum())
        worst = max(worst, 1 - float(lost.sum()) / total if total > 0 else 1.0)
    return worst


def _specks(lines: U8, inside: npt.NDArray[np.bool_]) -> float:
    """Islands of ink and of paper for each hundred pixels inside: lines that form something are few, however long."""
    ink = lines < _INSIDE_FROM_U8
    shore = inside & (cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) == 0)
    islands = 0
    for plane in (ink, ~ink):
        count, parts = cv2.connectedComponents((plane & inside).astype(np.uint8))
        islands += count - 1 - np.count_nonzero(np.unique(parts[shore]))
    return 100 * islands / int(inside.sum())


def _of_mask(region: Shape, others: Sequence[Shape]) -> Measures:
    """Measures of the mask in its picture."""
    left, top, width, height = region.box
    count, _, facts, _ = cv2.connectedComponentsWithStats(
        region.mask[top : top + height, left : left + width], connectivity=8
    )
    areas = facts[1:count, cv2.CC_STAT_AREA]
    return {
        "frame": _on_frame(region),
        "size_px": float(max(width, height)),
        "hidden": _hidden(region, others),
        "pieces": float(1 - areas.max() / areas.sum()),
        "aspect": float(np.log(width / height)),
    }


def _on_frame(region: Shape) -> float:
    """The largest share of a side of the object's box that lies on the picture's frame."""
    _, _, width, height = region.box
    near = 2 if max(width, height) >= _LARGE_PX else 1  # annotators stop a pixel short of the frame
    sides = (
        region.mask[:near].max(axis=0).sum() / width,
        region.mask[-near:].max(axis=0).sum() / width,
        region.mask[:, :near].max(axis=1).sum() / height,
        region.mask[:, -near:].max(axis=1).sum() / height,
    )
    return float(max(sides))


def _hidden(region: Shape, others: Sequence[Shape]) -> float:
    """How much of the object's hull objects before it fill.

    Of two that touch, the one behind has more of its hull filled by the other: it has lost what the other covers,
    while the one in front shows the other only in its own hollows.
    """
    left, top, width, height = region.box
    near = max(1, round(_CONTACT_SHARE * max(width, height)))
    x, y = max(0, left - near), max(0, top - near)
    mine = region.mask[y : top + height + near, x : left + width + near]
    hull: U8 | None = None
    lost = 0.0
    for other in others:
        theirs = other.mask[y : top + height + near, x : left + width + near]
        if not _boxes_meet(other.box, (x, y, mine.shape[1], mine.shape[0])) or not theirs.any():
            continue
        hull = region.hull_in(x, y, mine) if hull is None else hull
        filled = np.count_nonzero(hull & theirs & ~mine)
        given = np.count_nonzero(other.hull_in(x, y, mine) & mine & ~theirs)
        lost += max(0.0, float(filled) - _IN_FRONT * float(given))
    return lost / max(1, int(np.count_nonzero(hull))) if hull is not None else 0.0


def _boxes_meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return all(max(one[at], other[at]) < min(one[at] + one[at + 2], other[at] + other[at + 2]) for at in (0, 1))


def hashes(image_u8: U8) -> tuple[str, str]:
    """Perceptual hashes as hexadecimal text: 64 bits to find candidates by, 256 bits to compare them by."""
    grey = cv2.cvtColor(image_u8, cv2.COLOR_RGB2GRAY)
    waves = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8].ravel()
    coarse = waves > np.median(waves[1:])
    tiny = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    fine = np.diff(tiny, axis=1) > _GREY_TIE_U8
    return np.packbits(coarse).tobytes().hex(), np.packbits(fine).tobytes().hex()
