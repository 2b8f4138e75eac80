"""Where each pixel of a hole is copied from: its shift, found on a reduced photo and carried up to larger ones."""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8

__all__ = ["Shifts", "find_shifts", "grown", "refined", "unlike_rim"]

Shifts = np.ndarray  # int32 [H, W, 2], rows and columns to where a pixel is copied from; 0, 0 where it is not
Bools = np.ndarray

_PATCH_PX = 8  # that OpenCV compares
_LEAST_PATCHES = 60  # of known pixels: it wants as many shifts
_INDEX_UNIT = 2.0**-20  # far below a step of colour
_RIM_SHARE = 0.2  # of the square root of the hole's area: how wide the rim is whose colours count
_COLOUR_STEP = 8
_RARE = 0.004  # of the rim: a colour that fewer of its pixels have or nearly have is strange to it
_AROUND_PX = 7
_SHARED_PX = 2  # by which pieces are compared beyond their edges


def find_shifts(photo_u8: U8, inside: Bools, never: Bools) -> Shifts:
    """By OpenCV's shift map, in CIE Lab; all zero where there is too little around the hole to copy from.

    Parameters
    ----------
    photo_u8
        uint8 [h, w, 3] with at most a million pixels.
    inside, never
        bool [h, w]: the hole, and what is not copied from (if something is left without it).
    """
    blocked = next((each for each in (inside | never, inside) if _has_patches(~each)), None)
    if blocked is None:
        return np.zeros((*inside.shape, 2), np.int32)
    lab = cv2.cvtColor(photo_u8, cv2.COLOR_RGB2Lab).astype(np.float32)
    # A fourth channel says where each pixel is from; too small to count among the colours, it is copied with them.
    numbers = np.arange(inside.size, dtype=np.float32).reshape(inside.shape) * np.float32(_INDEX_UNIT)
    filled = np.zeros((*inside.shape, 4), np.float32)
    cv2.setRNGSeed(0)
    known_u8 = np.where(blocked, 0, 255).astype(np.uint8)  # for OpenCV 0 is the hole
    cv2.xphoto.inpaint(np.dstack([lab, numbers]), known_u8, filled, cv2.xphoto.INPAINT_SHIFTMAP)
    rows, columns = np.nonzero(inside)
    source = np.round(filled[..., 3][inside] / _INDEX_UNIT).astype(np.int32)
    width = inside.shape[1]
    shifts = np.zeros((*inside.shape, 2), np.int32)
    shifts[rows, columns] = np.stack([source // width - rows, source % width - columns], 1)
    shifts[rows, columns] *= ~blocked.ravel()[source][:, None]  # what was copied from nowhere
    return shifts


def _has_patches(known: Bools) -> bool:
    whole = cv2.erode(known.astype(np.uint8), np.ones((_PATCH_PX, _PATCH_PX), np.uint8), borderValue=0)
    return min(known.shape) >= 3 * _PATCH_PX and int(whole.sum()) >= _LEAST_PATCHES


def unlike_rim(photo_u8: U8, inside: Bools) -> Bools:
    """Where colours are that the hole's rim has not; an object in the middle of other things is found so.

    Returns
    -------
    bool [h, w], false inside the hole and on its rim.
    """
    wide_px = 2 * max(4, round(_RIM_SHARE * float(inside.sum()) ** 0.5)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide_px, wide_px))
    near = cv2.dilate(inside.astype(np.uint8), disc) > 0
    rim = near & ~inside
    if not rim.any():
        return np.zeros_like(inside)
    lab = cv2.cvtColor(cv2.GaussianBlur(photo_u8, (0, 0), 1.0), cv2.COLOR_RGB2Lab) // _COLOUR_STEP
    shares = _shares(lab[rim])[tuple(lab.reshape(-1, 3).T)].reshape(inside.shape)
    strange = cv2.boxFilter((shares < _RARE).astype(np.float32), -1, (_AROUND_PX, _AROUND_PX)) > 0.5
    return np.asarray(strange & ~near)


def _shares(colours: U8) -> F32:
    """Of each colour how many there are of it and its neighbours, as a share of all; float32 [32, 32, 32]."""
    side = 256 // _COLOUR_STEP
    counts = np.zeros((side + 2,) * 3, np.float32)
    np.add.at(counts, tuple(colours.astype(np.int64).T + 1), 1)
    for axis in range(3):
        low, mid, high = (np.take(counts, range(start, start + side), axis) for start in range(3))
        counts = np.asarray(low + mid + high, np.float32)
        counts = np.pad(counts, [(1, 1) if each == axis else (0, 0) for each in range(3)])
    return np.asarray(counts[1:-1, 1:-1, 1:-1] / len(colours), np.float32)


def grown(shifts: Shifts, shape: tuple[int, ...]) -> Shifts:
    """The same shifts on a larger photo [H, W]."""
    rows = ((np.arange(shape[0]) + 0.5) * shifts.shape[0] / shape[0]).astype(np.int64)
    columns = ((np.arange(shape[1]) + 0.5) * shifts.shape[1] / shape[1]).astype(np.int64)
    scale = np.array([shape[0] / shifts.shape[0], shape[1] / shifts.shape[1]])
    larger = np.round(shifts[rows[:, None], columns[None]] * scale)
    return np.asarray(larger, np.int32)


def refined(shifts: Shifts, photo_u8: U8, inside: Bools) -> Shifts:
    """Each piece, which is what is copied by one shift, moved by at most a pixel to where it goes on best.

    That is where its copy, drawn a little beyond the edges of the hole, is nearest to the photo there.
    """
    pieces, names = _pieces(shifts, inside)
    beyond, owners = _beyond(pieces, inside)
    if not len(owners):
        return np.asarray(shifts * inside[..., None], np.int32)
    best, costs = np.zeros((len(names), 2), np.int32), np.full(len(names), np.inf)
    for move in sorted(np.ndindex(3, 3), key=lambda each: abs(each[0] - 1) + abs(each[1] - 1)):
        moved = names + np.array(move, np.int32) - 1
        cost = _cost(photo_u8, inside, beyond, owners, moved)
        better = cost < costs
        best[better], costs[better] = moved[better], cost[better]
    best[(names == 0).all(1)] = 0  # copied from nowhere
    result = np.zeros_like(shifts)
    result[inside] = best[pieces[inside]]
    return result


def _pieces(shifts: Shifts, inside: Bools) -> tuple[np.ndarray, Shifts]:
    """The number of each pixel's piece, int32 [H, W], and the shifts [P, 2] of the pieces."""
    height, width = inside.shape
    codes = shifts[inside][:, 0].astype(np.int64) * 4 * width + shifts[inside][:, 1]
    _, first, numbers = np.unique(codes, return_index=True, return_inverse=True)
    pieces = np.full((height, width), -1, np.int32)
    pieces[inside] = numbers
    return pieces, np.asarray(shifts[inside][first], np.int32)


def _beyond(pieces: np.ndarray, inside: Bools) -> tuple[np.ndarray, np.ndarray]:
    """Known pixels beside the hole, int64 [N, 2], and the piece [N] that each lies beside."""
    found, owners = [], []
    for row, column in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        for far in range(1, _SHARED_PX + 1):
            moved = np.roll(pieces, (row * far, column * far), (0, 1))
            rows, columns = np.nonzero(~inside & (moved >= 0))
            found.append(np.stack([rows, columns], 1))
            owners.append(moved[rows, columns])
    return np.concatenate(found), np.concatenate(owners)


def _cost(photo_u8: U8, inside: Bools, places: np.ndarray, owners: np.ndarray, moved: Shifts) -> np.ndarray:
    """How unlike the photo each piece's copy is at those places, float64 [P]."""
    source = places + moved[owners]
    height, width = inside.shape
    source_in = source.clip(0, [height - 1, width - 1])
    lost = (source != source_in).any(1) | inside[source_in[:, 0], source_in[:, 1]]
    difference = photo_u8[places[:, 0], places[:, 1]].astype(np.float32) - photo_u8[source_in[:, 0], source_in[:, 1]]
    errors = np.where(lost, 128.0**2, (difference**2).sum(1))
    return np.asarray(np.bincount(owners, errors, len(moved)))
