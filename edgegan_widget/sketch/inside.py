"""What a drawing encloses: the body of the object, and the paper that is surely not part of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["body_and_paper", "covered_share"]

U8 = npt.NDArray[np.uint8]

_INK_BELOW_U8 = 150
_LEAST_OF_HULL = 0.4  # a drawing whose outline is open encloses less of its hull, and tells nothing


def body_and_paper(sketch_u8: U8) -> tuple[U8, U8]:
    """Where the object is, and where it is not, as far as the lines say.

    Small gaps are closed; whatever paper cannot be reached from the border then is enclosed. Lines alone, such as
    whiskers, are neither.

    Parameters
    ----------
    sketch_u8
        uint8 [H, W], paper 255.

    Returns
    -------
    Two masks uint8 [H, W] of 0 and 1; both are empty where the outline is open.
    """
    unit_px = max(1, round(max(sketch_u8.shape) / 64))
    ink = (sketch_u8 < _INK_BELOW_U8).astype(np.uint8)
    enclosed = _enclosed(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _disc(3 * unit_px)))
    body = np.asarray(cv2.morphologyEx(enclosed, cv2.MORPH_OPEN, _disc(5 * unit_px)), np.uint8)
    if body.sum() < _LEAST_OF_HULL * _hull_area(ink):
        return np.zeros_like(ink), np.zeros_like(ink)
    return body, np.asarray(1 - cv2.dilate(enclosed, _disc(5 * unit_px)), np.uint8)


def covered_share(mask_u8: U8) -> float:
    """How much of what its outline encloses an object covers: 1 without holes; the mask is [H, W] of 0 and 1."""
    enclosed = int(_enclosed(mask_u8).sum())
    return int(mask_u8.sum()) / enclosed if enclosed else 1.0


def _enclosed(lines: U8) -> U8:
    """1 on lines and on what cannot be reached from the border without crossing one."""
    around = cv2.copyMakeBorder(lines, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(around, None, (0, 0), 2)
    return np.asarray(around[1:-1, 1:-1] != 2, np.uint8)


def _hull_area(ink: U8) -> float:
    points = cv2.findNonZero(ink)
    return float(cv2.contourArea(cv2.convexHull(points))) if points is not None else 1.0


def _disc(side_px: int) -> U8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side_px, side_px)), np.uint8)
