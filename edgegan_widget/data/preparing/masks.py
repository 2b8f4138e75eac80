"""Mask files, in the forms in which programs write them: light on dark, 0 and 1, palettes of classes, or alpha."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import open_picture, picture_rgb_u8
from edgegan_widget.base.units import U8

__all__ = ["grey_mask", "mask_picture"]

_LIGHT_FROM_U8 = 128
_MOST_CLASSES = 40  # Pascal VOC's, and those of sets like it, count up from 1
_VOID_U8 = 255  # in them: nobody says what it shows
_MOST_LABELS = 64  # a mask with more values is a picture of shades, not of classes


def mask_picture(path: Path, width_px: int, height_px: int) -> U8:
    """Read the mask of one object.

    An alpha channel that says something is the mask; of a palette, or of few small values, what is not 0 is the object
    (and 255 nobody's, as in Pascal VOC); anything else is object where it is light.

    Returns
    -------
    uint8 [height_px, width_px], 0 or 255.

    Raises
    ------
    DataError
        It cannot be read, is of another size than its picture, or holds several classes.
    """
    picture = open_picture(path, converted=False)
    _check_size(path, picture.size, (width_px, height_px))
    alpha = _alpha(picture)
    if alpha is not None:
        return _as_mask(alpha >= _LIGHT_FROM_U8)
    labels = _labels(picture)
    if labels is not None:
        return _of_classes(path, labels)
    return _as_mask(picture_rgb_u8(path).max(axis=2) >= _LIGHT_FROM_U8)


def grey_mask(path: Path, width_px: int, height_px: int) -> U8:
    """Read a mask file whose shades are how much of a pixel is object; uint8 [H, W].

    Raises
    ------
    DataError
        It cannot be read, or is of another size than its picture.
    """
    mask = np.asarray(picture_rgb_u8(path).max(axis=2), np.uint8)
    _check_size(path, mask.shape[::-1], (width_px, height_px))
    return mask


def _check_size(path: Path, found: tuple[int, ...], wanted: tuple[int, int]) -> None:
    if found != wanted:
        raise DataError(
            f"{path} is {found[0]}x{found[1]} pixels, its picture {wanted[0]}x{wanted[1]}; give a mask of that size."
        )


def _alpha(picture: Image.Image) -> U8 | None:
    """The alpha channel where it differs from place to place; dark places of an opaque part are no object either."""
    if picture.mode not in ("RGBA", "LA", "La", "RGBa", "PA") and "transparency" not in picture.info:
        return None
    values = np.asarray(picture.convert("RGBA"), np.uint8)
    alpha, light = values[..., 3], values[..., :3].max(axis=2)
    opaque = alpha >= _LIGHT_FROM_U8
    if opaque.all() or not opaque.any():
        return None
    shades = light[opaque] >= _LIGHT_FROM_U8
    return np.minimum(alpha, light) if shades.any() and not shades.all() else alpha


def _labels(picture: Image.Image) -> npt.NDArray[np.int64] | None:
    """The number of a class at each pixel, where these are numbers: int64 [H, W]; None where they are shades."""
    if picture.mode not in ("P", "L", "I", "I;16", "I;16B"):
        return None
    coloured = picture.mode == "P" and not _is_grey(picture.convert("RGB"))
    picture = picture.convert("L") if picture.mode == "P" and not coloured else picture
    values = np.asarray(picture).astype(np.int64)
    found, counts = np.unique(values, return_counts=True)
    if len(found) > _MOST_LABELS:
        return None
    if coloured or found[-1] < _LIGHT_FROM_U8:
        return values
    small = (found > 0) & (found != _VOID_U8)
    few = small.any() and found[small][-1] <= _MOST_CLASSES and counts[small].sum() > counts[found == _VOID_U8].sum()
    return values if few else None


def _is_grey(picture: Image.Image) -> bool:
    colours = np.asarray(picture)
    return bool((colours.max(axis=2) == colours.min(axis=2)).all())


def _of_classes(path: Path, labels: npt.NDArray[np.int64]) -> U8:
    found = np.unique(labels)
    classes = found[found > 0]
    if len(classes) > 1:
        classes = classes[classes != _VOID_U8]
    if len(classes) > 1:
        named = ", ".join(map(str, classes[:6]))
        raise DataError(
            f"{path} holds {len(classes)} classes (values {named}); give a mask of one object, light where it is."
        )
    return _as_mask(np.isin(labels, classes))


def _as_mask(inside: npt.NDArray[np.bool_]) -> U8:
    return np.asarray(inside * np.uint8(255), np.uint8)
