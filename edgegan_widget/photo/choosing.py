"""Choosing a part of a photo: what lies under a click, and what a line, a brush or a box encloses."""

from __future__ import annotations

import os
from collections.abc import Sequence

import cv2
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.photo.finders import load_finder
from edgegan_widget.photo.pixels import resized, within
from edgegan_widget.photo.refine import WORK_PX, refine, run_grabcut

__all__ = ["Bools", "box_between", "brushed", "enclosed", "under_click"]

Bools = np.ndarray  # bool [H, W]
Points = Sequence[Sequence[float]]  # x, y in pixels

_INSIDE_FROM = 0.35  # of the alpha: what is half an object is to go as well
_CROPS = (0.6, 0.3)  # of the longest side: where nothing was found in the whole, the network looks closer
_AROUND_CLICK = 0.25  # of the longest side: where the object under the click is looked for by its colours
_SURE = 0.02  # of it: as near to the click all is object
_LEAST_SHARE, _MOST_SHARE = 0.0005, 0.7  # of the photo: what is smaller or larger was not meant
_ROUNDS = 4
_LEAST_SIDE_PX = 8  # smaller photos have no colours to learn from


def under_click(photo_u8: U8, x: float, y: float, *, model: str | os.PathLike[str] | None = None) -> Bools:
    """The object at a place of a photo.

    First the network that cuts out looks at the photo, and then closer and closer around the place. Where it finds
    nothing there, GrabCut takes what has the colours of the place.

    Parameters
    ----------
    photo_u8
        uint8 [H, W, 3]; about a thousand pixels wide at most, larger ones only take longer.
    x, y
        The place in pixels.
    model
        As for :func:`~edgegan_widget.photo.cut_out`.

    Returns
    -------
    bool [H, W], true at the place and in what is connected with it.
    """
    height, width = photo_u8.shape[:2]
    column, row = (int(np.clip(at, 0, side - 1)) for at, side in ((x, width), (y, height)))
    finder, longest = load_finder(model), max(height, width)
    for share in (1.0, *_CROPS):
        rows, columns = _window(row, height, share * longest), _window(column, width, share * longest)
        part = np.ascontiguousarray(photo_u8[rows, columns])
        found = np.zeros((height, width), bool)
        found[rows, columns] = refine(part, finder(part)) > _INSIDE_FROM
        if found[row, column] and _LEAST_SHARE < (under := _connected(found, row, column)).mean() < _MOST_SHARE:
            return under
    return _of_colour(photo_u8, row, column)


def _window(at: int, side: int, length: float) -> slice:
    """So many pixels around a place, moved so that they lie inside."""
    whole = min(side, max(8, round(length)))
    first = min(max(0, at - whole // 2), side - whole)
    return slice(first, first + whole)


def _connected(mask: Bools, row: int, column: int) -> Bools:
    _, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return np.asarray(numbers == numbers[row, column])


def _of_colour(photo_u8: U8, row: int, column: int) -> Bools:
    """What has the colours of a place and is connected with it, not far away; worked out on a reduced photo."""
    size = within(photo_u8, WORK_PX)
    small_u8, scale = resized(photo_u8, size), size[0] / photo_u8.shape[1]
    at = min(round(column * scale), size[0] - 1), min(round(row * scale), size[1] - 1)
    reach, sure = (max(1, round(share * max(size))) for share in (_AROUND_CLICK, _SURE))
    mask = np.full(size[::-1], cv2.GC_BGD, np.uint8)
    cv2.circle(mask, at, reach, cv2.GC_PR_BGD, cv2.FILLED)
    cv2.circle(mask, at, max(2, reach // 2), cv2.GC_PR_FGD, cv2.FILLED)
    cv2.circle(mask, at, sure, cv2.GC_FGD, cv2.FILLED)
    found = near = np.asarray(mask == cv2.GC_FGD)
    if min(size) >= _LEAST_SIDE_PX and (mask == cv2.GC_BGD).any():
        found = _connected(run_grabcut(small_u8, mask, _ROUNDS) | near, at[1], at[0])
    whole = np.asarray(resized(found.astype(np.float32), photo_u8.shape[1::-1]) > _INSIDE_FROM)
    whole[row, column] = True
    return whole


def enclosed(points: Points, shape: tuple[int, int]) -> Bools:
    """What a closed line goes around; bool of that height and width."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [_corners(points)], 1)
    return mask > 0


def brushed(points: Points, width_px: float, shape: tuple[int, int]) -> Bools:
    """Where a round brush went; bool of that height and width."""
    mask, corners = np.zeros(shape, np.uint8), _corners(points)
    cv2.polylines(mask, [corners], False, 1, max(1, round(width_px)))
    for end in corners[[0, -1]]:
        cv2.circle(mask, end.tolist(), round(width_px / 2), 1, cv2.FILLED)
    return mask > 0


def box_between(points: Points, shape: tuple[int, int]) -> Bools:
    """The box around points; bool of that height and width."""
    (left, top), (right, bottom) = (_corners(points).min(0).clip(0), _corners(points).max(0).clip(0))
    mask = np.zeros(shape, bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


def _corners(points: Points) -> np.ndarray:
    placed = np.asarray(points, np.float64)[:, :2]
    return np.round(np.clip(np.nan_to_num(placed), -30_000, 30_000)).astype(np.int32)
