"""The VGG Image Annotator, versions 1 and 2: one JSON for many pictures, https://www.robots.ox.ac.uk/~vgg/software/via/.

A project keeps ``_via_img_metadata``, an export is that part alone: by any key ``{"filename", "size", "regions":
[{"shape_attributes": {"name": "polygon", "all_points_x", "all_points_y"}, "region_attributes": {...}}]}``; version 1
numbers the regions in an object. The class is the value of one of a region's attributes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from edgegan_widget.base.errors import DataError
from edgegan_widget.data.annotations.shapes import Labelled, box, collected, ellipse
from edgegan_widget.data.annotations.shapes import polygon as polygon_of
from edgegan_widget.data.sources import Segmentation

__all__ = ["is_via", "pictures_of_via"]

_USUAL = ("class", "label", "name", "type", "category", "object")


def is_via(record: Any) -> bool:
    """Whether a JSON document is a project of the annotator, or the part of one that it exports."""
    return bool(_pictures(record)) or (isinstance(record, dict) and "_via_img_metadata" in record)


def pictures_of_via(record: dict[str, Any], attribute: str = "") -> list[Labelled]:
    """The pictures of a project.

    Parameters
    ----------
    record
        The document.
    attribute
        Which attribute of a region is its class; empty takes the one that most regions have, of several the one that
        is called ``class``, ``label`` and so on.
    """
    pictures = _pictures(record)
    attribute = attribute or _attribute(pictures)
    found = []
    for picture in pictures:
        shapes = ((_label(region, attribute), region.get("shape_attributes")) for region in _regions(picture))
        objects, problems = collected(shapes, _segmentation)
        found.append(Labelled(str(picture.get("filename") or ""), None, tuple(objects), tuple(problems)))
    return found


def _pictures(record: Any) -> list[dict[str, Any]]:
    if not isinstance(record, dict):
        return []
    part = record.get("_via_img_metadata", record)
    every = list(part.values()) if isinstance(part, dict) else []
    right = [each for each in every if isinstance(each, dict) and "filename" in each and "regions" in each]
    return right if len(right) == len(every) else []


def _regions(picture: dict[str, Any]) -> Iterator[dict[str, Any]]:
    regions = picture["regions"]
    every = regions.values() if isinstance(regions, dict) else regions
    yield from (region for region in every or () if isinstance(region, dict))


def _attribute(pictures: list[dict[str, Any]]) -> str:
    counts = Counter(
        name for picture in pictures for region in _regions(picture) for name in (region.get("region_attributes") or {})
    )
    usual = [name for name in counts if name.lower() in _USUAL]
    return max(usual or counts, key=lambda name: counts[name], default="")


def _label(region: dict[str, Any], attribute: str) -> str:
    """Text as it is; of ticked boxes ``{"horse": true}`` the first."""
    given = (region.get("region_attributes") or {}).get(attribute, "")
    if isinstance(given, dict):
        return next((str(name) for name, ticked in given.items() if ticked), "")
    return str(given).strip()


def _segmentation(shape: dict[str, Any]) -> Segmentation:
    kind = shape.get("name")
    if kind == "rect":
        left, top = shape["x"], shape["y"]
        return box((left, top), (left + shape["width"], top + shape["height"]))
    if kind == "circle":
        return ellipse(shape["cx"], shape["cy"], shape["r"], shape["r"])
    if kind == "ellipse":
        return ellipse(shape["cx"], shape["cy"], shape["rx"], shape["ry"], shape.get("theta") or 0.0)
    if kind == "polygon":
        return polygon_of(list(zip(shape["all_points_x"], shape["all_points_y"])))
    raise DataError(f"is a {kind}, which marks no area; draw around the object.")
