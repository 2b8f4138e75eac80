"""Masks in their picture: what they tell of an object before it is cut out, and what stands before it."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import F32, U8

__all__ = ["Shape", "of_mask"]

_CONTACT_SHARE = 0.04  # of the object's longest side: another object nearer than this touches it
_LARGE_PX = 100
# Which of two objects is in front: set on planted ones, on one half of the photos.
_WORK_PX = 64  # the longer side at which borders are looked at
_ROUND_PX = 6.0  # deviation of the window in which a border is round or hollow
_MARGIN_SHARE = 0.15
_WEIGHT_OF_BORDER = 2.0
_IN_FRONT = 0.08


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


def of_mask(region: Shape, others: Sequence[Shape]) -> dict[str, float]:
    """Measures of an object's mask in its picture, among the masks of what else is in it.

    Returns
    -------
    ``frame`` (0..1), ``size_px``, ``hidden`` (0..1), ``pieces`` (0..1), ``aspect`` (log of width / height).
    """
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
    """How much of the object's hull objects before it fill."""
    left, top, width, height = region.box
    near = max(1, round(_CONTACT_SHARE * max(width, height)))
    x, y = max(0, left - near), max(0, top - near)
    mine = region.mask[y : top + height + near, x : left + width + near]
    hull: U8 | None = None
    lost = 0
    for other in others:
        theirs = other.mask[y : top + height + near, x : left + width + near]
        if not _boxes_meet(other.box, (x, y, mine.shape[1], mine.shape[0])) or not theirs.any():
            continue
        hull = region.hull_in(x, y, mine) if hull is None else hull
        filled = np.count_nonzero(hull & theirs & ~mine)
        given = np.count_nonzero(other.hull_in(x, y, mine) & mine & ~theirs)
        if filled and _is_before(region, other, int(filled), int(given)):
            lost += int(filled)
    return min(1.0, lost / max(1, int(np.count_nonzero(hull)))) if hull is not None else 0.0


def _is_before(region: Shape, other: Shape, filled_px: int, given_px: int) -> bool:
    """Whether the other object stands before this one.

    Of two that touch, the one behind has more of its hull filled by the other: it has lost what the other covers,
    while the one in front shows the other only in its own hollows. And the border between them belongs to the one in
    front, whose outline is round there more often than hollow.
    """
    return math.log((filled_px + 1) / (given_px + 1)) - _WEIGHT_OF_BORDER * _roundness(region, other) > _IN_FRONT


def _roundness(region: Shape, other: Shape) -> float:
    """How much the object bulges into the other where they touch, -1 to 1; 0 where they do not."""
    mine, theirs = (_around(shape, region.box) for shape in (region, other))
    touching = _grown(mine) & _grown(theirs)
    if not touching.any():
        return 0.0
    near = [cv2.GaussianBlur(plane, (0, 0), _ROUND_PX)[touching > 0] for plane in (mine, theirs)]
    return float(((near[1] - near[0]) / (near[0] + near[1] + 1e-6)).mean())


def _around(shape: Shape, box: tuple[int, int, int, int]) -> F32:
    """The mask in the box and a margin around it, reduced; beyond the picture its border goes on."""
    left, top, width, height = box
    margin = max(2, round(_MARGIN_SHARE * max(width, height)))
    ends = (top - margin, top + height + margin, left - margin, left + width + margin)
    high, wide = shape.mask.shape
    inner = shape.mask[max(0, ends[0]) : min(high, ends[1]), max(0, ends[2]) : min(wide, ends[3])]
    missing = (max(0, -ends[0]), max(0, ends[1] - high), max(0, -ends[2]), max(0, ends[3] - wide))
    whole = cv2.copyMakeBorder(inner.astype(np.float32), *missing, cv2.BORDER_REPLICATE)
    scale = _WORK_PX / max(width, height)
    size = (max(4, round(whole.shape[1] * scale)), max(4, round(whole.shape[0] * scale)))
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)


def _grown(plane: F32) -> U8:
    return np.asarray(cv2.dilate((plane > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)


def _boxes_meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return all(max(one[at], other[at]) < min(one[at] + one[at + 2], other[at] + other[at + 2]) for at in (0, 1))
