"""EXIF's orientations: pixels as a camera stored them -> the upright picture, for what was marked in either."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["LYING", "TURNS", "orientation_of"]

Plane = npt.NDArray[Any]

LYING = (5, 6, 7, 8)  # stored on their side
TURNS: dict[int, Callable[[Plane], Plane]] = {  # from the pixels as stored to the upright picture
    2: lambda plane: np.ascontiguousarray(plane[:, ::-1]),
    3: lambda plane: np.ascontiguousarray(plane[::-1, ::-1]),
    4: lambda plane: np.ascontiguousarray(plane[::-1]),
    5: lambda plane: np.ascontiguousarray(plane.swapaxes(0, 1)),
    6: lambda plane: np.ascontiguousarray(np.rot90(plane, -1)),
    7: lambda plane: np.ascontiguousarray(np.rot90(plane, 2).swapaxes(0, 1)),
    8: lambda plane: np.ascontiguousarray(np.rot90(plane)),
}
_EXIF_ORIENTATION = 0x0112


def orientation_of(content: bytes) -> int:
    """EXIF's orientation of a picture file, 1 to 8; 1 is upright, and where there is none."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return int(picture.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # a broken EXIF block is none
        return 1
