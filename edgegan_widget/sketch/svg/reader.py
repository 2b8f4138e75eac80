"""SVG -> strokes: what its page shows as lines, in the order in which it is painted.

Left out is what nobody sees (hidden layers, definitions, clip paths, markers, white on white, off the page) and what
is no line (text, embedded pictures, the page's own rectangle). Filled shapes give their outline, filled shapes as thin
as a line their middle: programs write the strokes of a free hand so.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.placing import Colour, Line, placed
from edgegan_widget.sketch.stroke import MOST_POINTS, Points, Stroke, strokes_from
from edgegan_widget.sketch.svg.cascade import Cascade, Look, colour_of, number_of
from edgegan_widget.sketch.svg.document import local_name, safe_root
from edgegan_widget.sketch.svg.shapes import SHAPES, Lines, Viewport, length, matrix_of, moved, numbers, origin_of

__all__ = ["strokes_of_svg"]

MOST_ELEMENTS, MOST_DEPTH = 200_000, 200  # used ones counted as often as they are used
MOST_USES = 5_000
LEAST_OPACITY = 0.05  # below it a line is not seen
_NAMED = re.compile(r"url\(\s*[\"']?#([^\"')]+)[\"']?\s*\)")
GROUPS = ("svg", "g", "a", "switch", "use", "symbol")
PAGE_SHARE = 0.97  # a rectangle as large as this share of the page, in both ways, is the page


@dataclass(frozen=True)
class _Place:
    """Where in the document an element stands: its parent's look, its matrix, what percentages are of."""

    look: Look
    matrix: Points
    port: Viewport
    opacity: float = 1.0
    depth: int = 0
    used: tuple[str, ...] = ()
    within: tuple[list[Points], ...] = ()  # outlines of what cuts off all that lies outside them


@dataclass
class _Page:
    """The page while it is painted."""

    box: Points | None  # [2, 2] left, top; right, bottom in the document's units; None where it says no size
    lines: list[Line] = field(default_factory=list)
    own: list[Stroke] = field(default_factory=list)
    paper: Colour | None = None
    elements: int = 0
    points: int = 0
    uses: int = 0
    others: list[str] = field(default_factory=list)  # what is shown beside lines


def strokes_of_svg(content: str | bytes) -> tuple[Stroke, ...]:
    """The strokes that a document shows; none where it is empty.

    Raises
    ------
    DataError
        It is no SVG, is larger than can be drawn, or shows text or pictures alone.
    """
    root = safe_root(content)
    if local_name(root) != "svg":
        raise DataError("this is not an SVG drawing: its root is no <svg>; give one saved as plain SVG.")
    page, place = _opened(root)
    try:
        with np.errstate(all="ignore"):  # numbers too large to reckon with are left out where lines are made
            _Walk(root, page).children(root, place)
    except RecursionError as error:
        raise DataError(f"the SVG has groups in groups, more than {MOST_DEPTH} deep; ungroup them.") from error
    if page.own:
        return tuple(page.own)
    strokes = placed(page.lines, page.box, page.paper)
    if not strokes and page.others:
        what = " and ".join(dict.fromkeys(page.others))
        raise DataError(f"the SVG shows no lines, but {what}; draw or trace them as paths.")
    return strokes


def _opened(root: ElementTree.Element) -> tuple[_Page, _Place]:
    """The page with its frame, and where its elements stand."""
    frame = numbers(root.get("viewBox", ""))
    known = len(frame) == 4 and frame[2] > 0 and frame[3] > 0 and bool(np.isfinite(frame).all())
    given = [length(root.get(name), frame[at] if known else 0.0) for name, at in (("width", 2), ("height", 3))]
    matrix = np.eye(3)
    if known and "none" in root.get("preserveAspectRatio", "") and min(given) > 0:
        matrix = np.diag([given[0] / frame[2], given[1] / frame[3], 1.0])
    left, top, wide, high = frame if known else (0.0, 0.0, *given)
    box = moved(np.array([(left, top), (left + wide, top + high)]), matrix) if min(wide, high) > 0 else None
    port = Viewport(wide, high) if box is not None else Viewport(100.0, 100.0)
    page = _Page(box)
    look = Cascade(root).look(root, {})
    background = look.get("background-color") or look.get("background", "").split(" ")[0]
    painted = colour_of(background, look) if background else None
    page.paper = painted[0] if painted and painted[1] > 0.5 and not background.startswith("url") else None
    return page, _Place({}, matrix, port)


class _Walk:
    """Goes through a document as it is painted."""

    def __init__(self, root: ElementTree.Element, page: _Page) -> None:
        self._page, self._cascade = page, Cascade(root)
        self._named = {name: each for each in root.iter() if (name := each.get("id"))}
        root_look = self._cascade.look(root, {})
        self._hidden = root_look.get("display") == "none" or number_of(root_look.get("opacity"), 1.0) < LEAST_OPACITY
        self._root_look = root_look

    def children(self, parent: ElementTree.Element, place: _Place) -> None:
        """Paint what an element holds."""
        if place.depth > MOST_DEPTH:
            raise DataError(f"the SVG has groups in groups, more than {MOST_DEPTH} deep; ungroup them.")
        if place.depth == 0:
            if self._hidden:
                return
            place = _Place(self._root_look, place.matrix, place.port)
        for child in parent:
            self._element(child, place)

    def _element(self, element: ElementTree.Element, place: _Place) -> None:
        self._count()
        if points := element.get("data-points"):
            self._page.own += _own(element, points)
            return
        name = local_name(element)
        if name in ("text", "image", "foreignObject"):
            self._beside(element, name, place)
        if name not in GROUPS and name not in SHAPES:
            return
        look = self._cascade.look(element, place.look)
        opacity = place.opacity * number_of(look.get("opacity"), 1.0)
        if look.get("display") == "none" or opacity < LEAST_OPACITY:
            return
        origin = origin_of(look.get("transform-origin"), place.port)
        own = matrix_of(look.get("transform") or element.get("transform"))
        matrix = place.matrix @ np.linalg.inv(origin) @ own @ origin
        inner = _Place(look, matrix, place.port, opacity, place.depth + 1, place.used, place.within)
        if clip := self._clip(look.get("clip-path", ""), inner):
            inner = dataclasses.replace(inner, within=(*place.within, clip))
        if name in SHAPES:
            if look.get("visibility", "visible") not in ("hidden", "collapse"):
                self._shape(element, name, inner)
        elif name == "use":
            self._use(element, inner)
        elif name == "svg":
            self.children(element, _inside(element, inner))
        elif name == "switch":
            self._first(element, inner)
        elif name != "symbol":
            self.children(element, inner)

    def _clip(self, given: str, place: _Place) -> list[Points]:
        """Outlines of a clip path; none where there is no such thing, or it is told in shares of what it cuts."""
        found = _NAMED.match(given)
        target = self._named.get(found.group(1)) if found else None
        if target is None or local_name(target) != "clipPath" or target.get("clipPathUnits") == "objectBoundingBox":
            return []
        place = dataclasses.replace(place, matrix=place.matrix @ matrix_of(target.get("transform")))
        return [part for child in target for part in self._clipping(child, place)]

    def _clipping(self, child: ElementTree.Element, place: _Place) -> list[Points]:
        self._count()
        if local_name(child) == "use":
            name = next((value for key, value in child.attrib.items() if key.rpartition("}")[2] == "href"), "")
            child = self._named.get(name.lstrip("#"), child)
        if local_name(child) not in SHAPES:
            return []
        matrix = place.matrix @ matrix_of(child.get("transform"))
        return self._parts(child, local_name(child), dataclasses.replace(place, matrix=matrix))[0]

    def _first(self, element: ElementTree.Element, place: _Place) -> None:
        """What a program that knows SVG alone shows of several."""
        for child in element:
            if local_name(child) in (*GROUPS, *SHAPES) and not child.get("requiredExtensions"):
                self._element(child, place)
                return

    def _use(self, element: ElementTree.Element, place: _Place) -> None:
        links = [value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"]
        name = links[0].lstrip("#") if links and links[0].startswith("#") else ""
        target = self._named.get(name)
        if target is None or name in place.used:  # elsewhere, or itself
            return
        self._page.uses += 1
        if self._page.uses > MOST_USES:
            raise DataError(f"the SVG uses its parts more than {MOST_USES:,} times; simplify it.")
        shift = np.eye(3)
        shift[:2, 2] = length(element.get("x"), place.port.wide), length(element.get("y"), place.port.high)
        inner = _Place(
            place.look,
            place.matrix @ shift,
            place.port,
            place.opacity,
            place.depth + 1,
            (*place.used, name),
            place.within,
        )
        if local_name(target) == "symbol":
            self._count()
            look = self._cascade.look(target, inner.look)
            sized = {key: element.get(key, target.get(key, "100%")) for key in ("width", "height")}
            framed = _framed(numbers(target.get("viewBox", "")), sized, target.get("preserveAspectRatio", ""), inner)
            self.children(target, dataclasses.replace(inner, look=look, matrix=framed[0], port=framed[1]))
        else:
            self._element(target, inner)

    def _shape(self, element: ElementTree.Element, name: str, place: _Place) -> None:
        parts, closed, scale = self._parts(element, name, place)
        self._paint([part for part in parts if len(part) > 1], closed, name, place, scale)

    def _parts(self, element: ElementTree.Element, name: str, place: _Place) -> tuple[list[Points], list[bool], float]:
        """Lines of a shape on the page, whether each is closed, and how much larger than its own units they are."""
        scale = float(np.sqrt(abs(np.linalg.det(place.matrix[:2, :2]))))
        side = place.port.side if self._page.box is None else float(np.ptp(self._page.box, axis=0).max())
        lines = Lines(side / 256 / max(scale, 1e-9))
        try:
            SHAPES[name](element, place.port, lines)
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            if isinstance(error, DataError):
                raise
        if lines.broken:
            self._page.others.append("paths that cannot be followed")
        parts = [moved(np.array(line, np.float64), place.matrix) for line in lines.lines]
        parts = [part[np.isfinite(part).all(axis=1)] for part in parts]
        self._page.points += sum(map(len, parts))
        if self._page.points > MOST_POINTS:
            raise DataError(f"the drawing has more than {MOST_POINTS:,} points; draw it in parts.")
        return parts, lines.closed, scale

    def _paint(self, parts: list[Points], closed: list[bool], name: str, place: _Place, scale: float) -> None:
        look = place.look
        (fill, solid), (stroke, _) = (
            _paint_of(look, kind, default, place.opacity) for kind, default in (("fill", "black"), ("stroke", "none"))
        )
        width = length(look.get("stroke-width"), place.port.side, 1.0)
        if width <= 0 and "stroke-width" in look:
            stroke = None if width == 0 else stroke
        bare = "fill" not in look and "stroke" not in look  # geometry alone is meant as a line
        if bare and (name in ("line", "polyline") or "stroke-width" in look or not any(closed)):
            fill, stroke = None, (0.0, 0.0, 0.0)
        if name == "line":
            fill = None
        if fill is not None and self._is_page(parts):
            self._page.paper = None if look.get("fill", "").startswith("url(") else fill  # shades are no one colour
            fill = None
        if parts and (fill is not None or stroke is not None):
            wide = width * scale if width > 0 else None
            self._page.lines.append(Line(parts, stroke, fill, wide, solid > 0.9, within=place.within))

    def _is_page(self, parts: list[Points]) -> bool:
        """Whether a filled shape is the rectangle that the page lies on."""
        box = self._page.box
        if box is None or len(parts) != 1 or self._page.lines:
            return False
        low, high = parts[0].min(axis=0), parts[0].max(axis=0)
        seen = np.minimum(high, box[1]) - np.maximum(low, box[0])
        if len(np.unique(parts[0], axis=0)) < 4:  # a line from corner to corner
            return False
        on_border = np.isclose(parts[0], low, atol=1e-6) | np.isclose(parts[0], high, atol=1e-6)
        return bool((seen >= PAGE_SHARE * np.ptp(box, axis=0)).all() and on_border.any(axis=1).all())

    def _beside(self, element: ElementTree.Element, name: str, place: _Place) -> None:
        shown = self._cascade.look(element, place.look).get("display") != "none"
        if shown:
            self._page.others.append("an embedded picture" if name == "image" else "text")

    def _count(self) -> None:
        self._page.elements += 1
        if self._page.elements > MOST_ELEMENTS:
            raise DataError(f"the SVG has more than {MOST_ELEMENTS:,} parts; simplify it.")


def _own(element: ElementTree.Element, points: str) -> Iterator[Stroke]:
    """A stroke that this package wrote, to the last digit."""
    width, tool = element.get("data-width", "0.02"), element.get("data-tool", "pen")
    try:
        yield from strokes_from([{"points": json.loads(points), "width": float(width), "tool": tool}])
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"this is not an SVG drawing ({error}); give one saved as plain SVG.") from error


def _paint_of(look: Mapping[str, str], kind: str, default: str, opacity: float) -> tuple[Colour | None, float]:
    """The colour that is filled or stroked with and its opacity; None where nothing can be seen of it."""
    given = look.get(kind, default)
    if given.startswith("url("):
        given = re.sub(r"^url\([^)]*\)\s*", "", given) or "black"  # what stands in for the gradient
    found = colour_of(given, look)
    if found is None:
        return None, 0.0
    solid = found[1] * opacity * number_of(look.get(f"{kind}-opacity"), 1.0)
    return (found[0] if solid >= LEAST_OPACITY else None), solid


def _inside(element: ElementTree.Element, place: _Place) -> _Place:
    """Where the elements of an <svg> in an <svg> stand."""
    shift = np.eye(3)
    shift[:2, 2] = length(element.get("x"), place.port.wide), length(element.get("y"), place.port.high)
    there = dataclasses.replace(place, matrix=place.matrix @ shift)
    sized = {key: element.get(key, "100%") for key in ("width", "height")}
    framed = _framed(numbers(element.get("viewBox", "")), sized, element.get("preserveAspectRatio", ""), there)
    return dataclasses.replace(there, matrix=framed[0], port=framed[1])


def _framed(frame: list[float], sized: Mapping[str, str], kept: str, place: _Place) -> tuple[Points, Viewport]:
    """The matrix that fits a view box into a width and height, centred (SVG 2, section 8.6), and its viewport."""
    wide, high = length(sized["width"], place.port.wide), length(sized["height"], place.port.high)
    if len(frame) != 4 or not (frame[2] > 0 and frame[3] > 0 and wide > 0 and high > 0):
        return place.matrix, place.port
    scales = wide / frame[2], high / frame[3]
    if "none" not in kept:
        scales = (max(scales),) * 2 if "slice" in kept else (min(scales),) * 2
    matrix = np.diag([*scales, 1.0])
    rest = wide - frame[2] * scales[0], high - frame[3] * scales[1]
    share = [0.0 if f"{axis}Min" in kept else 1.0 if f"{axis}Max" in kept else 0.5 for axis in "xY"]
    matrix[:2, 2] = [share[n] * rest[n] - frame[n] * scales[n] for n in (0, 1)]
    return place.matrix @ matrix, Viewport(frame[2], frame[3])
