"""Excalidraw: files, its clipboard and its libraries (https://docs.excalidraw.com/docs/codebase/json-schema)."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from edgegan_widget.sketch.formats import Format, beside_lines, number, register
from edgegan_widget.sketch.placing import Line, placed
from edgegan_widget.sketch.stroke import Points, Stroke
from edgegan_widget.sketch.svg.cascade import colour_of
from edgegan_widget.sketch.svg.shapes import SHAPES, Lines, Viewport, smoothed

__all__: list[str] = []

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

_LINES = ("freedraw", "draw", "line", "arrow")  # "draw" of before 2021
_SHAPES = ("rectangle", "ellipse", "diamond")
_OTHERS = {"text": "text", "image": "an embedded picture", "embeddable": "a web page", "iframe": "a web page"}
_STEP = 2.0  # units between points of a curve
_CORNER, _WIDEST_CORNER = 0.25, 32.0  # of a rounded box: share of its shorter side, and at most so many units


def _is_excalidraw(document: Any) -> bool:
    if isinstance(document, list):  # its elements alone, as its interface hands them out
        kinds = (*_LINES, *_SHAPES, *_OTHERS)
        return any(_is_part(each) and each.get("type") in kinds and "strokeColor" in each for each in document)
    return isinstance(document, dict) and str(document.get("type", "")).startswith("excalidraw")


def _is_part(item: Any) -> bool:
    return isinstance(item, Mapping)


def _strokes(document: Any) -> tuple[Stroke, ...]:
    document = {"elements": document} if isinstance(document, list) else document
    state = document.get("appState")
    background = state.get("viewBackgroundColor") if isinstance(state, Mapping) else None
    painted = colour_of(background, {}) if isinstance(background, str) else None
    parts = filter(_is_part, _elements(document))
    shown = [each for each in parts if not each.get("isDeleted") and number(each, "opacity", 100) >= 5]
    lines = [line for each in shown if (line := _line(each)) is not None]
    strokes = placed(lines, None, painted[0] if painted and painted[1] > 0.5 else None)
    if not strokes:
        beside_lines(shown, _OTHERS, "Excalidraw")
    return strokes


def _elements(document: Json) -> list[Json]:
    """What is drawn; of a library its first item."""
    items = document.get("libraryItems") or document.get("library") or ()
    if items:
        if len(items) > 1:
            log.warning("the library holds %d drawings; the first is read, the others are left out.", len(items))
        first = items[0]
        return list(first["elements"] if isinstance(first, Mapping) else first)
    return list(document.get("elements") or ())


def _line(item: Json) -> Line | None:
    kind = item.get("type")
    if kind not in (*_LINES, *_SHAPES):
        return None
    points = _points(item) if kind in _LINES else _shape(str(kind), item)
    if not len(points):
        return None
    corner = np.array([float(item["x"]), float(item["y"])])
    points[:, :2] = _turned(points[:, :2], float(item.get("angle", 0) or 0)) + corner
    stroke, fill = (
        colour_of(str(item.get(key, given)), {})
        for key, given in (("strokeColor", "black"), ("backgroundColor", "none"))
    )
    closed = kind in _SHAPES or (len(points) > 2 and np.hypot(*(points[0, :2] - points[-1, :2])) < 1)
    inside = fill[0] if fill and fill[1] >= 0.05 and closed else None
    covers = item.get("fillStyle", "solid") == "solid" and number(item, "opacity", 100) > 90
    outline = stroke[0] if stroke and stroke[1] >= 0.05 else None
    return Line([points], outline, inside, float(item.get("strokeWidth", 1) or 1), covers=covers)


def _points(item: Json) -> Points:
    """Points [P, 4] of what was drawn by hand or point by point."""
    given = np.asarray([point[:2] for point in item.get("points") or ()], np.float64).reshape(-1, 2)
    is_round = bool(item.get("roundness")) or item.get("strokeSharpness") == "round"
    if item["type"] in ("line", "arrow") and is_round and len(given) > 2:
        given = smoothed(given)
    points = np.ones((len(given), 4))
    points[:, :2], points[:, 2] = given, 0
    pressures = item.get("pressures") or ()
    if not item.get("simulatePressure", True) and len(pressures) == len(points):
        points[:, 3] = pressures
    return points


def _shape(kind: str, item: Json) -> Points:
    wide, high = float(item["width"]), float(item["height"])
    lines = Lines(_STEP)
    if kind == "diamond":
        corners = [(wide / 2, 0), (wide, high / 2), (wide / 2, high), (0, high / 2), (wide / 2, 0)]
        return np.array(corners, np.float64)
    if kind == "ellipse":
        told = {"cx": wide / 2, "cy": high / 2, "rx": abs(wide) / 2, "ry": abs(high) / 2}
    else:
        corner = min(_CORNER * min(abs(wide), abs(high)), _WIDEST_CORNER) if item.get("roundness") else 0.0
        told = {
            "x": min(wide, 0),
            "y": min(high, 0),
            "width": abs(wide),
            "height": abs(high),
            "rx": corner,
            "ry": corner,
        }
    element = Element(kind, {key: repr(float(value)) for key, value in told.items()})
    SHAPES["rect" if kind == "rectangle" else "ellipse"](element, Viewport(1, 1), lines)
    return np.array(lines.lines[0], np.float64) if lines.lines else np.empty((0, 2))


def _turned(points: Points, angle: float) -> Points:
    """Turned about the middle of their box, clockwise in radians."""
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    return np.asarray((points - middle) @ turn.T + middle)


register(Format("excalidraw", "Excalidraw", (".excalidraw", ".excalidrawlib"), _is_excalidraw, _strokes))
