"""Mask files, in the forms in which programs write them: light on dark, 0 and 1, palettes of classes, or alpha."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import open_picture, picture_rgb_u8
from edgegan_widget.base.units import U8
from edgegan_widget.photo.colours import colours_apart, frame_of, is_lossy
from edgegan_widget.photo.turns import LYING, TURNS

__all__ = ["grey_mask", "is_around", "mask_picture", "mask_shades"]

Bools = npt.NDArray[np.bool_]

_LIGHT_FROM_U8 = 128
_MOST_CLASSES = 40  # Pascal VOC's, and those of sets like it, count up from 1
_VOID_U8 = 255  # in them: nobody says what it shows
_BLACK_U8, _WHITE_U8, _MOSTLY = 32, 223, 0.95
_LEAST_LEFT_OUT = 0.02  # of a picture: specks and holes are none
_MOST_LABELS = 64  # a mask with more values is a picture of shades, not of classes
_MOST_BETWEEN = 0.5  # of a mask's pixels that are neither light nor dark: a photo has more
_MIDDLE, _MOST_MIDDLE = 0.3, 0.02  # of the way between two heaps of values, and of the pixels there
_NEARLY_GREY_U8 = 24  # how far a lossy file's channels lie apart where there is no colour
_WITH_ALPHA = {"RGBA": "RGB", "RGBa": "RGB", "LA": "L", "La": "L", "PA": "RGB"}


def mask_picture(path: Path, width_px: int, height_px: int, turned_by: int = 1, surrounds: bool = False) -> U8:
    """Read the mask of one object.

    An alpha channel that says something is the mask; of a palette, or of few small values, what is not 0 is the object
    (and 255 nobody's, as in Pascal VOC); of few colours what has not that of the frame; of fractions up to 1 what is
    half or more; anything else is object where it is light.

    Parameters
    ----------
    path
        Of the mask's file.
    width_px, height_px
        Of its upright picture.
    turned_by
        EXIF's orientation that the picture was turned by: a mask of the pixels as they are stored is turned with it.
    surrounds
        Whether it may mark all around and nothing in the middle, as no object does.

    Returns
    -------
    uint8 [height_px, width_px], 0 or 255.

    Raises
    ------
    DataError
        It cannot be read, is of another size than its picture, holds several classes, or has light and dark the other
        way round.
    """
    inside = mask_shades(path, width_px, height_px, turned_by) >= _LIGHT_FROM_U8
    if not surrounds and is_around(inside):
        raise DataError(
            f"{path} is object all around and none in the middle, as one that is dark where the object is; invert it."
        )
    return np.asarray(inside * np.uint8(255), np.uint8)


def mask_shades(path: Path, width_px: int, height_px: int, turned_by: int = 1) -> U8:
    """The same with its soft edges, where it has shades: uint8 [height_px, width_px], how much of a pixel is object.

    Raises
    ------
    DataError
        It cannot be read, is of another size than its picture, or holds several classes.
    """
    picture = open_picture(path, converted=False)
    lies = turned_by in LYING and width_px != height_px and picture.size == (height_px, width_px)
    if not lies:
        _check_size(path, picture.size, (width_px, height_px))
    shades = _shades(path, picture)
    return np.asarray(TURNS[turned_by](shades) if lies else shades, np.uint8)


def _shades(path: Path, picture: Image.Image) -> U8:
    alpha = _alpha(picture)
    if alpha is not None:
        return _of_two(alpha)
    opaque = _without_alpha(picture)
    labels = _labels(path, opaque)
    if labels is not None:
        return np.asarray(_of_classes(path, labels) * np.uint8(255), np.uint8)
    if opaque.mode == "F":
        values = np.asarray(opaque)
        scale = 255.0 if values.max() <= 1 else 1.0
        return np.clip(np.round(values * scale), 0, 255).astype(np.uint8)
    pixels = picture_rgb_u8(path) if opaque is picture else np.asarray(opaque.convert("RGB"), np.uint8)
    return _of_two(_light(path, pixels.max(axis=2)))


def _light(path: Path, shades: U8) -> U8:
    """Shades as they are, unless most are neither light nor dark."""
    if 0 < int(shades.max()) < _LIGHT_FROM_U8 and is_lossy(path):
        return _of_dark(path, shades)
    if np.mean((shades > _BLACK_U8) & (shades < _WHITE_U8)) > _MOST_BETWEEN:
        raise DataError(f"{path} is a picture of many shades and no mask; give one that is white where the object is.")
    return shades


def _of_dark(path: Path, shades: U8) -> U8:
    """What a lossy file made of 0 and 1, or of 0 and another small number: two heaps of values."""
    _, inside = cv2.threshold(shades, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    low, high = (float(shades[part].mean()) for part in (inside == 0, inside > 0))
    middle = np.abs(shades - (low + high) / 2) < _MIDDLE * (high - low)
    if high - low > 2 and middle.mean() > _MOST_MIDDLE:
        raise DataError(f"{path} holds several classes, or none, in a lossy file; save it as PNG, white on black.")
    return np.asarray(inside, np.uint8)


def _of_two(shades: U8) -> U8:
    """Of two shades the lighter one is object, all of it, however light it is."""
    low, high = shades.min(), shades.max()
    two = low < high and bool(((shades == low) | (shades == high)).all())
    return np.asarray((shades == high) * np.uint8(255), np.uint8) if two and high >= _LIGHT_FROM_U8 else shades


def is_around(inside: Bools) -> bool:
    """Whether it is object along the whole frame and leaves something out within."""
    return bool(frame_of(inside).mean() > _MOSTLY and inside.mean() < 1 - _LEAST_LEFT_OUT)


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
            f"{path} is {found[0]}x{found[1]} pixels, its photo {wanted[0]}x{wanted[1]}; give a mask of that size."
        )


def _alpha(picture: Image.Image) -> U8 | None:
    """The alpha channel where it differs from place to place.

    Where what is opaque is black and white, that is a mask too, and its black places are no object either.
    """
    if picture.mode not in _WITH_ALPHA and "transparency" not in picture.info:
        return None
    values = np.asarray(picture.convert("RGBA"), np.uint8)
    alpha, light = values[..., 3], values[..., :3].max(axis=2)
    if alpha.min() == alpha.max():
        return None
    alpha = np.asarray(alpha * (255 / int(alpha.max())), np.uint8)  # an overlay's is weak where it is object too
    opaque = alpha >= _LIGHT_FROM_U8
    if opaque.all():
        return None
    shades = light[opaque]
    is_mask = np.mean((shades < _BLACK_U8) | (shades > _WHITE_U8)) > _MOSTLY
    black = shades < _LIGHT_FROM_U8
    return np.minimum(alpha, light) if is_mask and black.any() and not black.all() else alpha


def _without_alpha(picture: Image.Image) -> Image.Image:
    """The picture without a channel that says nothing."""
    plain = _WITH_ALPHA.get(picture.mode)
    if plain is None:
        return picture
    return Image.fromarray(np.ascontiguousarray(np.asarray(picture.convert("RGBA"))[..., :3])).convert(plain)


def _labels(path: Path, picture: Image.Image) -> npt.NDArray[np.int64] | None:
    """The number of a class at each pixel, where these are numbers: int64 [H, W]; None where they are shades."""
    if picture.mode in ("RGB", "CMYK", "YCbCr"):
        pixels = np.asarray(picture.convert("RGB"))
        if not _is_grey(pixels):
            return colours_apart(path, pixels)
        picture = Image.fromarray(pixels.max(axis=2))
    if picture.mode not in ("P", "L", "I", "I;16", "I;16B"):
        return None
    coloured = picture.mode == "P" and not _is_grey_mask(picture)
    picture = picture.convert("L") if picture.mode == "P" and not coloured else picture
    values = np.asarray(picture).astype(np.int64)
    found, counts = np.unique(values, return_counts=True)
    if len(found) > _MOST_LABELS:
        return None
    if coloured or found[-1] < _LIGHT_FROM_U8:
        return None if len(found) > 2 and is_lossy(path) else values
    small = (found > 0) & (found != _VOID_U8)
    few = small.any() and found[small][-1] <= _MOST_CLASSES and counts[small].sum() > counts[found == _VOID_U8].sum()
    return values if few else None


def _is_grey(pixels: U8) -> bool:
    """Whether there is no colour, or just what a lossy file makes of shades."""
    chroma = int((pixels.max(axis=2) - pixels.min(axis=2)).max())
    return not chroma or (chroma <= _NEARLY_GREY_U8 and int(pixels.max()) >= _LIGHT_FROM_U8)


def _is_grey_mask(picture: Image.Image) -> bool:
    """Whether a palette's colours are shades of grey, the first of them dark, as the ground of a mask is."""
    colours = np.asarray(picture.convert("RGB"))
    grey = bool((colours.max(axis=2) == colours.min(axis=2)).all())
    first = (picture.getpalette() or [0])[0]
    return grey and first < _LIGHT_FROM_U8


def _of_classes(path: Path, labels: npt.NDArray[np.int64]) -> Bools:
    found = np.unique(labels)
    classes = found[found > 0]
    if len(classes) > 1:
        classes = classes[classes != _VOID_U8]
    if len(classes) > 1:
        named = ", ".join(f"#{value:06x}" if value > _VOID_U8 else str(value) for value in classes[:6])
        raise DataError(
            f"{path} holds {len(classes)} classes (values {named}); give a mask of one object, light where it is."
        )
    return np.isin(labels, classes)
