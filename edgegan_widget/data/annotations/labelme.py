"""labelme: a JSON beside each picture, https://github.com/wkentaro/labelme; X-AnyLabeling and others write it too.

``{"shapes": [{"label", "points", "group_id", "shape_type", "mask"}], "imagePath", "imageHeight", "imageWidth"}``.
Shapes of one class and group are one object.
"""

from __future__ import annotations

import math
from typing import Any

from edgegan_widget.base.errors import DataError
from edgegan_widget.data.annotations.shapes import Labelled, box, collected, ellipse, of_mask, packed_picture, size_of
from edgegan_widget.data.annotations.shapes import polygon as polygon_of
from edgegan_widget.data.sources import Segmentation

__all__ = ["is_labelme", "pictures_of_labelme"]


def is_labelme(record: Any) -> bool:
    """Whether a JSON document is one of labelme's."""
    return isinstance(record, dict) and isinstance(record.get("shapes"), list)


def pictures_of_labelme(record: dict[str, Any]) -> list[Labelled]:
    """The one picture that such a file is about."""
    size = size_of(record.get("imageWidth"), record.get("imageHeight"))
    shapes = [shape for shape in record["shapes"] if isinstance(shape, dict)]
    labelled = ((str(shape.get("label") or ""), shape) for shape in shapes)
    objects, problems = collected(labelled, lambda shape: (shape.get("group_id"), _segmentation(shape, size)))
    grouped: dict[object, tuple[str, list[Any]]] = {}
    for number, (label, (group, segmentation)) in enumerate(objects):
        parts = segmentation if isinstance(segmentation, list) else [segmentation]
        key = (label, group) if isinstance(group, (int, str)) else number
        grouped.setdefault(key, (label, []))[1].extend(parts)
    return [Labelled(str(record.get("imagePath") or ""), size, tuple(grouped.values()), tuple(problems))]


def _segmentation(shape: dict[str, Any], size: tuple[int, int] | None) -> Segmentation:
    points, kind = shape.get("points") or [], shape.get("shape_type") or "polygon"
    if kind == "rectangle" and len(points) == 2:
        return box(*points)
    if kind == "circle":
        (x, y), (edge_x, edge_y) = points
        radius = math.hypot(edge_x - x, edge_y - y)
        return ellipse(x, y, radius, radius)
    if kind == "mask":
        (left, top), _ = points
        return of_mask(packed_picture(shape.get("mask")), left, top, size)
    if kind in ("polygon", "rectangle", "rotation", "oriented_rectangle"):  # the last three by their corners
        return polygon_of(points)
    raise DataError(f"is a {kind}, which marks no area; draw around the object.")
