"""Where ink is -> lines one pixel wide, followed from end to end."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Pixel", "follow", "lines_of", "outlined", "thin"]

Pixel = tuple[int, int]

SHORTEST_PX = 3  # a skeleton's stubs
FILLED, LINE = 0.2, 0.08  # of the longer side: what is as wide somewhere is a filled shape, as far as it is no line
OUTLINE = 0.01  # of the longer side, half an outline's width
_AROUND = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, -1), (-1, 1), (1, 1), (1, -1))


def lines_of(ink: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.float64]]:
    """Lines of ink bool [H, W], each float64 [P, 2]: x and y of its corners in pixels."""
    corners = [
        cv2.approxPolyDP(np.array(line, np.int32)[:, None, ::-1], 0.7, False)[:, 0] for line in follow(thin(ink))
    ]
    return [np.asarray(each + 0.5, np.float64) for each in corners]


def outlined(ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Ink bool [H, W] with filled shapes as their outlines: the middle line of a silhouette says nothing of it."""
    mask, side = ink.astype(np.uint8), max(ink.shape)
    seeds = _opened(mask, FILLED * side)
    if not seeds.any():
        return ink
    _, numbers = cv2.connectedComponents(_opened(mask, LINE * side), connectivity=8)
    shapes = np.isin(numbers, np.unique(numbers[(seeds > 0) & (numbers > 0)])).astype(np.uint8)
    ring = cv2.morphologyEx(shapes, cv2.MORPH_GRADIENT, np.ones((2 * max(round(OUTLINE * side), 1) + 1,) * 2, np.uint8))
    return np.asarray((ink & (shapes == 0)) | (ring > 0))


def _opened(mask: npt.NDArray[np.uint8], wide: float) -> npt.NDArray[np.uint8]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(int(wide), 3) | 1,) * 2)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), np.uint8)


def thin(ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Skeleton one pixel wide (Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984).

    Takes one picture bool [H, W], or many [..., H, W] at once.
    """
    image = np.pad(ink, [(0, 0)] * (ink.ndim - 2) + [(1, 1), (1, 1)]).astype(np.uint8)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            n = [image[..., :-2, 1:-1], image[..., :-2, 2:], image[..., 1:-1, 2:], image[..., 2:, 2:]]
            n += [image[..., 2:, 1:-1], image[..., 2:, :-2], image[..., 1:-1, :-2], image[..., :-2, :-2]]  # clockwise
            around = sum(part.astype(np.int8) for part in n)
            turns = sum(((a == 0) & (b == 1)).astype(np.int8) for a, b in zip(n, [*n[1:], n[0]]))
            north, east, south, west = n[0], n[2], n[4], n[6]
            if first:
                open_side = (north & east & south) | (east & south & west)
            else:
                open_side = (north & east & west) | (north & south & west)
            gone = (image[..., 1:-1, 1:-1] == 1) & (around >= 2) & (around <= 6) & (turns == 1) & (open_side == 0)
            if gone.any():
                image[..., 1:-1, 1:-1][gone] = 0
                changed = True
    return np.asarray(image[..., 1:-1, 1:-1] == 1)


def follow(skeleton: npt.NDArray[np.bool_]) -> list[list[Pixel]]:
    """Lines of a skeleton: from ends and crossings first, then the closed loops that are left."""
    left: set[Pixel] = {(row, column) for row, column in np.argwhere(skeleton).tolist()}
    neighbours = {pixel: _near(pixel, left) for pixel in left}
    ends = [pixel for pixel in sorted(left) if len(neighbours[pixel]) == 1]
    lines = []
    for start in [*ends, *sorted(left)]:
        while start in left:
            line = _walk(start, left)
            last_or_first = [line[0], line[-1]]
            joined = [_joint(end, line, neighbours) for end in last_or_first]
            whole = [pixel for pixel in (joined[0], *line, joined[1]) if pixel is not None]
            if len(whole) >= SHORTEST_PX or len(neighbours[start]) == 0:
                lines.append(whole)
    return lines


def _walk(start: Pixel, left: set[Pixel]) -> list[Pixel]:
    """Take pixels from ``left`` along one line, going straight on where it branches."""
    line = [start]
    left.discard(start)
    while True:
        choices = _near(line[-1], left)
        if not choices:
            return line
        if len(line) > 1:
            ahead = (line[-1][0] - line[-2][0], line[-1][1] - line[-2][1])
            choices.sort(key=lambda pixel: -((pixel[0] - line[-1][0]) * ahead[0] + (pixel[1] - line[-1][1]) * ahead[1]))
        line.append(choices[0])
        left.discard(choices[0])


def _joint(end: Pixel, line: list[Pixel], neighbours: dict[Pixel, list[Pixel]]) -> Pixel | None:
    """A pixel of another line (or this one's other end) that touches ``end``, so that no gap is left."""
    own = set(line[:3] if end == line[0] else line[-3:])
    others = [pixel for pixel in neighbours[end] if pixel not in own]
    return others[0] if others else None


def _near(pixel: Pixel, among: set[Pixel]) -> list[Pixel]:
    row, column = pixel
    return [(row + y, column + x) for y, x in _AROUND if (row + y, column + x) in among]
