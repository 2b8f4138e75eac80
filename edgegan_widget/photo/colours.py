"""The colours of a mask as numbers of classes, also where a lossy file or a soft edge put others between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import U8

__all__ = ["colours_apart", "frame_of", "is_lossy"]

_LOSSY = ("JPEG", "MPO", "JPEG2000", "WEBP", "AVIF", "HEIF")
_EXACT = 64  # so many colours are looked at one by one; of more, those that are near each other together
_COARSE = 16  # values, of 256, that are one where there are more
_SAME, _BETWEEN = 56.0, 28.0  # distances in RGB: of a colour from one that counts, and from the way between two
_LEAST_SHARE = 0.001  # of the pixels, below which a colour of a lossy file is noise
_RIM_PX = 5
_MOST = 10  # classes in one mask: what has more is a picture


def is_lossy(path: Path) -> bool:
    """Whether a file's values are not exactly those that were saved."""
    try:
        with Image.open(path) as picture:
            return picture.format in _LOSSY
    except OSError:
        return False


def frame_of(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values along the four sides."""
    return np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])


def colours_apart(path: Path, pixels: U8) -> npt.NDArray[np.int64]:
    """Colours as numbers, 0xRRGGBB; that of the frame is 0.

    Parameters
    ----------
    path
        Of the file, for the error.
    pixels
        uint8 [H, W, 3].

    Raises
    ------
    DataError
        It has so many colours that it is a picture and no mask.
    """
    exact = pixels.reshape(-1, 3).astype(np.int64) @ (1 << 16, 1 << 8, 1)
    many = len(np.unique(exact)) > _EXACT
    coarse = pixels // _COARSE * _COARSE + _COARSE // 2 if many else pixels
    numbers = coarse.reshape(-1, 3).astype(np.int64) @ (1 << 16, 1 << 8, 1)
    found, where, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    classes = _classes(found, counts, _LEAST_SHARE * len(numbers) if many else 0)
    if len(classes) > _MOST:
        raise DataError(f"{path} is a picture in many colours and no mask; give one that is white where the object is.")
    labels = _nearest(found, classes)[where].reshape(pixels.shape[:2])
    if many:
        classes = np.array([each for each in classes if not _is_rim(labels == each)], np.int64)
        labels = _nearest(found, classes)[where].reshape(pixels.shape[:2]) if len(classes) else labels
    at_frame, often = np.unique(frame_of(labels), return_counts=True)
    return np.asarray(np.where(labels == at_frame[often.argmax()], 0, labels), np.int64)


def _nearest(found: npt.NDArray[np.int64], classes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of each colour the one of the classes that is most like it."""
    return np.asarray(classes[np.linalg.norm(_rgb(found)[:, None] - _rgb(classes)[None], axis=2).argmin(axis=1)])


def _is_rim(place: npt.NDArray[np.bool_]) -> bool:
    """Whether it is nowhere wider than what a lossy file makes of an edge."""
    return not cv2.erode(place.astype(np.uint8), np.ones((_RIM_PX, _RIM_PX), np.uint8)).any()


def _classes(found: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], least: float) -> npt.NDArray[np.int64]:
    """The colours that count, the most frequent first: neither near another one nor between two."""
    kept: list[int] = []
    for place in np.argsort(-counts, kind="stable"):
        if counts[place] < least or len(kept) > _MOST:
            break
        if not _is_known(_rgb(found[place]), _rgb(np.array(kept, np.int64))):
            kept.append(int(found[place]))
    return np.array(kept, np.int64)


def _is_known(colour: npt.NDArray[np.float64], kept: npt.NDArray[np.float64]) -> bool:
    if not len(kept):
        return False
    if np.linalg.norm(kept - colour, axis=1).min() <= _SAME:
        return True
    pairs = [(first, second) for number, first in enumerate(kept) for second in kept[:number]]
    return any(_off_way(colour, first, second) <= _BETWEEN for first, second in pairs)


def _off_way(colour: npt.NDArray[np.float64], first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """How far a colour is from the straight way between two others."""
    way = second - first
    share = np.clip((colour - first) @ way / (way @ way), 0, 1)
    return float(np.linalg.norm(colour - first - share * way))


def _rgb(numbers: npt.NDArray[np.int64] | np.int64) -> npt.NDArray[np.float64]:
    return np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], axis=-1).astype(np.float64)
