"""Lined and squared paper: long straight lines, many of them side by side, which nobody drew."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import F32

__all__ = ["without_rulings"]

Ink = npt.NDArray[np.bool_]

LEAST_LINES = 5
LEAST_LONG = 0.3  # of the page's width, of a piece that counts
LEAST_SPAN = 0.6  # of the page's width, of all pieces of a line
THICKEST = 0.009  # of the page, of a ruling
MARGIN_LONG = 0.7  # of the page, of a single line that is taken for a ruling where there are others
MOST_LEAN_DEGREES = 8.0
PALER, LEAST_PEN = 1.5, 0.1  # ink so many times deeper than the rulings is the pen's, where there is this share of it
CROSSED = 1.5  # times as deep as a ruling is a pen that crosses it


def without_rulings(ink: Ink, depth: F32, again: Callable[[F32], Ink]) -> tuple[Ink, F32]:
    """Ink and its depth without rulings, straightened to them; ``again`` finds ink anew in a depth that was turned."""
    found: set[int] = set()
    for turn in (0, 1):
        lean = _lean(np.rot90(ink, turn))
        if lean is None:
            continue
        if abs(lean) > 0.1:
            depth = _turned(depth, lean)
            ink = again(depth)
        level = _level(np.rot90(ink, turn), np.rot90(depth, turn))
        pen = depth[ink & (depth > PALER * level)]
        if len(pen) > LEAST_PEN * np.count_nonzero(ink) and (deep := float(np.percentile(pen, 75))) > 2 * level:
            depth = np.where(depth > np.sqrt(level * deep), depth, 0).astype(
                np.float32
            )  # paler than the pen, all of them
            return again(depth), depth
        ink = np.rot90(_cleared(np.ascontiguousarray(np.rot90(ink, turn)), np.rot90(depth, turn)), -turn)
        depth, found = np.where(ink, depth, 0).astype(np.float32), found | {turn}
    for turn in {0, 1} - found if found else ():  # a margin's line
        ink = np.rot90(_cleared(np.ascontiguousarray(np.rot90(ink, turn)), np.rot90(depth, turn), MARGIN_LONG), -turn)
    return np.ascontiguousarray(ink), np.ascontiguousarray(depth)


def _level(ink: Ink, depth: F32, least: float = LEAST_LONG / 2) -> float:
    """How deep most of the lines across are; 0 where there is none.

    Lines count by their length: the few that were drawn are thicker than the many of the paper.
    """
    lines = _across(np.ascontiguousarray(ink), least)
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    numbers[~ink] = 0
    depths, lengths = [], []
    for number in range(1, count):
        left, top, wide, high = stats[number, :4].tolist()
        part = np.s_[top : top + high, left : left + wide]
        if (own := numbers[part] == number).any():
            depths.append(float(np.median(depth[part][own])))
            lengths.append(wide)
    return float(np.median(np.repeat(depths, lengths))) if depths else 0.0


def _across(ink: Ink, least: float = LEAST_LONG / 2) -> Ink:
    """Where long lines lie across, their gaps closed."""
    joined = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 9), np.uint8))
    long = np.ones((1, int(least * ink.shape[1])), np.uint8)
    return np.asarray(cv2.morphologyEx(joined, cv2.MORPH_OPEN, long) > 0)


def _lean(ink: Ink) -> float | None:
    """How many degrees rulings that lie across lean, or None where there are too few of them."""
    wide = ink.shape[1]
    thick = np.ones((max(int(THICKEST * max(ink.shape)), 5),) * 2, np.uint8)
    thin = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_TOPHAT, thick)
    found = cv2.HoughLinesP(
        thin, 1, np.pi / 720, int(0.15 * wide), minLineLength=LEAST_LONG * wide, maxLineGap=0.02 * wide
    )
    if found is None:
        return None
    lines = found.reshape(-1, 4).astype(np.float64)
    angle = np.degrees(np.arctan2(lines[:, 3] - lines[:, 1], lines[:, 2] - lines[:, 0]))
    angle = (angle + 90) % 180 - 90
    flat = np.abs(angle) <= MOST_LEAN_DEGREES
    if not flat.any():
        return None
    lean = float(np.median(angle[flat]))
    alike = flat & (np.abs(angle - lean) < 1.0)
    height = (lines[:, 1] + lines[:, 3]) / 2 - np.tan(np.radians(lean)) * (lines[:, 0] + lines[:, 2]) / 2
    rows: dict[int, float] = {}
    for row, (x1, _, x2, _) in zip(np.round(height[alike] / 6).astype(int).tolist(), lines[alike]):
        rows[row] = rows.get(row, 0.0) + abs(x2 - x1)
    long = sorted(row for row, total in rows.items() if total >= LEAST_SPAN * wide)
    apart = int((np.diff(long) > 1).sum()) + 1 if long else 0
    return lean if apart >= LEAST_LINES else None


def _turned(depth: F32, degrees: float) -> F32:
    high, wide = depth.shape
    matrix = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(depth, matrix, (wide, high), flags=cv2.INTER_LINEAR))


def _cleared(ink: Ink, depth: F32, least: float = LEAST_LONG / 2) -> Ink:
    """Without the rulings that lie across; a deeper pen that crosses them stays, an equal one is joined again."""
    lines = _across(ink, least)
    if not lines.any():
        return ink
    level = _level(ink, depth, least)
    around = cv2.dilate(lines.astype(np.uint8), np.ones((3, 1), np.uint8)) > 0
    left = ink & ~(around & (depth < CROSSED * level))
    tall = int(
        np.ceil(lines.sum(axis=0).max() / max((np.diff(lines.astype(np.int8), axis=0) == 1).sum(axis=0).max(), 1))
    )
    bridged = cv2.morphologyEx(left.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((tall + 5, 3), np.uint8)) > 0
    return np.asarray(left | (bridged & around & ink))
