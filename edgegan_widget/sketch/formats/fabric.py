"""fabric.js, as streamlit-drawable-canvas and others save it: objects with their place, size, turn and eraser."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from fontTools.svgLib.path.parser import parse_path

from edgegan_widget.sketch.formats import Format, beside_lines, number, register
from edgegan_widget.sketch.placing import Colour, Line, placed
from edgegan_widget.sketch.stroke import Points, Stroke
from edgegan_widget.sketch.svg.cascade import colour_of
from edgegan_widget.sketch.svg.shapes import SHAPES, Lines, Viewport, moved

__all__: list[str] = []

Json = Mapping[str, Any]

MOST_DEPTH = 50
_STEP = 2.0  # pixels of the canvas between points of a curve
_GROUPS = ("group", "activeselection")
_OTHERS = {"text": "text", "i-text": "text", "itext": "text", "textbox": "text", "image": "an embedded picture"}
_KINDS = ("path", "line", "rect", "circle", "ellipse", "polygon", "polyline", "triangle", *_GROUPS)
_ORIGINS = {"left": -0.5, "top": -0.5, "center": 0.0, "right": 0.5, "bottom": 0.5}


def _is_fabric(document: Any) -> bool:
    found = document.get("objects") if isinstance(document, dict) else document
    if not isinstance(found, list) or not all(isinstance(each, dict) and "type" in each for each in found if each):
        return False
    # objects alone are known by where their canvas keeps them
    return isinstance(document, dict) or any(each and {"left", "top"} <= each.keys() for each in found)


def _strokes(document: Any) -> tuple[Stroke, ...]:
    document = {"objects": document} if isinstance(document, list) else document
    objects = [each for each in document["objects"] if each]
    background = document.get("background") or document.get("backgroundColor")
    painted = colour_of(background, {}) if isinstance(background, str) else None
    lines = [line for each in objects for line in _painted(each, np.eye(3), 1.0, 0)]
    strokes = placed(lines, None, painted[0] if painted and painted[1] > 0.5 else None)
    if not strokes:
        beside_lines(objects, _OTHERS, "fabric.js")
    return strokes


def _painted(item: Json, matrix: Points, opacity: float, depth: int) -> Iterator[Line]:
    """What an object shows; ``matrix`` is of the group that it is in."""
    kind = str(item.get("type", "")).lower()
    opacity *= number(item, "opacity", 1)
    if kind not in _KINDS or item.get("visible") is False or opacity < 0.05 or depth > MOST_DEPTH:
        return
    parts = [] if kind in _GROUPS else _local(kind, item)
    own = matrix @ _own_matrix(kind, item, parts)
    if kind in _GROUPS:
        for each in item.get("objects", ()):
            yield from _painted(each, own, opacity, depth + 1)
    elif parts:
        scale = math.sqrt(abs(float(np.linalg.det(own[:2, :2]))))
        width = float(item.get("strokeWidth", 1) or 0) * scale
        stroke = _colour(item.get("stroke"), opacity) if width > 0 else None
        fill = None if kind == "line" else _colour(item.get("fill"), opacity)
        erases = item.get("globalCompositeOperation") == "destination-out"
        yield Line([moved(part, own) for part in parts], stroke, fill, width, erases=erases)
    eraser = item.get("eraser")
    for rubbed in eraser.get("objects", ()) if isinstance(eraser, Mapping) else ():
        for line in _painted(rubbed, own, 1.0, depth + 1):
            yield Line(line.parts, line.stroke or line.fill, None, line.width, erases=True)


def _colour(given: Any, opacity: float) -> Colour | None:
    if not given:
        return None
    if not isinstance(given, str):
        return 0.0, 0.0, 0.0  # a gradient or pattern
    found = colour_of(given, {})
    return found[0] if found and found[1] * opacity >= 0.05 else None


def _local(kind: str, item: Json) -> list[Points]:
    """Lines of an object about its own middle; those of paths and polygons where they were drawn."""
    lines = Lines(_STEP)
    wide, high = float(item.get("width", 0) or 0), float(item.get("height", 0) or 0)
    if kind == "path":
        path = item.get("path") or ""
        text = path if isinstance(path, str) else " ".join(str(part) for command in path for part in command)
        parse_path(text, lines)
    elif kind in ("polygon", "polyline"):
        points = [(float(each["x"]), float(each["y"])) for each in item.get("points", ())]
        return [np.array(points + points[: kind == "polygon"], np.float64)] if points else []
    elif kind == "line":
        lines.moveTo((float(item["x1"]), float(item["y1"])))
        lines.lineTo((float(item["x2"]), float(item["y2"])))
    elif kind == "triangle":
        corners = [(-wide / 2, high / 2), (0.0, -high / 2), (wide / 2, high / 2), (-wide / 2, high / 2)]
        return [np.array(corners)]
    else:
        _round(kind, item, wide, high, lines)
    return [np.array(line, np.float64) for line in lines.lines]


def _round(kind: str, item: Json, wide: float, high: float, lines: Lines) -> None:
    """Boxes and ellipses about their middle, as SVG has them."""
    if kind == "rect":
        told = {"x": -wide / 2, "y": -high / 2, "width": wide, "height": high}
        told |= {key: float(item.get(key, 0) or 0) for key in ("rx", "ry")}
    else:
        radius = float(item.get("radius", 0) or 0)
        told = {"rx": float(item.get("rx", radius) or radius), "ry": float(item.get("ry", radius) or radius)}
    element = Element(kind, {key: repr(value) for key, value in told.items()})
    SHAPES["rect" if kind == "rect" else "ellipse"](element, Viewport(1, 1), lines)


def _own_matrix(kind: str, item: Json, parts: Sequence[Points]) -> Points:
    """An object's matrix: from where its lines were drawn to where it stands now.

    What was drawn with a pen and not moved since stands where its points say; so does an object whose size is not that
    of its points, which only other programs write.
    """
    wide, high = float(item.get("width", 0) or 0), float(item.get("height", 0) or 0)
    middle = np.zeros(2)
    if kind in ("path", "polygon", "polyline"):
        every = np.concatenate(parts) if parts else np.zeros((1, 2))
        middle = (every.min(axis=0) + every.max(axis=0)) / 2
        size = np.ptp(every, axis=0)
        if (np.abs(size - (wide, high)) > 0.2 * size.max() + 2).any():
            return np.eye(3)
    scale = np.array([number(item, "scaleX", 1), number(item, "scaleY", 1)])
    scale *= [-1 if item.get("flipX") else 1, -1 if item.get("flipY") else 1]
    lean = np.tan(np.radians([float(item.get("skewX", 0) or 0), float(item.get("skewY", 0) or 0)]))
    angle = math.radians(float(item.get("angle", 0) or 0))
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    width = float(item.get("strokeWidth", 1) or 0)
    outer = np.abs(scale) * (wide + width, high + width)
    origin = np.array([_origin(item.get(f"origin{axis}", way)) for axis, way in (("X", "left"), ("Y", "top"))])
    corner = np.array([float(item.get("left", 0) or 0), float(item.get("top", 0) or 0)])
    linear = turn @ np.array([(1, lean[0]), (lean[1], 1)]) @ np.diag(scale)
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = corner - turn @ (origin * outer) - linear @ middle
    return matrix


def _origin(given: Any) -> float:
    """Where in its box an object is held, from -0.5 to 0.5: told by a word, or as a share of the box."""
    return float(given) - 0.5 if isinstance(given, (int, float)) else _ORIGINS.get(str(given), -0.5)


register(Format("fabric", "fabric.js (streamlit-drawable-canvas)", (), _is_fabric, _strokes))
