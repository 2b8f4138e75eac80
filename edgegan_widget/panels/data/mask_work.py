"""A photo and its mask while they are mended: strokes in, the mask and its picture out; nothing here is on screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.units import F32, U8
from edgegan_widget.data.readers.photos import Masked
from edgegan_widget.photo import mend
from edgegan_widget.photo.pixels import as_photo, resized

__all__ = ["VIEW_PX", "MaskWork", "MendStroke"]

VIEW_PX = 640  # side of the square in which the photo is shown
_INSIDE_FROM = 0.5
_DIMMED = 0.45  # how bright what is not object is shown
_OUTLINES = (((0, 0, 0), 4), ((255, 214, 0), 2))  # colours and widths, the wider one below: seen on any photo


@dataclass(frozen=True)
class MendStroke:
    """Points in pixels of the view, the brush's width there, and whether what it touches is kept or taken away."""

    points: tuple[tuple[float, float], ...]
    width_px: float
    keeps: bool


class MaskWork:
    """One photo and the masks it has had.

    Parameters
    ----------
    masked
        The photo and where its mask is; one that is missing or torn is empty.

    Raises
    ------
    DataError
        The photo cannot be read.
    """

    def __init__(self, masked: Masked) -> None:
        self.masked = masked
        self._photo = as_photo(masked.photo)
        self._masks = [_read(masked.mask, self._photo)]

    @property
    def alpha(self) -> F32:
        """The mask, float32 [H, W] in 0..1."""
        return self._masks[-1]

    @property
    def changed(self) -> bool:
        """Whether there is a step to take back."""
        return len(self._masks) > 1

    def mend(self, strokes: Sequence[MendStroke]) -> None:
        """Follow strokes, one after the other; each is a step."""
        for stroke in strokes:
            drawn = self._drawn(stroke)
            self._masks.append(
                mend(
                    self._photo,
                    self.alpha,
                    keep=drawn if stroke.keeps else None,
                    take_away=None if stroke.keeps else drawn,
                )
            )

    def undo(self) -> None:
        """Take the last step back."""
        if self.changed:
            self._masks.pop()

    def view(self) -> U8:
        """The photo with the object's outline, what is around it dimmed, in the middle of a square; uint8 [S, S, 3]."""
        size = self._size()
        photo = resized(self._photo, size)
        inside = (resized(self.alpha, size) >= _INSIDE_FROM).astype(np.uint8)
        shown = np.where(inside[..., None] > 0, photo, (photo * _DIMMED).astype(np.uint8))
        lines, _ = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        for colour, width in _OUTLINES:
            cv2.drawContours(shown, lines, -1, colour, width)
        left, top = self._corner()
        square = np.full((VIEW_PX, VIEW_PX, 3), 128, np.uint8)
        square[top : top + size[1], left : left + size[0]] = shown
        return square

    def _size(self) -> tuple[int, int]:
        height, width = self._photo.shape[:2]
        scale = VIEW_PX / max(height, width)
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _corner(self) -> tuple[int, int]:
        width, height = self._size()
        return (VIEW_PX - width) // 2, (VIEW_PX - height) // 2

    def _drawn(self, stroke: MendStroke) -> np.ndarray:
        """The stroke in the photo, bool [H, W]."""
        scale = max(self._photo.shape[:2]) / VIEW_PX
        path = np.round((np.array(stroke.points) - self._corner()) * scale).astype(np.int32)
        canvas = np.zeros(self._photo.shape[:2], np.uint8)
        cv2.polylines(canvas, [path[:, None]], False, 1, max(1, round(stroke.width_px * scale)))
        return np.asarray(canvas > 0)


def _read(mask: Path, photo_u8: U8) -> F32:
    """A mask of the photo's size; empty where there is none of it."""
    try:
        found: Image.Image | None = open_picture(mask).convert("L") if mask.is_file() else None
    except DataError:
        found = None
    if found is None or found.size != photo_u8.shape[1::-1]:
        return np.zeros(photo_u8.shape[:2], np.float32)
    return np.asarray(np.asarray(found, np.float32) / 255, np.float32)
