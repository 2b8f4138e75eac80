"""tldraw: ``.tldr`` files, snapshots of its store, and what was copied."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.formats import Format, beside_lines, register
from edgegan_widget.sketch.placing import WHITE, Colour, Line, placed
from edgegan_widget.sketch.stroke import MOST_POINTS, Points, Stroke
from edgegan_widget.sketch.svg.shapes import SHAPES, Lines, Viewport, moved, smoothed

__all__: list[str] = []

Json = Mapping[str, Any]

MOST_DEPTH = 50
_BLACK: Colour = (0.0, 0.0, 0.0)
_WIDTHS = {"s": 2.0, "m": 3.5, "l": 5.0, "xl": 10.0}
_OTHERS = {
    "text": "text", "note": "text", "image": "an embedded picture", "video": "an embedded video",
    "bookmark": "a web page", "embed": "a web page",
}  # fmt: skip
_POLYGONS = {"triangle": 3, "pentagon": 5, "hexagon": 6, "octagon": 8}
_ARROW = ((0, 0.3), (0.6, 0.3), (0.6, 0), (1, 0.5), (0.6, 1), (0.6, 0.7), (0, 0.7))
_CORNERS: dict[str, tuple[tuple[float, float], ...]] = {  # of a box of 1 x 1
    "diamond": ((0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5)),
    "rhombus": ((0.35, 0), (1, 0), (0.65, 1), (0, 1)),
    "rhombus-2": ((0, 0), (0.65, 0), (1, 1), (0.35, 1)),
    "trapezoid": ((0.25, 0), (0.75, 0), (1, 1), (0, 1)),
    "x-box": ((0, 0), (1, 1), (1, 0), (0, 1), (0, 0), (1, 0), (1, 1), (0, 1)),
    "arrow-right": _ARROW,
    "arrow-left": tuple((1 - x, y) for x, y in _ARROW),
    "arrow-down": tuple((y, x) for x, y in _ARROW),
    "arrow-up": tuple((y, 1 - x) for x, y in _ARROW),
}
_STEP = 2.0  # units between points of a curve


def _is_tldraw(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if "tldrawFileFormatVersion" in document or isinstance(document.get("records"), list):
        return True
    if _content(document) is not None:
        return True
    inner = document.get("document")
    return "store" in document or (isinstance(inner, dict) and "store" in inner)


def _content(document: Json) -> list[Json] | None:
    """Shapes of what was copied, as the clipboard and the editor's interface hand it out."""
    if str(document.get("type", "")) == "application/tldraw" and isinstance(document.get("data"), Mapping):
        document = document["data"]
    shapes = document.get("shapes")
    return list(shapes) if isinstance(shapes, list) and "rootShapeIds" in document else None


def _strokes(document: Json) -> tuple[Stroke, ...]:
    inner = document.get("document") or document
    records = document.get("records")
    if records is None:
        records = _content(document)
    if records is None:
        store = inner["store"]
        records = list(store.values()) if isinstance(store, Mapping) else store
    records = [each for each in records if isinstance(each, Mapping)]
    shapes = [each for each in records if each.get("typeName", "shape") == "shape"]
    below: dict[Any, list[Json]] = {}
    for shape in shapes:
        below.setdefault(shape.get("parentId"), []).append(shape)
    for members in below.values():
        members.sort(key=lambda each: str(each.get("index", "")))
    session = document.get("session")
    opened = session.get("currentPageId") if isinstance(session, Mapping) else None
    strokes = placed(list(_shown(below, _page(records, below, opened), np.eye(3), 1.0, 0)))
    if not strokes:
        beside_lines(shapes, _OTHERS, "tldraw")
    return strokes


def _page(records: list[Json], below: Mapping[Any, list[Json]], opened: Any) -> Any:
    """The page that is read: the one that was open, or the first that holds something."""
    open_pages = [each.get("currentPageId") for each in records if each.get("typeName") == "instance"]
    pages = sorted(
        (each for each in records if each.get("typeName") == "page"), key=lambda each: str(each.get("index"))
    )
    named = [opened, *open_pages, *(each.get("id") for each in pages), None]
    others = [parent for parent in below if not str(parent).startswith("shape:")]
    return next((page for page in [*named, *others] if page in below), None)


def _shown(below: Mapping[Any, list[Json]], parent: Any, matrix: Points, opacity: float, depth: int) -> Iterator[Line]:
    if depth > MOST_DEPTH:
        raise DataError(f"the tldraw file has groups in groups, more than {MOST_DEPTH} deep; ungroup them.")
    for shape in below.get(parent, ()):
        angle = float(shape.get("rotation", 0) or 0)
        own = np.array([
            (math.cos(angle), -math.sin(angle), float(shape.get("x", 0))),
            (math.sin(angle), math.cos(angle), float(shape.get("y", 0))), (0, 0, 1),
        ])  # fmt: skip
        seen = opacity * float(shape.get("opacity", 1))
        if seen < 0.05:
            continue
        yield from _line(shape, matrix @ own)
        if shape.get("id") is not None:
            yield from _shown(below, shape["id"], matrix @ own, seen, depth + 1)


def _line(shape: Json, matrix: Points) -> Iterator[Line]:
    props = shape.get("props") or {}
    read = {"draw": _drawn, "highlight": _drawn, "line": _pointed, "arrow": _arrow, "geo": _geo}.get(
        str(shape.get("type"))
    )
    points = read(props) if read is not None else np.empty((0, 2))
    if not len(points):
        return
    points[:, :2] = moved(points[:, :2], matrix)
    colour = WHITE if props.get("color") == "white" else _BLACK
    filled = props.get("fill") in ("solid", "fill") and (shape["type"] == "geo" or props.get("isClosed"))
    width = _WIDTHS.get(str(props.get("size")), 3.5) * float(props.get("scale", 1) or 1)
    yield Line([points], colour, WHITE if filled else None, width)


def _drawn(props: Json) -> Points:
    """Points of a free hand, [P, 4]."""
    parts = [_segment(segment) for segment in props.get("segments", ())]
    points = np.concatenate([np.empty((0, 3)), *parts])
    if len(points) > MOST_POINTS:
        raise DataError(f"the drawing has more than {MOST_POINTS:,} points; draw it in parts.")
    if props.get("isClosed") and len(points):
        points = np.concatenate([points, points[:1]])
    rows = np.ones((len(points), 4))
    rows[:, :2] = points[:, :2] * (float(props.get("scaleX", 1) or 1), float(props.get("scaleY", 1) or 1))
    rows[:, 2] = 0
    rows[:, 3] = points[:, 2] if props.get("isPen") else 1
    return rows


def _segment(segment: Json) -> Points:
    if isinstance(segment.get("path"), str):
        return _unpacked(segment["path"])
    rows = [(float(each["x"]), float(each["y"]), float(each.get("z", 0.5) or 0)) for each in segment.get("points", ())]
    return np.array(rows, np.float64).reshape(-1, 3)


def _unpacked(text: str) -> Points:
    """Points of base64: the first in single precision and then steps in half, or all in half, as versions differ."""
    raw = base64.b64decode(text)
    if len(raw) >= 12:
        first = np.frombuffer(raw, "<f4", 3).astype(np.float64)
        steps = np.frombuffer(raw, "<f2", (len(raw) - 12) // 2, 12).astype(np.float64)
        rows = np.cumsum(np.concatenate([first[None], steps[: len(steps) // 3 * 3].reshape(-1, 3)]), axis=0)
        if np.isfinite(rows).all() and np.abs(rows[:, :2]).max() < 1e6 and 0 <= first[2] <= 1:
            return np.asarray(rows)
    halves = np.frombuffer(raw, "<f2", len(raw) // 2).astype(np.float64)
    return np.asarray(halves[: len(halves) // 3 * 3].reshape(-1, 3))


def _pointed(props: Json) -> Points:
    given = props.get("points") or props.get("handles") or ()
    listed = (
        sorted(given.values(), key=lambda each: str(each.get("index", ""))) if isinstance(given, Mapping) else given
    )
    points = np.array([(float(each["x"]), float(each["y"])) for each in listed], np.float64).reshape(-1, 2)
    return smoothed(points) if props.get("spline") == "cubic" and len(points) > 2 else points


def _arrow(props: Json) -> Points:
    ends = [props.get(name) or {} for name in ("start", "end")]
    start, end = (np.array([float(each.get("x", 0)), float(each.get("y", 0))]) for each in ends)
    step = end - start
    long = float(np.hypot(*step))
    if not long:
        return np.empty((0, 2))
    middle = (start + end) / 2 + np.array([step[1], -step[0]]) / long * float(props.get("bend", 0) or 0)
    return smoothed(np.stack([start, middle, end]))


def _geo(props: Json) -> Points:
    wide, high = float(props["w"]), float(props["h"]) + float(props.get("growY", 0) or 0)
    kind, lines = props.get("geo", "rectangle"), Lines(_STEP)
    if kind in ("ellipse", "oval", "cloud"):
        told = {"cx": wide / 2, "cy": high / 2, "rx": wide / 2, "ry": high / 2}
        SHAPES["ellipse"](Element("ellipse", {key: repr(value) for key, value in told.items()}), Viewport(1, 1), lines)
        return np.array(lines.lines[0]) if lines.lines else np.empty((0, 2))
    box = np.array([wide, high])
    if kind in _CORNERS:
        return np.asarray(np.array([*_CORNERS[kind], _CORNERS[kind][0]], np.float64) * box)
    if kind in _POLYGONS or kind == "star":
        count = _POLYGONS.get(kind, 10)
        angle = np.linspace(0, 2 * np.pi, count + 1) - np.pi / 2
        corners = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        if kind == "star":
            corners[1::2] *= 0.5
        return np.asarray((corners - corners.min(axis=0)) / np.ptp(corners, axis=0) * box)
    return np.asarray(np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * box)


register(Format("tldraw", "tldraw", (".tldr",), _is_tldraw, _strokes))
