"""Photos and masks as people give them -> arrays of the right kind, or one sentence."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import telling
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.turns import orientation_of

__all__ = ["Picture", "as_alpha", "as_networks_take", "as_photo", "as_strokes", "resized", "turned_by", "within"]

_LEAST_PX = 64  # of a side that networks are given

Picture = U8 | Image.Image | str | os.PathLike[str]


def as_photo(image: Any) -> U8:
    """A photo as uint8 [H, W, 3].

    Parameters
    ----------
    image
        uint8 array [H, W, 3], [H, W, 4] (alpha is left out) or [H, W]; a Pillow image; or the path of a picture.

    Raises
    ------
    DataError
        It is none of these, empty, or cannot be read.
    """
    if isinstance(image, (str, os.PathLike)):
        return picture_rgb_u8(Path(image))
    pixels = np.asarray(image.convert("RGB") if isinstance(image, Image.Image) else image)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or not pixels.size:
        raise DataError(
            f"the photo is {pixels.dtype} {list(pixels.shape)}; give uint8 [H, W, 3], a Pillow image or a path."
        )
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] not in (3, 4):
        raise DataError(f"the photo has {pixels.shape[2]} channels; give uint8 [H, W, 3], a Pillow image or a path.")
    return np.ascontiguousarray(pixels[..., :3])


def turned_by(image: Any) -> int:
    """EXIF's orientation that :func:`as_photo` turns a picture by; 1, upright, of what is no file."""
    if not isinstance(image, (str, os.PathLike)):
        return 1
    path = Path(image)
    with telling(path, "read", "give the path of a picture"):
        return orientation_of(path.read_bytes())


def as_alpha(alpha: Any, photo_u8: U8) -> F32:
    """An alpha of a photo, float32 [H, W] in 0..1; a :class:`DataError` where it is something else."""
    values = np.asarray(alpha)
    if values.shape != photo_u8.shape[:2] or values.dtype.kind != "f":
        raise DataError(
            f"alpha is {values.dtype} {list(values.shape)}; give float [{photo_u8.shape[0]}, {photo_u8.shape[1]}] "
            "in 0..1, as cut_out returns it."
        )
    if not (values.min() >= 0 and values.max() <= 1):
        raise DataError(f"alpha has values from {values.min():g} to {values.max():g}; they must be from 0 to 1.")
    return values.astype(np.float32)


def as_strokes(mask: Any, name: str, photo_u8: U8) -> np.ndarray:
    """A mask of strokes as bool [H, W]; None is empty; a :class:`DataError` where it does not fit the photo."""
    if mask is None:
        return np.zeros(photo_u8.shape[:2], bool)
    drawn = np.asarray(mask)
    if drawn.shape != photo_u8.shape[:2] or drawn.dtype not in (np.dtype(bool), np.dtype(np.uint8)):
        raise DataError(
            f"{name} is {drawn.dtype} {list(drawn.shape)}; give bool or uint8 "
            f"[{photo_u8.shape[0]}, {photo_u8.shape[1]}], true where a stroke is."
        )
    return np.asarray(drawn != 0)


def within(photo_u8: U8, most_px: int) -> tuple[int, int]:
    """Width and height at which the photo's longest side is at most ``most_px``; at least one pixel each."""
    height, width = photo_u8.shape[:2]
    share = min(1.0, most_px / max(height, width))
    return max(1, round(width * share)), max(1, round(height * share))


def resized(plane: Any, size: tuple[int, int]) -> Any:
    """Brought to width and height: means of pixels where it gets smaller, between them where larger."""
    if plane.shape[1::-1] == size:
        return plane
    smaller = size[0] * size[1] < plane.shape[0] * plane.shape[1]
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def as_networks_take(photo_u8: U8, inside: np.ndarray, most_px: int, multiple: int) -> tuple[U8, np.ndarray]:
    """A photo and a mask bool [H, W], no longer than ``most_px`` and with sides that are multiples.

    Returns
    -------
    The two, filled up at the right and at the bottom by reflection; a pixel is inside where any of it is. Without what
    was filled up they have the size that :func:`within` tells.
    """
    size = within(photo_u8, most_px)
    small_u8, mask = resized(photo_u8, size), resized(inside.astype(np.float32), size) > 0
    high, wide = (math.ceil(max(side, _LEAST_PX) / multiple) * multiple - side for side in mask.shape)
    both = (small_u8, mask.astype(np.uint8))
    photo, hole = (cv2.copyMakeBorder(each, 0, high, 0, wide, cv2.BORDER_REFLECT) for each in both)
    return photo, hole > 0
