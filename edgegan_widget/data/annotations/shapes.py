"""Shapes of drawing programs -> COCO's segmentations, and pictures as annotation files of single pictures tell them."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import MOST_PIXELS
from edgegan_widget.data.annotations.numbers import whole
from edgegan_widget.data.sources import Segmentation

__all__ = ["Labelled", "box", "collected", "ellipse", "of_mask", "packed_picture", "polygon", "size_of"]

_CORNERS_OF_ELLIPSE = 72
_LARGEST_SIDE_PX = 65_535


@dataclass(frozen=True)
class Labelled:
    """One picture with its objects.

    Attributes
    ----------
    name
        Its path as the file has it; empty where the file does not say.
    size_px
        Width and height that the shapes are for, if the file says.
    objects
        Class and COCO segmentation of each object.
    problems
        A sentence for each shape that marks no object.
    """

    name: str
    size_px: tuple[int, int] | None
    objects: tuple[tuple[str, Segmentation], ...]
    problems: tuple[str, ...] = ()


def collected(
    shapes: Iterable[tuple[str, Any]], read: Callable[[Any], Segmentation]
) -> tuple[list[tuple[str, Segmentation]], list[str]]:
    """Class and segmentation of each shape that marks an area, and a sentence for each other one."""
    objects, problems = list[tuple[str, Segmentation]](), list[str]()
    for number, (label, shape) in enumerate(shapes, 1):
        try:
            if not label.strip():
                raise DataError("has no class; give it one.")
            objects.append((label, read(shape)))
        except DataError as error:
            problems.append(f"shape {number} ({label or 'without a class'}) {error}")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            why = " ".join(str(error).split())[:100] or type(error).__name__
            problems.append(f"shape {number} ({label or 'without a class'}) is damaged ({why}); mend or leave it out.")
    return objects, problems


def polygon(points: Any) -> Segmentation:
    """Corners [[x, y], ...] as a segmentation of one polygon."""
    corners = np.asarray(points, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3 or not np.isfinite(corners).all():
        raise DataError("has no three corners; mend or leave it out.")
    return [corners.ravel().tolist()]


def box(first: Any, second: Any) -> Segmentation:
    """The rectangle between two corners (x, y), in any order."""
    (left, top), (right, bottom) = np.sort(np.asarray([first, second], np.float64), axis=0)
    return polygon([[left, top], [right, top], [right, bottom], [left, bottom]])


def ellipse(x: float, y: float, wide: float, high: float, turned: float = 0.0) -> Segmentation:
    """The ellipse around (x, y) with these radii, turned by so many radians, as a polygon."""
    around = np.linspace(0, 2 * np.pi, _CORNERS_OF_ELLIPSE, endpoint=False)
    across, down = abs(float(wide)) * np.cos(around), abs(float(high)) * np.sin(around)
    cos, sin = np.cos(float(turned)), np.sin(float(turned))
    return polygon(np.stack([x + across * cos - down * sin, y + across * sin + down * cos], axis=1))


def of_mask(mask: npt.NDArray[np.bool_], left: float, top: float, size_px: tuple[int, int] | None) -> Segmentation:
    """A part of a picture as plain run lengths of the whole; what reaches beyond the picture is cut off."""
    if size_px is None:
        raise DataError("is a mask, and the file does not say how large the picture is; export it as polygons.")
    x, y = round(float(left)), round(float(top))
    whole_mask = np.zeros(size_px[::-1], bool)
    rows, columns = slice(max(0, y), max(0, y + mask.shape[0])), slice(max(0, x), max(0, x + mask.shape[1]))
    target = whole_mask[rows, columns]
    target |= mask[max(0, -y) :, max(0, -x) :][: target.shape[0], : target.shape[1]]
    flat = whole_mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(flat, prepend=False))
    return {"size": [size_px[1], size_px[0]], "counts": np.diff([0, *changes.tolist(), flat.size]).tolist()}


def packed_picture(text: Any, unpack: Callable[[bytes], bytes] = bytes) -> npt.NDArray[np.bool_]:
    """A mask that stands in the file as text: base64 of a PNG, of which alpha counts where it has one."""
    try:
        content = unpack(base64.b64decode(str(text), validate=False))
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise DataError(f"is a mask of more than {MOST_PIXELS:,} pixels; export it smaller.")
            alpha = "A" in picture.getbands() or "transparency" in picture.info
            shown = picture.convert("RGBA").getchannel("A") if alpha else picture.convert("L")
            return np.asarray(shown) > 0
    except (OSError, ValueError, binascii.Error, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"is a mask that cannot be read ({error}); mend or leave it out.") from error


def size_of(wide: Any, high: Any) -> tuple[int, int] | None:
    """Width and height as whole numbers; None where they are none that a picture can have."""
    sides = whole(wide), whole(high)
    if sides[0] is None or sides[1] is None or not all(0 < side <= _LARGEST_SIDE_PX for side in (sides[0], sides[1])):
        return None
    return sides[0], sides[1]
