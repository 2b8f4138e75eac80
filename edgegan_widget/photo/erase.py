"""Taking away what a mask marks: the hole is filled with what may have been behind it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.errors import DataError, StoppedError
from edgegan_widget.base.units import U8
from edgegan_widget.photo.inpainting import Bools, Hole, Method, find
from edgegan_widget.photo.masks import is_around, mask_picture
from edgegan_widget.photo.pixels import Picture, as_photo, turned_by

__all__ = ["as_mask", "box_of", "erase", "grown_mask", "what_goes"]

METHOD = "shiftmap"
GROW_PX = 2  # an object colours the pixels at its edge
_SOFT_FROM = 0.02  # of a soft alpha: all that the object touches
_HARD_FROM = 128
_NEAR = 0.02  # of the longest side: parts of the mask that are nearer are filled together
_MOST_PARTS = 12  # beyond it all are filled together
_MOST_GROW_PX = 200

Told = Callable[[float], object]

log = logging.getLogger(__name__)


def erase(
    image: Picture,
    mask: Any,
    method: str = METHOD,
    *,
    grow_px: int = GROW_PX,
    never: Any = None,
    on_progress: Told | None = None,
) -> U8:
    """Take away what a mask marks.

    Parameters
    ----------
    image
        The photo: uint8 [H, W, 3], a Pillow image or a path.
    mask
        What goes: bool [H, W], uint8 [H, W] (from 128 on), an alpha as :func:`~edgegan_widget.photo.cut_out` returns it
        (float [H, W] in 0..1, all that the object touches), or the path of such a picture.
    method
        ``shiftmap``, ``telea`` or ``ns``, see :mod:`edgegan_widget.photo.inpainting`.
    grow_px
        By how many pixels the mask is made wider, since an object colours the pixels at its edge.
    never
        What nothing is copied from, as ``mask``: other objects that stay. Only ``shiftmap`` copies; of itself it copies
        nothing whose colours are not beside the hole.
    on_progress
        Called with the share that is done, from 0 to 1, between steps; where it returns False, erasing stops.

    Returns
    -------
    uint8 [H, W, 3]; outside the mask the photo's own pixels.

    Raises
    ------
    DataError
        The photo cannot be read, the mask does not fit it, marks nothing, or marks everything.
    ConfigError
        There is no such method.
    ModelError, DependencyError
        What the method needs is not there, or not what it should be.
    StoppedError
        ``on_progress`` returned False.
    """
    way, given = find(method)
    photo_u8 = as_photo(image)
    inside = what_goes(mask, photo_u8, grow_px, turned_by(image))
    apart = np.zeros_like(inside) if never is None else as_mask(never, photo_u8, "what is never copied")
    result: U8 = photo_u8.copy()
    left = inside.copy()
    parts = _parts(inside)
    for number, part in enumerate(parts):
        told = _teller(on_progress, number / len(parts), 1 / len(parts))
        told(0.0)
        _fill(result, left, part, apart, way, given, told)
    if on_progress is not None:
        on_progress(1.0)
    return result


def what_goes(mask: Any, photo_u8: U8, grow_px: int = GROW_PX, orientation: int = 1) -> Bools:
    """What is to be erased, bool [H, W]; a :class:`DataError` where it is not some of the photo. See :func:`erase`."""
    marked = as_mask(mask, photo_u8, orientation=orientation)
    if not marked.any():
        raise DataError("the mask marks nothing; make what is to be erased white (255), all else black (0).")
    if marked.all():
        raise DataError("the mask marks the whole photo, so that nothing is left to fill it from; mark less.")
    inside = grown_mask(marked, grow_px)
    return marked if inside.all() else inside  # in a photo of a few pixels


def _fill(
    result: U8, left: Bools, part: Bools, apart: Bools, way: Method, given: str, told: Callable[[float], None]
) -> None:
    """Fill one part of what is left of the hole, in place."""
    top, bottom, start, end = box_of(part)
    rows, columns = (
        slice(max(0, low - margin), high + margin)
        for low, high in ((top, bottom), (start, end))
        for margin in [max(way.around_px, round(way.around * (high - low)))]
    )
    hole = Hole(np.ascontiguousarray(result[rows, columns]), left[rows, columns], apart[rows, columns], given, told)
    if hole.inside.all():  # nothing of the photo near it
        hole = Hole(result.copy(), left, apart, given, told)
        rows = columns = slice(None)
    filled, own = way.fill(hole), part[rows, columns]
    result[rows, columns][own] = filled[own]
    left &= ~part


def _parts(inside: Bools) -> list[Bools]:
    """The hole's parts that lie apart, to be filled one after the other; those near each other are one."""
    near_px = 2 * round(_NEAR * max(inside.shape)) + 1
    joined = cv2.dilate(inside.astype(np.uint8), np.ones((near_px, near_px), np.uint8))
    count, numbers = cv2.connectedComponents(joined)
    if not 2 < count <= _MOST_PARTS + 1:
        return [inside]
    return [inside & (numbers == number) for number in range(1, count)]


def box_of(mask: Bools) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what a mask marks; bottom and right are the first beyond it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def as_mask(mask: Any, photo_u8: U8, name: str = "the mask", orientation: int = 1) -> Bools:
    """A mask of a photo as bool [H, W]; a :class:`DataError` where it does not fit it. See :func:`erase`.

    ``orientation`` is EXIF's, by which the photo was turned: a mask file of the pixels as stored is turned with it.
    """
    if isinstance(mask, (str, os.PathLike)):
        file, mask = mask, mask_picture(Path(mask), photo_u8.shape[1], photo_u8.shape[0], orientation, surrounds=True)
        if is_around(mask > 0):
            log.warning("%s marks all around and leaves out the middle; invert it if it is the middle that goes", file)
    marked = np.asarray(mask)
    if marked.ndim == 3 and marked.shape[2] == 1:
        marked = marked[..., 0]
    wanted = photo_u8.shape[:2]
    if marked.shape != wanted or (marked.dtype.kind not in "bf" and marked.dtype != np.uint8):
        raise DataError(
            f"{name} is {marked.dtype} [{', '.join(map(str, marked.shape))}], its photo {wanted[1]}x{wanted[0]}; give "
            f"bool, uint8 or float [{wanted[0]}, {wanted[1]}] or a picture of the photo's size, white where it marks."
        )
    if marked.dtype.kind == "f":
        return np.asarray(marked > _SOFT_FROM)
    return np.asarray(marked if marked.dtype == bool else marked >= _HARD_FROM)


def grown_mask(mask: Bools, grow_px: int) -> Bools:
    """A mask wider by so many pixels, with round corners; a :class:`DataError` where their number is not allowed."""
    if not (isinstance(grow_px, (int, np.integer)) and 0 <= grow_px <= _MOST_GROW_PX):
        raise DataError(f"grow_px is {grow_px!r}; give a whole number from 0 to {_MOST_GROW_PX}.")
    if not grow_px:
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(grow_px) + 1,) * 2)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def _teller(on_progress: Told | None, start: float, share: float) -> Callable[[float], None]:
    def told(done: float) -> None:
        if on_progress is not None and on_progress(start + share * done) is False:
            raise StoppedError("erasing was stopped; the photo is as it was.")

    return told
