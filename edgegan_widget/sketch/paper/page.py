"""Any picture of a drawing -> its ink alone, large in a square, as black on white."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.paper.frames import has_frame
from edgegan_widget.sketch.paper.ink import PAGE_PX, ink_on, is_light_on_dark
from edgegan_widget.sketch.paper.sheet import sheet_in

__all__ = ["is_plain", "plain_ink"]

Ink = npt.NDArray[np.bool_]

SMALL_SHARE = 0.5  # a drawing that fills less of its page is looked at again, larger
HAIR = 0.6  # of a pixel of the page, by which what is dark is widened
AROUND = 0.08  # of a drawing's longer side, of page kept around it
LEAST_INK_PX = 12
LEAST_LONG = 0.02  # of its page's longer side, of a drawing
FLAT = 0.9  # of a picture's pixels
LEAST_PX = 400  # longer side below which a picture is enlarged
LEAST_LEVELS = 12  # between light lines and their ground; chalk has a hundred
PLAIN_PX = 700  # longer side of a picture that may be plain
PLAIN_LEVELS = 20  # grey levels within which plain paper keeps
PLAIN_STRAYS = 1e-3  # of its paper, which may not
PLAIN_INK = (0.006, 0.45)  # of a plain picture


def is_plain(picture_u8: U8) -> bool:
    """Whether a picture is a clean drawing already: even paper, lines of one shade, no frame, no colours."""
    if max(picture_u8.shape[:2]) > PLAIN_PX or (picture_u8.ndim == 3 and picture_u8.shape[2] != 3):
        return False
    if picture_u8.ndim == 3:
        spread = picture_u8.max(axis=2).astype(np.int16) - picture_u8.min(axis=2)
        if (spread > 12).mean() > 1e-3:
            return False
        picture_u8 = picture_u8.min(axis=2)
    _, ink = cv2.threshold(picture_u8, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    edge = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]).mean()
    if edge > 0.5:
        ink, edge = 1 - ink, 1 - edge
    if edge > 0.1 or has_frame(ink > 0) or not PLAIN_INK[0] <= ink.mean() <= PLAIN_INK[1]:
        return False
    away = cv2.dilate(ink, np.ones((7, 7), np.uint8)) == 0
    paper = picture_u8[away].astype(np.int16)
    return bool(len(paper) and (np.abs(paper - np.median(paper)) > PLAIN_LEVELS).mean() <= PLAIN_STRAYS)


def plain_ink(picture: U8) -> Ink | None:
    """Ink of any picture uint8 [H, W] or [H, W, 3], cropped to the drawing; None where there is none."""
    sheet = sheet_in(picture, 2 * PAGE_PX)
    found = _looked_at(picture if sheet is None else sheet)
    if found is None and sheet is not None and _is_flat(picture):
        found = _looked_at(picture)  # no sheet, but a box that was drawn
    return found


def _is_flat(picture: U8) -> bool:
    """Whether it is of two shades, as programs draw and no camera sees."""
    shades = np.bincount((picture if picture.ndim == 2 else picture.max(axis=2)).ravel(), minlength=256)
    return bool(np.sort(shades)[-2:].sum() > FLAT * shades.sum())


def _looked_at(picture: U8) -> Ink | None:
    given = picture
    light = is_light_on_dark(_reduced(picture)[0])
    if light:
        picture = 255 - picture
    page, scale = _reduced(picture, keep_dark=True)
    ink = ink_on(page)
    if light and not _stands_off(ink, page):  # grain alone, as on a blank sheet under a lamp
        picture = given
        page, scale = _reduced(picture, keep_dark=True)
        ink = ink_on(page)
    box = _box(ink)
    if box is None:
        return None
    top, bottom, left, right = box
    if max(bottom - top, right - left) < LEAST_LONG * max(ink.shape):
        return None
    if max(bottom - top, right - left) < SMALL_SHARE * max(ink.shape) and scale < 0.8:
        closer = ink_on(_reduced(_around(picture, box, scale), keep_dark=True)[0])
        if (box_closer := _box(closer)) is not None:
            ink, (top, bottom, left, right) = closer, box_closer
    around = int(AROUND * max(bottom - top, right - left)) + 1
    return np.pad(ink[top:bottom, left:right], around)


def _stands_off(ink: Ink, page: U8) -> bool:
    """Whether ink differs from what is around it by more levels than grain does."""
    marked = ink.astype(np.uint8)
    near, far = (cv2.dilate(marked, np.ones((size, size), np.uint8)) > 0 for size in (7, 15))
    around = far & ~near
    if not ink.any() or not around.any():
        return bool(ink.any())
    dark = page.min(axis=2)
    return float(np.median(dark[around])) - float(np.median(dark[ink])) >= LEAST_LEVELS


def _around(picture: U8, box: tuple[int, int, int, int], scale: float) -> U8:
    """The part of a picture in which something was found on a page ``scale`` as large."""
    top, bottom, left, right = (side / scale for side in box)
    around = 2 * AROUND * max(bottom - top, right - left) + 4
    return picture[max(int(top - around), 0) : int(bottom + around), max(int(left - around), 0) : int(right + around)]


def _reduced(picture: U8, keep_dark: bool = False) -> tuple[U8, float]:
    """The picture [H, W, 3] at a size at which lines are some pixels wide, and how many times larger it is.

    ``keep_dark`` widens what is dark before it is reduced, so that no hairline is averaged away.
    """
    longer = max(picture.shape[:2])
    scale = min(PAGE_PX / longer, 1.0) if longer >= LEAST_PX else LEAST_PX / longer
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    if keep_dark and scale < 0.6:
        picture = cv2.erode(picture, np.ones((round(HAIR / scale),) * 2, np.uint8))
    size = [max(round(side * scale), 1) for side in picture.shape[1::-1]]
    page = np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)
    return (page if page.ndim == 3 else np.repeat(page[..., None], 3, axis=2)), scale


def _box(ink: Ink) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of the ink; None where there is hardly any."""
    if np.count_nonzero(ink) < LEAST_INK_PX:
        return None
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
