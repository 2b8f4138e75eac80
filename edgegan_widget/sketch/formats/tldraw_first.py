"""tldraw's first version (until 2023): pages of shapes, each placed on the page and turned about its own middle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from edgegan_widget.sketch.formats import Format, beside_lines, number, register
from edgegan_widget.sketch.placing import WHITE, Line, placed
from edgegan_widget.sketch.stroke import Points, Stroke
from edgegan_widget.sketch.svg.shapes import SHAPES, Lines, Viewport, smoothed

__all__: list[str] = []

Json = Mapping[str, Any]

_WIDTHS = {"small": 2.0, "medium": 3.5, "large": 5.0}
_OTHERS = {"text": "text", "sticky": "text", "image": "an embedded picture", "video": "an embedded video"}
_BOXES = {
    "rectangle": ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)),
    "triangle": ((0.5, 0), (1, 1), (0, 1), (0.5, 0)),
}
_STEP = 2.0  # units between points of a curve


def _is_first(document: Any) -> bool:
    inner = document.get("document") if isinstance(document, dict) else None
    return isinstance(inner, dict) and isinstance(inner.get("pages"), dict)


def _strokes(document: Json) -> tuple[Stroke, ...]:
    """What the first page that holds something shows."""
    pages = [page.get("shapes") or {} for page in document["document"]["pages"].values()]
    shapes = list(next(filter(None, pages), {}).values())
    shapes.sort(key=lambda each: number(each, "childIndex", 0))
    strokes = placed([line for each in shapes if not each.get("isHidden") and (line := _line(each)) is not None])
    if not strokes:
        beside_lines(shapes, _OTHERS, "tldraw")
    return strokes


def _line(shape: Json) -> Line | None:
    points = _points(shape)
    if not len(points):
        return None
    angle, middle = number(shape, "rotation", 0), (points.min(axis=0) + points.max(axis=0)) / 2
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    points = (points - middle) @ turn.T + middle + np.asarray(shape["point"], np.float64)[:2]
    style = shape.get("style") or {}
    colour = WHITE if style.get("color") == "white" else (0.0, 0.0, 0.0)
    fill = WHITE if style.get("isFilled") and shape["type"] in (*_BOXES, "ellipse") else None
    return Line([points], colour, fill, _WIDTHS.get(str(style.get("size")), 2.0))


def _points(shape: Json) -> Points:
    """Points [P, 2] from the shape's own place."""
    kind = str(shape.get("type"))
    if kind == "draw":
        return np.array([each[:2] for each in shape.get("points", ())], np.float64).reshape(-1, 2)
    if kind in ("line", "arrow"):
        start, bend, end = (shape["handles"][name]["point"] for name in ("start", "bend", "end"))
        bent = bool(number(shape, "bend", 0))
        return smoothed(np.array([start, bend, end], np.float64)) if bent else np.array([start, end], np.float64)
    if kind in _BOXES:
        return np.array(_BOXES[kind], np.float64) * np.asarray(shape["size"], np.float64)
    return _ellipse(*map(float, shape["radius"])) if kind == "ellipse" else np.empty((0, 2))


def _ellipse(rx: float, ry: float) -> Points:
    lines = Lines(_STEP)
    told = {"cx": rx, "cy": ry, "rx": rx, "ry": ry}
    SHAPES["ellipse"](Element("ellipse", {key: repr(value) for key, value in told.items()}), Viewport(1, 1), lines)
    return np.array(lines.lines[0], np.float64) if lines.lines else np.empty((0, 2))


register(Format("tldraw_first", "tldraw (until 2023)", (), _is_first, _strokes))
