"""COCO's segmentations -> masks: polygons and run lengths, also in the forms that other programs give them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError, DependencyError
from edgegan_widget.base.units import U8
from edgegan_widget.data.annotations.numbers import whole
from edgegan_widget.data.sources import Segmentation

__all__ = ["coco_mask"]

_LEAST_CORNERS = 3
_MOST_ROUNDS = 200
_MOST_CHARACTERS = 7  # of one run: 35 bits
_BEYOND_SHARE = 0.03  # of a side: programs let corners stray a little beyond the picture
_BEYOND_PX = 2.0


def coco_mask(segmentation: Segmentation, width_px: int, height_px: int) -> U8:
    """Decode a COCO segmentation.

    Polygons may be a list of them or one flat list of numbers, their corners pairs, objects with x and y, or neither;
    run lengths compressed or plain, one or several; numbers, or the whole, also as text. Parts of a polygon with fewer
    than three corners mark no area and are left out.

    Returns
    -------
    uint8 [height_px, width_px], 255 is object.

    Raises
    ------
    DataError
        It is broken: nothing with three corners, a corner that is no number or lies far outside, or runs for a picture
        of another size.
    DependencyError
        pycocotools is not installed.
    """
    try:
        from pycocotools import mask as coco
    except ImportError as error:
        raise DependencyError("COCO's masks need pycocotools; install it: pip install pycocotools") from error
    segmentation = _from_text(segmentation)
    parts = [segmentation] if isinstance(segmentation, dict) else segmentation
    if not isinstance(parts, list) or not parts:
        raise DataError("its segmentation is empty (a box alone is no outline); mend or leave it out.")
    parts = [_flat(parts)] if _are_objects(parts) else [_flat(part) if _are_objects(part) else part for part in parts]
    encoded = [_run_lengths(coco, part, width_px, height_px) for part in parts if isinstance(part, dict)]
    outlines = list(_outlines([part for part in parts if part is not None and not isinstance(part, dict)]))
    areas = [_polygon(each, width_px, height_px) for each in outlines if len(each) >= _LEAST_CORNERS]
    if outlines and not areas and not encoded:
        raise DataError("its segmentation has a polygon without three corners; mend or leave it out.")
    if areas:
        encoded += coco.frPyObjects(areas, height_px, width_px)
    return np.asarray(coco.decode(coco.merge(encoded)) * np.uint8(255), np.uint8)


def _are_objects(part: Any) -> bool:
    """Whether a polygon's corners are objects with x and y."""
    return isinstance(part, list) and bool(part) and all(isinstance(e, dict) and {"x", "y"} <= e.keys() for e in part)


def _flat(part: list[dict[str, Any]]) -> list[Any]:
    return [corner[axis] for corner in part for axis in ("x", "y")]


def _from_text(segmentation: Segmentation) -> Segmentation:
    """What a table program has put into quotes."""
    if not isinstance(segmentation, str):
        return segmentation
    try:
        return json.loads(segmentation)
    except (ValueError, RecursionError) as error:
        raise DataError("its segmentation is text and no list; mend or leave it out.") from error


def _outlines(parts: list[Any]) -> Iterator[npt.NDArray[np.float64]]:
    """Each polygon's corners, float64 [N, 2]."""
    if parts and all(isinstance(part, (int, float)) for part in parts):
        parts = [parts]  # one polygon, not wrapped in a list
    elif parts and all(_is_pair(part) for part in parts) and len(parts) >= _LEAST_CORNERS:
        parts = [[number for pair in parts for number in pair]]  # the same as pairs
    for part in parts:
        yield _corners(part)


def _is_pair(part: Any) -> bool:
    return isinstance(part, list) and len(part) == 2 and all(isinstance(each, (int, float)) for each in part)


def _corners(part: Any) -> npt.NDArray[np.float64]:
    try:
        numbers = np.array(part)
        if numbers.dtype.kind == "U":
            numbers = numbers.astype(np.float64)
    except ValueError:  # lists of different lengths within
        numbers = np.empty(0, object)
    if numbers.size and (numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all()):
        raise DataError("its segmentation has a corner that is no number; mend or leave it out.")
    if not isinstance(part, list) or numbers.dtype.kind == "O" or numbers.size % 2:
        raise DataError("its segmentation has half a corner, or is no list of numbers; mend or leave it out.")
    return numbers.astype(np.float64).reshape(-1, 2)


def _polygon(corners: npt.NDArray[np.float64], width_px: int, height_px: int) -> list[float]:
    """Checked before pycocotools sees it, whose memory grows with the polygon's length; clipped to the picture."""
    size = np.array([width_px, height_px])
    if corners.max() <= 1 and corners.min() >= 0 and size.min() > _LEAST_CORNERS:
        raise DataError("its corners are all between 0 and 1, shares of the picture; give them in pixels.")
    points = np.clip(corners, 0, size)
    if (np.abs(corners - points) > _BEYOND_PX + _BEYOND_SHARE * size).any():
        far = ", ".join(f"{low:g} to {high:g}" for low, high in zip(corners.min(0), corners.max(0)))
        raise DataError(
            f"its polygon reaches far beyond its picture of {width_px}x{height_px} pixels (x and y from {far}); it is "
            "for a picture of another size."
        )
    if np.abs(np.diff(points, axis=0)).sum() > _MOST_ROUNDS * (width_px + height_px):
        raise DataError("its segmentation has a polygon that crosses the picture hundreds of times; mend it.")
    return list(points.ravel().tolist())


def _run_lengths(coco: Any, segmentation: dict[str, Any], width_px: int, height_px: int) -> Any:
    """Checked before pycocotools sees them: it trusts the runs and would read or write beyond its memory."""
    counts, size = segmentation.get("counts"), segmentation.get("size")
    given = [whole(side) for side in size] if isinstance(size, list) else size
    if given != [height_px, width_px]:
        raise DataError(f"its run lengths are for a picture of {size}, not of [{height_px}, {width_px}]; mend them.")
    runs = _decoded(counts) if isinstance(counts, str) else _plain(counts)
    if not runs or min(runs) < 0 or sum(runs) != width_px * height_px:
        raise DataError("its run lengths do not fill the picture; mend or leave it out.")
    return coco.frPyObjects({"size": given, "counts": runs}, height_px, width_px)


def _plain(counts: Any) -> list[int]:
    runs = [whole(each) for each in counts] if isinstance(counts, list) else []
    found = [each for each in runs if each is not None]
    return found if len(found) == len(runs) else []


def _decoded(text: str) -> list[int]:
    """COCO's run lengths from text: 5 bits a character, least first; from the fourth on, differences to two before."""
    if text.startswith(("b'", 'b"')):  # Python's bytes, written as they are shown
        try:
            text = ast.literal_eval(text).decode("ascii")
        except (ValueError, SyntaxError, AttributeError):
            return []
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
