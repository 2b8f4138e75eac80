"""A sheet of paper in a photo: found, and straightened; frames and scanner edges are cut off with it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import U8

__all__ = ["sheet_in"]

LOOK_PX = 400  # longer side of the copy in which it is looked for
LEAST_SHARE, MOST_SHARE = 0.08, 0.97  # of the picture that a sheet may cover
LEAST_SOLID = 0.93  # of its convex outline
LEAST_FULL = 0.6  # of what its outline encloses is paper: lines around nothing are no sheet
LEAST_DARKER = 0.92  # beside the sheet it is darker than this share of the paper
LEAST_LINE = 0.12  # of the paper's brightness that a line is darker
LEAST_STROKE = 24  # grey levels of a line, of 255
LEAST_DRAWN = 0.005  # of a sheet, which lines cover
LENS = 1.0  # usual focal length in longer sides of the picture, where the corners do not tell it
LEAST_SEEN = 0.75  # of a side, that it is so
LEAST_SIDE_PX = 8  # of what is looked at
SHAVED = 0.012  # of the straightened sheet's sides: what its edge leaves

Mask = npt.NDArray[np.uint8]
Corners = npt.NDArray[np.float32]


def sheet_in(picture_u8: U8, most_px: int) -> U8 | None:
    """The sheet that lies in a picture uint8 [H, W] or [H, W, 3], straightened, at most ``most_px`` long; or None."""
    scale = LOOK_PX / max(picture_u8.shape[:2])
    if min(picture_u8.shape[:2]) * min(scale, 1.0) < LEAST_SIDE_PX:
        return None  # a strip
    small = cv2.resize(picture_u8, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture_u8
    scale = min(scale, 1.0)
    if small.ndim == 2:
        small = np.repeat(small[..., None], 3, axis=2)
    blurred = cv2.GaussianBlur(small, (0, 0), 1.5)
    for plane in (blurred.min(axis=2), cv2.cvtColor(blurred, cv2.COLOR_RGB2GRAY)):
        for level in _levels(plane):
            quad = _quad((plane > level).astype(np.uint8), plane)
            if quad is not None:
                return _straight(picture_u8, quad / scale, most_px)
    quad = _of_other_colour(blurred)
    return None if quad is None else _straight(picture_u8, quad / scale, most_px)


def _of_other_colour(picture_u8: U8) -> Corners | None:
    """Corners of a sheet that is darker than what it lies on, or has another hue: a note on a desk, black paper.

    All that is drawn lies on it, and nothing beside it: a filled box on a page is no sheet.
    """
    border = np.concatenate([picture_u8[0], picture_u8[-1], picture_u8[:, 0], picture_u8[:, -1]])
    plane = cv2.absdiff(picture_u8, np.broadcast_to(np.median(border, axis=0).astype(np.uint8), picture_u8.shape))
    plane = plane.max(axis=2)
    quad = _quad((plane > _levels(plane)[0]).astype(np.uint8), plane)
    return quad if quad is not None and _holds_what_is_drawn(quad, picture_u8) else None


def _holds_what_is_drawn(corners: Corners, picture_u8: U8) -> bool:
    side = max(picture_u8.shape)
    grey = cv2.cvtColor(picture_u8, cv2.COLOR_RGB2GRAY)
    window = np.ones((side // 20 | 1,) * 2, np.uint8)
    lines = np.maximum(*(cv2.morphologyEx(grey, way, window) for way in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)))
    drawn = lines > LEAST_STROKE
    inside = cv2.fillConvexPoly(np.zeros_like(grey), np.round(corners).astype(np.int32), 1)
    near = np.ones((side // 25 | 1,) * 2, np.uint8)
    within, beyond = cv2.erode(inside, near) > 0, cv2.dilate(inside, near) == 0
    return bool(drawn[within].mean() > LEAST_DRAWN) and (not beyond.any() or drawn[beyond].mean() < LEAST_DRAWN / 5)


def _levels(plane: U8) -> list[float]:
    """Where paper may begin: the best split in two, and the best split of its upper part."""
    first, _ = cv2.threshold(plane, 0, 1, cv2.THRESH_OTSU)
    upper = plane[plane > first]
    if len(upper) < 100:
        return [first]
    second, _ = cv2.threshold(upper.reshape(-1, 1), 0, 1, cv2.THRESH_OTSU)
    return [first, second]


def _quad(light: Mask, plane: U8) -> Corners | None:
    """Corners [4, 2] of the sheet among what is light, clockwise from the top left."""
    side = max(light.shape)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(side // 60, 3) | 1,) * 2)
    padded = cv2.copyMakeBorder(light, *(side // 20,) * 4, cv2.BORDER_CONSTANT, value=0)
    cleaned = cv2.morphologyEx(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
    cleaned = cleaned[side // 20 : -(side // 20), side // 20 : -(side // 20)]
    found, _ = cv2.findContours(cleaned, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None
    outline = max(found, key=cv2.contourArea)
    area, hull = cv2.contourArea(outline), cv2.convexHull(outline)
    if not LEAST_SHARE * light.size < area < MOST_SHARE * light.size or area < LEAST_SOLID * cv2.contourArea(hull):
        return None
    inside = cv2.drawContours(np.zeros_like(light), [outline], 0, 1, cv2.FILLED)
    if (light & inside).sum() < LEAST_FULL * inside.sum():
        return None
    corners = _four(hull)
    if corners is None or not _stands_out(corners, plane, inside) or _is_crossed(plane, inside):
        return None
    return corners


def _four(hull: npt.NDArray[Any]) -> Corners | None:
    """The four corners of a convex outline that has no more, in order; None where it is no quadrangle."""
    around, area = cv2.arcLength(hull, True), cv2.contourArea(hull)
    for tolerance in (0.01, 0.02, 0.03, 0.05):
        corners = cv2.approxPolyDP(hull, tolerance * around, True).reshape(-1, 2).astype(np.float32)
        if len(corners) == 4 and abs(cv2.contourArea(corners) / area - 1) < 0.1:
            turned = np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0)
            return np.asarray(turned if cv2.contourArea(turned, True) > 0 else np.roll(turned[::-1], 1, axis=0))
    return None


def _stands_out(corners: Corners, plane: U8, inside: Mask) -> bool:
    """Whether it is darker beside the sheet, on two sides at least; a side on the picture's border does not count."""
    high, wide = plane.shape
    paper = float(np.median(plane[inside > 0]))
    reach = max(0.02 * max(high, wide), 3.0)
    told = darker = 0
    for start, end in zip(corners, np.roll(corners, -1, axis=0)):
        along = end - start
        away = np.array([along[1], -along[0]]) / max(float(np.hypot(*along)), 1e-6) * reach
        places = start + np.linspace(0.08, 0.92, 40)[:, None] * along + away
        on_picture = (places >= 0).all(axis=1) & (places < (wide, high)).all(axis=1)
        if on_picture.mean() < 0.6:
            continue
        x, y = places[on_picture].astype(int).T
        told += 1
        darker += bool((plane[y, x] < LEAST_DARKER * paper).mean() >= LEAST_SEEN)
    return told >= 2 and darker == told


def _is_crossed(plane: U8, inside: Mask) -> bool:
    """Whether lines go on beyond the outline, as they do at the edge of a shadow."""
    side = max(plane.shape)
    closed = cv2.morphologyEx(plane, cv2.MORPH_CLOSE, np.ones((side // 20 | 1,) * 2, np.uint8)).astype(np.float32)
    lines = ((closed - plane) > LEAST_LINE * np.maximum(closed, 24)).astype(np.uint8)
    count, numbers = cv2.connectedComponents(lines, connectivity=8)
    near = np.ones((side // 50 | 1,) * 2, np.uint8)
    within, beyond = cv2.erode(inside, near) > 0, cv2.dilate(inside, near) == 0
    both = np.minimum(np.bincount(numbers[within], minlength=count), np.bincount(numbers[beyond], minlength=count))
    return bool((both[1:] > side // 30).any())


def _straight(picture_u8: U8, corners: Corners, most_px: int) -> U8:
    """The sheet as it lies flat, without its edges."""
    top, right, bottom, left = (float(np.hypot(*(b - a))) for a, b in zip(corners, np.roll(corners, -1, axis=0)))
    wide, high = max(top, bottom), max(left, right)
    shape = _shape(corners, picture_u8.shape[1], picture_u8.shape[0])
    wide, high = (wide, wide / shape) if shape > wide / high else (high * shape, high)
    reduced = min(most_px / max(wide, high), 1.0)
    size = max(round(wide * reduced), 8), max(round(high * reduced), 8)
    if reduced < 0.7:  # so that no line falls between the places that are looked up
        picture_u8 = cv2.resize(picture_u8, None, fx=reduced, fy=reduced, interpolation=cv2.INTER_AREA)
        corners = corners * reduced
    target = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target)
    flat = cv2.warpPerspective(picture_u8, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    across, down = (max(round(SHAVED * length), 2) for length in size)
    return np.asarray(flat[down:-down, across:-across])


def _shape(corners: Corners, wide_px: int, high_px: int) -> float:
    """Width by height of the sheet that is seen as this quadrangle (Zhang and He, "Whiteboard scanning and image
    enhancement", 2007, section 3), by a camera whose axis meets the picture's middle.
    """
    middle = np.array([wide_px / 2, high_px / 2])
    one, two, four, three = (np.append((corner - middle) / max(wide_px, high_px), 1.0) for corner in corners)
    second = np.cross(one, four) @ three / (np.cross(two, four) @ three) * two - one
    third = np.cross(one, four) @ two / (np.cross(three, four) @ two) * three - one
    slant = second[2] * third[2]
    lens2 = -float(second[:2] @ third[:2]) / slant if abs(slant) > 1e-4 else -1.0
    if not 0.4**2 < lens2 < 4.0**2:
        lens2 = LENS**2
    length2 = [float(side[:2] @ side[:2]) / lens2 + float(side[2]) ** 2 for side in (second, third)]
    shape = float(np.sqrt(length2[0] / length2[1]))
    return shape if 0.2 < shape < 5.0 else 1.0
