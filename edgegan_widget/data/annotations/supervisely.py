"""Supervisely's own format: a JSON for each picture, https://docs.supervisely.com/data-organization/00_ann_format_navi.

``<project>/<dataset>/ann/a.jpg.json`` beside ``<project>/<dataset>/img/a.jpg``, with ``{"size": {"height", "width"},
"objects": [{"classTitle", "geometryType", "points": {"exterior", "interior"}, "bitmap": {"data", "origin"}}]}``; a
bitmap's data are base64 of zlib of a PNG.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.data.annotations.segments import coco_mask
from edgegan_widget.data.annotations.shapes import Labelled, box, collected, of_mask, packed_picture, size_of
from edgegan_widget.data.annotations.shapes import polygon as polygon_of
from edgegan_widget.data.sources import Segmentation

__all__ = ["is_supervisely", "pictures_of_supervisely"]

_MOST_BYTES = 64_000_000  # of a mask, unpacked


def is_supervisely(record: Any) -> bool:
    """Whether a JSON document is an annotation of Supervisely's."""
    return isinstance(record, dict) and isinstance(record.get("objects"), list) and isinstance(record.get("size"), dict)


def pictures_of_supervisely(record: dict[str, Any]) -> list[Labelled]:
    """The one picture that such a file is about; its name is the file's own."""
    size = size_of(record["size"].get("width"), record["size"].get("height"))
    objects = [each for each in record["objects"] if isinstance(each, dict)]
    titled = ((str(each.get("classTitle") or ""), each) for each in objects)
    found, problems = collected(titled, lambda each: _segmentation(each, size))
    return [Labelled("", size, tuple(found), tuple(problems))]


def _segmentation(given: dict[str, Any], size: tuple[int, int] | None) -> Segmentation:
    kind = given.get("geometryType") or given.get("shape")
    points = given.get("points") or {}
    if kind == "bitmap":
        left, top = given["bitmap"]["origin"]
        return of_mask(packed_picture(given["bitmap"]["data"], _unpacked), left, top, size)
    if kind == "rectangle":
        return box(*points["exterior"])
    if kind == "polygon":
        outside, holes = polygon_of(points["exterior"]), points.get("interior") or []
        return _without(outside, [polygon_of(hole) for hole in holes], size) if holes else outside
    raise DataError(f"is a {kind}, which marks no area; draw around the object.")


def _without(outside: Segmentation, holes: list[Segmentation], size: tuple[int, int] | None) -> Segmentation:
    if size is None:
        raise DataError("has holes, and the file does not say how large the picture is; export it as a bitmap.")
    mask = coco_mask(outside, *size) > 0
    for hole in holes:
        mask &= coco_mask(hole, *size) == 0
    return of_mask(np.asarray(mask, bool), 0, 0, size)


def _unpacked(content: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(content, _MOST_BYTES)
    except zlib.error as error:
        raise DataError(f"is a bitmap that cannot be unpacked ({error}); mend or leave it out.") from error
    if stream.unconsumed_tail:
        raise DataError(f"is a bitmap of more than {_MOST_BYTES:,} bytes; export it smaller.")
    return found
