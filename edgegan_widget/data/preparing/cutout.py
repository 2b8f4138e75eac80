"""Photo and mask -> cut-out on white: square, centred, the longest side with a margin, its edge anti-aliased."""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import U8

__all__ = ["cut_out", "paper_mask"]

_OPAQUE_FROM_U8 = 128
_PAPER_FROM_U8 = 225  # near-white: every channel of the background's colour is at least this
_PAPER_NOISE_U8 = 14  # how far a pixel of paper may be from the paper's colour: JPEG's ringing
_LEAST_PAPER_SHARE = 0.6  # of the picture's border; an object may touch the frame
_SPECK_SHARE = 0.001  # of the picture: smaller spots on the paper are dirt


def cut_out(photo_u8: U8, alpha_u8: U8, size_px: int, margin: float) -> tuple[U8, U8]:
    """Cut an object out.

    Parameters
    ----------
    photo_u8
        uint8 [H, W, 3].
    alpha_u8
        uint8 [H, W], 255 is object.
    size_px, margin
        Side of the result; share of it that stays free beside the object's longest side.

    Returns
    -------
    The cut-out on white, uint8 [size_px, size_px, 3], and its mask, uint8 [size_px, size_px].

    Raises
    ------
    DataError
        The mask is empty.
    """
    left, top, width, height = cv2.boundingRect((alpha_u8 >= _OPAQUE_FROM_U8).astype(np.uint8))
    if width == 0 or height == 0:
        raise DataError("the mask is empty; nothing can be cut out.")
    scale = size_px * (1 - 2 * margin) / max(width, height)
    rim = int(np.ceil(1 / scale)) + 1  # so that the outermost pixels are anti-aliased too
    photo, alpha = (_with_rim(plane, left, top, width, height, rim) for plane in (photo_u8, alpha_u8))
    target = tuple(max(1, round(side * scale)) for side in alpha.shape[::-1])
    size = (target[0], target[1])
    image, mask = _shrink(photo, alpha, size) if scale <= 1 else _enlarge(photo, alpha, size, scale)
    return _centred(image, size_px), _centred(mask, size_px, paper=0)


def _with_rim(plane: U8, left: int, top: int, width: int, height: int, rim: int) -> U8:
    """The box and ``rim`` pixels around it; outside the picture its border is repeated, a mask is empty."""
    high, wide = plane.shape[:2]
    ends = (max(0, top - rim), min(high, top + height + rim), max(0, left - rim), min(wide, left + width + rim))
    inner = plane[ends[0] : ends[1], ends[2] : ends[3]]
    missing = (ends[0] - top + rim, top + height + rim - ends[1], ends[2] - left + rim, left + width + rim - ends[3])
    if not any(missing):
        return inner
    kind = cv2.BORDER_REPLICATE if plane.ndim > 2 else cv2.BORDER_CONSTANT
    return np.asarray(cv2.copyMakeBorder(inner, *missing, kind, value=0), np.uint8)


def _shrink(photo: U8, alpha: U8, target: tuple[int, int]) -> tuple[U8, U8]:
    """Area means of the object on white: exact anti-aliasing."""
    small = cv2.resize(_on_paper(photo, alpha), target, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.asarray(cv2.resize(alpha, target, interpolation=cv2.INTER_AREA), np.uint8)


def _enlarge(photo: U8, alpha: U8, target: tuple[int, int], scale: float) -> tuple[U8, U8]:
    """Colours by cubic interpolation; the mask's stairs smoothed to a line whose edge is one pixel soft."""
    large = cv2.resize(photo, target, interpolation=cv2.INTER_CUBIC)
    soft = cv2.resize(cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), 0.8), target, interpolation=cv2.INTER_CUBIC)
    mask = np.clip((soft - 127.5) * max(1.0, scale) + 127.5, 0, 255).astype(np.uint8)
    return _on_paper(np.asarray(large, np.uint8), mask), mask


def _on_paper(photo: U8, alpha: U8) -> U8:
    if not np.any((alpha > 0) & (alpha < 255)):
        paper = cv2.bitwise_not(np.ascontiguousarray(alpha))
        return np.asarray(cv2.bitwise_or(np.ascontiguousarray(photo), cv2.merge([paper] * 3)), np.uint8)
    weight = alpha[..., None].astype(np.uint16)
    return np.asarray((photo * weight + 255 * (255 - weight) + 127) // 255, np.uint8)


def _centred(plane: U8, size_px: int, paper: int = 255) -> U8:
    """Centred on a square, cut where the rim reaches out of it."""
    high, wide = (min(side, size_px) for side in plane.shape[:2])
    from_y, from_x = (plane.shape[0] - high) // 2, (plane.shape[1] - wide) // 2
    to_y, to_x = (size_px - high) // 2, (size_px - wide) // 2
    square = np.full((size_px, size_px, *plane.shape[2:]), paper, np.uint8)
    square[to_y : to_y + high, to_x : to_x + wide] = plane[from_y : from_y + high, from_x : from_x + wide]
    return square


def paper_mask(picture_u8: U8) -> U8:
    """Mask of the object in a picture on white or near-white paper; white inside the object belongs to it.

    Returns
    -------
    uint8 [H, W], 255 is object.

    Raises
    ------
    DataError
        The background is not near-white, or nothing is on it.
    """
    border = np.concatenate([picture_u8[0], picture_u8[-1], picture_u8[:, 0], picture_u8[:, -1]])
    light = border[border.min(axis=1) >= _PAPER_FROM_U8]
    if len(light) < _LEAST_PAPER_SHARE * len(border):
        raise DataError("its background is neither transparent nor near-white; give a folder of masks.")
    paper = np.median(light, axis=0)
    far = (np.abs(picture_u8.astype(np.int16) - paper.astype(np.int16)).max(axis=2) > _PAPER_NOISE_U8).astype(np.uint8)
    count, parts, facts, _ = cv2.connectedComponentsWithStats(far, connectivity=8)
    large = facts[:, cv2.CC_STAT_AREA] >= max(4, _SPECK_SHARE * far.size)
    large[0] = False
    if count < 2 or not large.any():
        raise DataError("nothing is on its white background; leave it out.")
    return _filled(large[parts].astype(np.uint8))


def _filled(mask: U8) -> U8:
    """Holes that no path leads to from outside belong to the object."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    _, outside, _, _ = cv2.floodFill(framed, None, (0, 0), 2)
    return np.asarray((outside[1:-1, 1:-1] != 2) * 255, np.uint8)
