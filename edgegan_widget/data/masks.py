"""Masks: COCO's polygons and run lengths, and mask pictures -> uint8 arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError, DependencyError
from edgegan_widget.base.files import picture_rgb_u8
from edgegan_widget.data.sources import Segmentation

__all__ = ["coco_mask", "mask_picture"]

U8 = npt.NDArray[np.uint8]

_INSIDE_FROM_U8 = 128
_LEAST_CORNERS = 6  # numbers: three corners
_MOST_ROUNDS = 200
_MOST_CHARACTERS = 7  # of one run: 35 bits


def coco_mask(segmentation: Segmentation, width_px: int, height_px: int) -> U8:
    """Decode a COCO segmentation: polygons, compressed or plain run lengths.

    Returns
    -------
    uint8 [height_px, width_px], 255 is object.

    Raises
    ------
    DataError
        It is broken: no three corners, a corner that is no number, or runs for a picture of another size.
    DependencyError
        pycocotools is not installed.
    """
    try:
        from pycocotools import mask as coco
    except ImportError as error:
        raise DependencyError("COCO's masks need pycocotools; install it: pip install pycocotools") from error
    if isinstance(segmentation, dict):
        encoded = _run_lengths(coco, segmentation, width_px, height_px)
    elif isinstance(segmentation, list) and segmentation:
        encoded = coco.merge(
            coco.frPyObjects([_polygon(each, width_px, height_px) for each in segmentation], height_px, width_px)
        )
    else:
        raise DataError("its segmentation is empty; leave it out.")
    return np.asarray(coco.decode(encoded) * np.uint8(255), np.uint8)


def _polygon(corners: Any, width_px: int, height_px: int) -> list[float]:
    """Checked before pycocotools sees it, whose memory grows with the polygon's length; clipped to the picture."""
    if not isinstance(corners, list) or len(corners) < _LEAST_CORNERS or len(corners) % 2:
        raise DataError("its segmentation has a polygon without three corners; mend or leave it out.")
    try:
        numbers = np.array(corners)
    except ValueError:  # lists within
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iuf" or numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise DataError("its segmentation has a corner that is no number; mend or leave it out.")
    points = np.clip(numbers.astype(np.float64).reshape(-1, 2), 0, (width_px, height_px))
    if np.abs(np.diff(points, axis=0)).sum() > _MOST_ROUNDS * (width_px + height_px):
        raise DataError("its segmentation has a polygon that crosses the picture hundreds of times; mend it.")
    return list(points.ravel().tolist())


def _run_lengths(coco: Any, segmentation: dict[str, Any], width_px: int, height_px: int) -> Any:
    """Checked before pycocotools sees them: it trusts the runs and would read or write beyond its memory."""
    counts, size = segmentation.get("counts"), segmentation.get("size")
    if size != [height_px, width_px]:
        raise DataError(f"its run lengths are for a picture of {size}, not of [{height_px}, {width_px}]; mend them.")
    if isinstance(counts, list):
        plain = [each for each in counts if isinstance(each, int) and each >= 0]
        runs = plain if len(plain) == len(counts) else []
    else:
        runs = _decoded(counts) if isinstance(counts, str) else []
    if not runs or min(runs) < 0 or sum(runs) != width_px * height_px:
        raise DataError("its run lengths do not fill the picture; mend or leave it out.")
    return coco.frPyObjects({"size": size, "counts": runs}, height_px, width_px)


def _decoded(text: str) -> list[int]:
    """COCO's run lengths from text: 5 bits a character, least first; from the fourth on, differences to two before."""
    bits = np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(bits & 32 == 0)
    if not len(bits) or bits.min() < 0 or bits.max() > 63 or not len(ends) or ends[-1] != len(bits) - 1:
        return []
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MOST_CHARACTERS:
        return []
    shifts = 5 * (np.arange(len(bits)) - np.repeat(starts, lengths))
    values = np.add.reduceat((bits & 31) << shifts, starts)
    values -= np.where(bits[ends] & 16, np.int64(1) << (5 * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return list(values.tolist())


def mask_picture(path: Path, width_px: int, height_px: int) -> U8:
    """Read a mask file: light is object, whatever its format; uint8 [H, W]."""
    mask = picture_rgb_u8(path).max(axis=2)
    if mask.shape != (height_px, width_px):
        found = f"{mask.shape[1]}x{mask.shape[0]}"
        raise DataError(f"{path} is {found} pixels, its picture {width_px}x{height_px}; give a mask of that size.")
    return np.asarray((mask >= _INSIDE_FROM_U8) * 255, np.uint8)
