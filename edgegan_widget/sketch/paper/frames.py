"""What runs along a page's borders and nobody drew: scanner edges, frames, the printed box around a drawing's place."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["BAND", "has_frame", "without_borders"]

Ink = npt.NDArray[np.bool_]

BAND = 0.08  # of the page along its borders, where frames and scanner edges lie
FRAME_BAND = 0.03  # of the page, where a frame lies that does not touch the border
BOX_BAND = 0.14  # of the page, where the sides of a box around the drawing lie
BOX_OFF = 0.02  # of the longer side, by which a box's side may leave the straight line between its corners
BOX_SEEN = 0.9  # of its outline, that is there
BOX_SPECKS_PX = 12  # dust beside it
BOX_GAP = 0.03  # of the longer side, between a box and what is drawn in it


def without_borders(ink: Ink) -> Ink:
    """Without what runs along the page's borders: what touches them, and a frame a little inside them."""
    kept = ink.copy()
    turned = [np.rot90(kept, turn) for turn in range(4)]  # views: each border comes to the top once
    framed = has_frame(ink)
    for each in turned:
        rows = _long_rows(each, BAND, 0.6, touches=True)
        if framed:
            rows = max(rows, _long_rows(each, FRAME_BAND, 0.85, touches=False))
        if rows:
            each[: rows + 1 + each.shape[0] // 100] = False
    return _without_box(_without_touching(kept))


def has_frame(ink: Ink) -> bool:
    """Whether long lines run a little inside three of the page's borders."""
    return sum(_long_rows(np.rot90(ink, turn), FRAME_BAND, 0.85, touches=False) > 0 for turn in range(4)) >= 3


def _long_rows(ink: Ink, band: float, share: float, touches: bool) -> int:
    """How many rows from the top reach past the last long one of the band; 0 where there is none."""
    high = max(int(band * ink.shape[0]), 2)
    long = np.flatnonzero(ink[:high].mean(axis=1) > share)
    if not len(long) or (touches and long[0] > max(ink.shape[0] // 100, 1)):
        return 0
    return int(long[-1]) + 1


def _without_touching(ink: Ink) -> Ink:
    """Without parts that touch a border and keep close to it."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    band = max(int(BAND / 2 * max(ink.shape)), 2)
    inner = np.zeros_like(ink)
    inner[band:-band, band:-band] = ink[band:-band, band:-band]
    inside = np.bincount(numbers[inner], minlength=count)
    near = max(band // 3, 1)
    strips = numbers[:near], numbers[-near:], numbers[:, :near], numbers[:, -near:]
    edge = np.unique(np.concatenate([strip.ravel() for strip in strips]))
    gone = [number for number in edge.tolist() if number and inside[number] < 0.4 * stats[number, cv2.CC_STAT_AREA]]
    return np.asarray(ink & ~np.isin(numbers, gone))


def _without_box(ink: Ink) -> Ink:
    """Without a box of straight lines near the page's borders that holds all else and touches none of it."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    if count < 3:
        return ink
    number = 1 + int(stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].prod(axis=1).argmax())
    box = numbers == number
    corners = _corners(box)
    if corners is None:
        return ink
    side = max(ink.shape)
    outline = cv2.polylines(np.zeros(ink.shape, np.uint8), [corners], True, 1)
    near = np.ones((2 * round(BOX_OFF * side) + 1,) * 2, np.uint8)
    straight = cv2.dilate(outline, near) > 0
    seen = cv2.dilate(box.astype(np.uint8), near)[outline > 0].mean()
    gap = cv2.dilate(box.astype(np.uint8), np.ones((2 * round(BOX_GAP * side) + 1,) * 2, np.uint8)) > 0
    within = cv2.fillConvexPoly(np.zeros(ink.shape, np.uint8), corners, 1) > 0
    others = ink & ~box
    elsewhere = np.count_nonzero(others & (gap | ~within))
    is_box = seen > BOX_SEEN and not (box & ~straight).any() and elsewhere <= BOX_SPECKS_PX
    return others if is_box else ink


def _corners(box: Ink) -> npt.NDArray[np.int32] | None:
    """The four corners [4, 2] of what may be a box, each near two of the page's borders; None where it is none."""
    hull = cv2.convexHull(np.argwhere(box)[:, ::-1].astype(np.int32))
    corners = cv2.approxPolyDP(hull, 0.02 * cv2.arcLength(hull, True), True).reshape(-1, 2)
    size = np.array(box.shape[::-1])
    near = np.minimum(corners, size - 1 - corners) <= BOX_BAND * size
    return np.asarray(corners, np.int32) if len(corners) == 4 and near.all() else None
