"""Cutting the object that stands out of a photo: found by a network, its edges refined at full size, and judged."""

from __future__ import annotations

import os

import cv2
import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.finders import load_finder
from edgegan_widget.photo.pixels import Picture, as_photo, resized, within
from edgegan_widget.photo.refine import refine

__all__ = ["alone", "cut_out", "objection", "with_alpha"]

_INSIDE_FROM = 0.5
_SEEN_FROM = 0.1
_JUDGED_PX = 256  # longest side at which a mask is judged
_LEAST_SHARE = 0.004  # of the photo
_ANOTHER_FROM = 0.25  # of the largest part: a smaller one may be a hoof behind a branch
_OBJECT_FROM_SHARE = 0.01  # of the photo: a smaller part is no second object


def cut_out(image: Picture, *, model: str | os.PathLike[str] | None = None) -> F32:
    """How much of each pixel belongs to the object that stands out.

    Parameters
    ----------
    image
        uint8 [H, W, 3], a Pillow image, or the path of a picture (turned as its EXIF data say).
    model
        None for the shipped network; a folder that ``edgegan-widget train-cutout`` filled; or a TorchScript or ONNX
        file, see :func:`edgegan_widget.photo.finders.load_finder`.

    Returns
    -------
    float32 [H, W] in 0..1, soft where an edge is. All zeros where nothing stands out: :func:`objection` says so.

    Raises
    ------
    DataError
        The picture cannot be read.
    ModelError, DependencyError
        The model cannot be used.

    Notes
    -----
    The network follows U-2-Net (Qin et al., Pattern Recognition 2020); the edge is refined by GrabCut and a guided
    filter, see :mod:`edgegan_widget.photo.refine`.
    """
    photo_u8 = as_photo(image)
    return refine(photo_u8, load_finder(model)(photo_u8))


def objection(alpha: F32) -> str:
    """Why a cut-out is of no use as a picture of one object, as part of a sentence; empty where it is.

    Whether the frame cuts the object off is not asked here: the audit of data measures that, and may be overruled.

    Parameters
    ----------
    alpha
        float32 [H, W] in 0..1.
    """
    small = resized(alpha, within(np.atleast_3d(alpha), _JUDGED_PX)) >= _INSIDE_FROM
    count, _, facts, _ = cv2.connectedComponentsWithStats(small.astype(np.uint8), connectivity=8)
    areas = np.sort(facts[1:, cv2.CC_STAT_AREA])[::-1] / small.size
    if count < 2 or areas[0] < _LEAST_SHARE:
        return "nothing found that stands out"
    others = int((areas[1:] >= max(_OBJECT_FROM_SHARE, _ANOTHER_FROM * areas[0])).sum())
    return f"several objects found ({others + 1})" if others else ""


def alone(alpha: F32) -> F32:
    """The alpha with its largest part, and others that may be objects; specks beside them are taken away."""
    count, parts, facts, _ = cv2.connectedComponentsWithStats((alpha > _SEEN_FROM).astype(np.uint8), connectivity=8)
    if count < 3:
        return alpha
    areas = facts[1:, cv2.CC_STAT_AREA]
    specks = 1 + np.flatnonzero(areas < max(_OBJECT_FROM_SHARE * alpha.size, _ANOTHER_FROM * areas.max()))
    return np.where(np.isin(parts, specks), np.float32(0), alpha)


def with_alpha(photo_u8: U8, alpha: F32) -> U8:
    """The photo uint8 [H, W, 3] with its alpha, uint8 [H, W, 4]; what cannot be seen is black.

    Raises
    ------
    DataError
        They differ in size.
    """
    if alpha.shape != photo_u8.shape[:2]:
        raise DataError(f"alpha is {list(alpha.shape)}, its photo {list(photo_u8.shape[:2])}; give one of that size.")
    alpha_u8 = np.round(alpha * 255).astype(np.uint8)
    return np.dstack([np.where(alpha_u8[..., None] > 0, photo_u8, np.uint8(0)), alpha_u8])
