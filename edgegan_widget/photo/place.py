"""Putting a drawn object into a photo: scaled into a box and fitted in, see :mod:`edgegan_widget.photo.fitting`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.result import Engine
from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.erase import METHOD, Told, as_mask, box_of, erase, what_goes
from edgegan_widget.photo.fitting import MATCH, Fit, freed_of_paper, lit_as, shadowed, sharp_as
from edgegan_widget.photo.pixels import Picture, as_photo, turned_by

__all__ = ["place", "replace"]

_MOST_SIDE_PX = 16_384
_AROUND = 0.25  # of the box: how far the surroundings reach
_CLONE_MARGIN_PX = 2
_LEAST_CLONE_PX = 4
_SEEN_FROM = 0.02  # of the cover
_CLONE_SHARE, _CLONE_DEPTH = 0.8, 0.06  # of the change at the outline, and, of its size, where a third is left of that
Box = Sequence[int]
Rectangle = tuple[int, int, int, int]


def place(
    image: Picture,
    picture_u8: U8,
    alpha: Any,
    box: Box,
    *,
    feather_px: float = Fit.feather_px,
    match_light: float | bool = Fit.match_light,
    shadow: float = Fit.shadow,
    match_sharpness: bool = Fit.match_sharpness,
    seamless: bool = Fit.seamless,
    clean_edge: bool = Fit.clean_edge,
) -> U8:
    """Put a drawn object into a photo.

    Parameters
    ----------
    image
        The photo: uint8 [H, W, 3], a Pillow image or a path.
    picture_u8
        The object, uint8 [h, w, 3], off its paper: ``Result.rgba[0][..., :3]``.
    alpha
        How much of each pixel it covers: uint8 [h, w] as ``Result.alpha[0]``, or float in 0..1.
    box
        x, y, width and height in the photo's pixels; what lies beyond the photo is cut off.
    feather_px
        By how many of the photo's pixels the edge is softened, 0 to 50.
    match_light
        How far its colours move towards those around the box, 0 to 1, in CIE Lab (Reinhard et al., "Color transfer
        between images", IEEE Computer Graphics and Applications 2001); True is 0.4.
    shadow
        How dark its shadow on the ground is, 0 (none) to 1; it lies at the object's foot, also beyond the box.
    match_sharpness
        Blur or sharpen it, and add grain, until it is as sharp and grainy as what is around the box.
    seamless
        Let its colours meet the photo's at its outline (Perez, Gangnet and Blake, "Poisson image editing", SIGGRAPH
        2003), less the farther inside; objects of less than 4 pixels are only feathered.
    clean_edge
        Take the white of its paper off its edge; False leaves colours and alpha as they are given.

    Returns
    -------
    uint8 [H, W, 3]; the photo's own pixels where object and shadow are not.

    Raises
    ------
    DataError
        The photo cannot be read, the object is none, or its box is not allowed.
    ConfigError
        One of the other settings is out of its range.
    """
    strength = MATCH if match_light is True else float(match_light)
    fit = Fit(feather_px, strength, shadow, match_sharpness, seamless, clean_edge)
    photo_u8 = as_photo(image)
    colours, cover = _object(picture_u8, alpha)
    where = _checked(box, photo_u8)
    colours, cover = _fitted(colours, cover, where, photo_u8, fit)
    return _laid(photo_u8, colours, cover, where, fit)


def replace(
    image: Picture,
    mask: Any,
    sketch: U8,
    label: str | int,
    *,
    model: Engine,
    box: Box | None = None,
    seed: int | None = None,
    method: str = METHOD,
    on_progress: Told | None = None,
    **fitting: Any,
) -> U8:
    """Take away what a mask marks and put a drawn object there: :func:`erase`, ``model.generate``, :func:`place`.

    Parameters
    ----------
    image, mask, method, on_progress
        As for :func:`~edgegan_widget.photo.erase`.
    sketch, label, seed
        As for :meth:`edgegan_widget.EdgeGAN.generate`; the model has to draw alpha.
    model
        What draws.
    box
        Where it goes: x, y, width and height; None is the square around what the mask marks.
    **fitting
        ``shadow``, ``match_light`` and the other keywords of :func:`place`.

    Returns
    -------
    uint8 [H, W, 3].

    Raises
    ------
    DataError, ConfigError, ModelError, DependencyError, StoppedError
        As these three do; ConfigError too where the model draws no alpha.
    """
    photo_u8 = as_photo(image)
    marked = as_mask(mask, photo_u8, orientation=turned_by(image))
    what_goes(marked, photo_u8)  # before the model draws
    drawn_u8 = model.generate(sketch, label, seed=seed).rgba[0]
    empty_u8 = erase(photo_u8, marked, method, on_progress=on_progress)
    where = _square(box_of(marked)) if box is None else box
    return place(empty_u8, drawn_u8[..., :3], drawn_u8[..., 3], where, **fitting)


def _square(found: Rectangle) -> Rectangle:
    """The square around a box of rows and columns, since pictures are square."""
    top, bottom, left, right = found
    side = max(bottom - top, right - left)
    return left + (right - left - side) // 2, top + (bottom - top - side) // 2, side, side


def _object(picture_u8: Any, alpha: Any) -> tuple[F32, F32]:
    colours, cover = np.asarray(picture_u8), np.asarray(alpha)
    fits = colours.ndim == 3 and colours.shape[2] == 3 and cover.shape == colours.shape[:2] and cover.size
    if not fits or colours.dtype != np.uint8 or (cover.dtype != np.uint8 and cover.dtype.kind != "f"):
        raise DataError(
            f"the object is {colours.dtype} {list(colours.shape)} with alpha {cover.dtype} {list(cover.shape)}; give "
            "uint8 [h, w, 3], and uint8 or float [h, w] of the same size."
        )
    share = np.asarray(cover / (255 if cover.dtype == np.uint8 else 1), np.float32)
    if not (share.min() >= 0 and share.max() <= 1):
        raise DataError(f"alpha has values from {share.min():g} to {share.max():g}; they must be from 0 to 1.")
    return colours.astype(np.float32), share


def _checked(box: Box, photo_u8: U8) -> Rectangle:
    numbers = tuple(box)
    height, width = photo_u8.shape[:2]
    whole = len(numbers) == 4 and all(isinstance(each, (int, np.integer)) for each in numbers)
    if not whole or not (1 <= numbers[2] <= _MOST_SIDE_PX and 1 <= numbers[3] <= _MOST_SIDE_PX):
        raise DataError(f"the box is {numbers}; give whole x, y, width and height, the last two 1 to {_MOST_SIDE_PX}.")
    x, y, wide, high = (int(each) for each in numbers)
    if x >= width or y >= height or x + wide <= 0 or y + high <= 0:
        raise DataError(f"the box {numbers} lies outside the photo of {width}x{height}; give one that touches it.")
    return x, y, wide, high


def _fitted(colours: F32, cover: F32, where: Rectangle, photo_u8: U8, fit: Fit) -> tuple[F32, F32]:
    """The object at the box's size, with the edge, sharpness and light that it is to have."""
    if fit.clean_edge:
        colours, cover = freed_of_paper(colours, cover)
    colours, cover = _scaled(colours, cover, where[2:])
    around_u8 = _around(photo_u8, where)
    if fit.match_sharpness:
        colours, cover = sharp_as(colours, cover, around_u8)
    if fit.feather_px:
        cover = _feathered(cover, float(fit.feather_px))
    return lit_as(colours, cover, around_u8, fit.match_light), cover


def _laid(photo_u8: U8, colours: F32, cover: F32, where: Rectangle, fit: Fit) -> U8:
    """The photo with the object, and the shadow below it."""
    x, y, width, height = where
    result = shadowed(photo_u8, cover, (x, y), fit.shadow) if fit.shadow else photo_u8.copy()
    rows, columns = slice(max(0, y), y + height), slice(max(0, x), x + width)
    below = result[rows, columns]
    shown = (slice(max(0, -y), max(0, -y) + below.shape[0]), slice(max(0, -x), max(0, -x) + below.shape[1]))
    colours, share = colours[shown], cover[shown][..., None]
    if fit.seamless:
        colours = _cloned(below, colours, cover[shown])
    mixed = below + share * (colours - below.astype(np.float32))
    result[rows, columns] = np.round(mixed).clip(0, 255).astype(np.uint8)
    return result


def _cloned(below_u8: U8, colours: F32, cover: F32) -> F32:
    """The object's colours with the photo's at its outline; as they are where OpenCV cannot do that."""
    inside = cover > _SEEN_FROM
    if not inside.any():
        return colours
    top, bottom, left, right = box_of(inside)
    if min(bottom - top, right - left) < _LEAST_CLONE_PX:
        return colours
    part = slice(top, bottom), slice(left, right)
    margin = (_CLONE_MARGIN_PX,) * 4  # OpenCV wants photo on all sides
    object_u8, photo_u8 = (
        cv2.copyMakeBorder(each, *margin, cv2.BORDER_REPLICATE)
        for each in (np.round(colours[part]).clip(0, 255).astype(np.uint8), below_u8[part])
    )
    mask_u8 = np.pad(inside[part], _CLONE_MARGIN_PX).astype(np.uint8) * 255
    centre = (photo_u8.shape[1] // 2, photo_u8.shape[0] // 2)
    try:
        cloned_u8 = cv2.seamlessClone(object_u8, photo_u8, mask_u8, centre, cv2.NORMAL_CLONE)
    except cv2.error:
        return colours
    inner = (slice(_CLONE_MARGIN_PX, -_CLONE_MARGIN_PX),) * 2
    padded = np.pad(inside[part], _CLONE_MARGIN_PX).astype(np.uint8)  # OpenCV has changed its mask
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[inner] / (_CLONE_DEPTH * max(inside[part].shape))
    result = colours.copy()
    result[part] += (_CLONE_SHARE * np.exp(-depth))[..., None] * (cloned_u8[inner] - colours[part])
    return np.asarray(result, np.float32)


def _scaled(colours: F32, cover: F32, size: tuple[int, int]) -> tuple[F32, F32]:
    """At another size; colours count by their alpha, so that none of what cannot be seen bleeds in."""
    smaller = size[0] * size[1] < cover.size
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    both = cv2.resize(np.dstack([colours * cover[..., None], cover]), size, interpolation=way)
    share = np.asarray(both[..., 3].clip(0, 1), np.float32)
    return np.asarray((both[..., :3] / np.maximum(both[..., 3:], 1e-3)).clip(0, 255), np.float32), share


def _feathered(cover: F32, feather_px: float) -> F32:
    """A softer edge, which does not grow beyond the object."""
    return np.asarray(np.minimum(cover, cv2.GaussianBlur(cover, (0, 0), feather_px)), np.float32)


def _around(photo_u8: U8, box: Rectangle) -> U8:
    x, y, width, height = box
    far_x, far_y = max(4, round(_AROUND * width)), max(4, round(_AROUND * height))
    return photo_u8[max(0, y - far_y) : y + height + far_y, max(0, x - far_x) : x + width + far_x]
