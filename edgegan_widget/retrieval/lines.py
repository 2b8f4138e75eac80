"""How the lines of a sketch run, as numbers: what drawings and pictures' edge maps are compared by.

At 8x8 places the strength of lines in eight directions, after the histograms of oriented gradients (Dalal and Triggs,
CVPR 2005) that sketches are looked up by since Hu and Collomosse (CVIU 2013) and Eitz et al. (TVCG 2011): a line that a
hand put beside its place, or left open, keeps its direction. :class:`Basis` makes the 512 numbers fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import F32, U8

__all__ = ["LEAST_LEARNED", "RAW_SIZE", "SIDE_PX", "Basis", "describe"]

I8 = npt.NDArray[np.int8]

SIDE_PX = 64
RAW_SIZE = 512
LEAST_LEARNED = 500  # pictures; of fewer no directions can be learned that hold for others
_DIRECTIONS, _PLACES = 8, 8
_KEPT = 96
_WHITENED = 0.5  # 0: directions count as much as they vary, 1: all as much
_INK_BELOW_U8 = 160
_OBJECT_PX = 58  # longer side of the object; the rest is paper around it
_CELL_PX = SIDE_PX // _PLACES


def describe(sketch_u8: U8) -> F32:
    """A sketch or an edge map as numbers, wherever on its paper and however large it is drawn.

    Parameters
    ----------
    sketch_u8
        uint8 [H, W], 255 is paper.

    Returns
    -------
    float32 [RAW_SIZE] of length 1; zeros where nothing is drawn.
    """
    ink = cv2.GaussianBlur(255 - _fitted(sketch_u8).astype(np.float32), (0, 0), 1.0)
    across, down = (cv2.Sobel(ink, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    turn = np.mod(np.arctan2(down, across), np.pi) * (_DIRECTIONS / np.pi)  # lines have no arrow
    away = np.abs((turn[..., None] - np.arange(_DIRECTIONS) + _DIRECTIONS / 2) % _DIRECTIONS - _DIRECTIONS / 2)
    strength = np.hypot(across, down)[..., None] * np.maximum(0, 1 - away)  # [64, 64, 8]
    spread = [cv2.GaussianBlur(one, (0, 0), _CELL_PX / 2) for one in np.moveaxis(strength, 2, 0)]
    places = np.stack(spread).reshape(_DIRECTIONS, _PLACES, _CELL_PX, _PLACES, _CELL_PX).mean((2, 4))
    return _unit(np.sqrt(places).ravel())


def _fitted(sketch_u8: U8) -> U8:
    """What is drawn, in the middle of 64x64 and as large as ever; uint8 [64, 64]."""
    rows, columns = np.nonzero(sketch_u8 < _INK_BELOW_U8)
    if not len(rows):
        return np.full((SIDE_PX, SIDE_PX), 255, np.uint8)
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    scale = _OBJECT_PX / max(bottom - top, right - left)
    drawn = sketch_u8[top:bottom, left:right]
    size = (max(1, round(drawn.shape[1] * scale)), max(1, round(drawn.shape[0] * scale)))
    drawn = np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
    fitted = np.full((SIDE_PX, SIDE_PX), 255, np.uint8)
    row, column = (SIDE_PX - drawn.shape[0]) // 2, (SIDE_PX - drawn.shape[1]) // 2
    fitted[row : row + drawn.shape[0], column : column + drawn.shape[1]] = drawn
    return fitted


def _unit(rows: npt.NDArray[np.floating[Any]]) -> F32:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-6), np.float32)


@dataclass(frozen=True)
class Basis:
    """From a description to what an index keeps of it: a byte for each of a few numbers.

    Attributes
    ----------
    mean, directions
        float32 [RAW_SIZE] and [RAW_SIZE, D]: what is taken off, and what is looked along.
    step
        float32 [D]: how much one of the 127 steps of a byte is.
    """

    mean: F32
    directions: F32
    step: F32

    @classmethod
    def learned(cls, raw: F32) -> Basis:
        """The principal directions of descriptions float32 [N, RAW_SIZE], nearly whitened; of few pictures all."""
        mean, directions = np.zeros(RAW_SIZE, np.float32), np.eye(RAW_SIZE, dtype=np.float32)
        if len(raw) >= LEAST_LEARNED:
            mean = raw.mean(axis=0)
            values, vectors = np.linalg.eigh(np.cov(raw - mean, rowvar=False))
            values, vectors = values[::-1][:_KEPT], vectors[:, ::-1][:, :_KEPT]
            directions = (vectors * np.maximum(values, values[0] * 1e-6) ** (-_WHITENED / 2)).astype(np.float32)
        largest = np.abs(_unit((raw - mean) @ directions)).max(axis=0, initial=0)
        return cls(mean, directions, np.maximum(largest, 0.01) * np.float32(1.2 / 127))

    @property
    def is_learned(self) -> bool:
        """Whether there were pictures enough to learn from."""
        return len(self.step) < RAW_SIZE

    def seen(self, raw: F32) -> F32:
        """Descriptions float32 [..., RAW_SIZE] along the directions: [..., D] of length 1."""
        return _unit((raw - self.mean) @ self.directions)

    def kept(self, raw: F32) -> I8:
        """The same as an index keeps it, int8 [..., D]."""
        return np.clip(np.round(self.seen(raw) / self.step), -127, 127).astype(np.int8)
