"""Shapes of SVG -> lines: paths with their curves followed, and what is told by numbers (circles, boxes ...).

Path data are read by fontTools. Lines are float64 [points, 2] in the user units of their element.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree

import numpy as np
from fontTools.svgLib.path.arc import EllipticalArc
from fontTools.svgLib.path.parser import parse_path

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.stroke import MOST_POINTS, Points

__all__ = ["SHAPES", "Lines", "Viewport", "length", "matrix_of", "moved", "numbers", "origin_of", "smoothed"]

MOST_SAMPLES = 32  # points of one curve
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LENGTH = re.compile(rf"\s*({_NUMBER.pattern})\s*([a-zA-Z]*|%)\s*$")
_UNITS = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6,
    "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0,
}  # fmt: skip
_CALL = re.compile(r"(matrix|translate[XY]?|scale[XY]?|rotate|skew[XY]?)\s*\(([^()]*)\)", re.IGNORECASE)
_VALUE = re.compile(rf"({_NUMBER.pattern})\s*([a-zA-Z]+|%)?")
_DEGREES = {"rad": 180 / math.pi, "turn": 360.0, "grad": 0.9, "deg": 1.0}


@dataclass(frozen=True)
class Viewport:
    """What percentages are of, in user units."""

    wide: float
    high: float

    @property
    def side(self) -> float:
        """What a percentage of neither width nor height is of (SVG 2, section 8.9)."""
        return math.hypot(self.wide, self.high) / math.sqrt(2)


@dataclass
class Lines:
    """Collects the lines of one shape, as fontTools tells them; curves are sampled as finely as ``step``."""

    step: float
    lines: list[list[tuple[float, float]]] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    points: int = 0
    broken: bool = False

    def moveTo(self, point: tuple[float, float]) -> None:
        """Begin a line."""
        self.lines.append([point])
        self.closed.append(False)

    def lineTo(self, point: tuple[float, float]) -> None:
        """Go on straight."""
        self._add([point])

    def curveTo(self, one: tuple[float, float], two: tuple[float, float], end: tuple[float, float]) -> None:
        """Go on along a cubic curve."""
        self._curve(np.array([self.lines[-1][-1], one, two, end]))

    def qCurveTo(self, one: tuple[float, float], end: tuple[float, float]) -> None:
        """Go on along a quadratic curve."""
        self._curve(np.array([self.lines[-1][-1], one, end]))

    def arcTo(self, rx: float, ry: float, rotation: float, large: bool, sweep: bool, end: tuple[float, float]) -> None:
        """Go on along an ellipse; one without a radius is a line."""
        start = complex(*self.lines[-1][-1])
        if min(abs(rx), abs(ry)) < 1e-9 or start == complex(*end) or not math.isfinite(rx + ry + rotation + sum(end)):
            self.lineTo(end)
        else:
            EllipticalArc(start, abs(rx), abs(ry), rotation, large, sweep, complex(*end)).draw(self)

    def closePath(self) -> None:
        """End where the line began."""
        self._add([self.lines[-1][0]])
        self.closed[-1] = True

    def endPath(self) -> None:
        """End here."""

    def _curve(self, control: Points) -> None:
        long = float(np.hypot(*np.diff(control, axis=0).T).sum())
        count = int(min(max(long / self.step, 2), MOST_SAMPLES)) if math.isfinite(long) else 2
        t = np.linspace(0, 1, count + 1)[1:, None]
        points = list(control[:, None])
        while len(points) > 1:  # de Casteljau
            points = [(1 - t) * a + t * b for a, b in itertools.pairwise(points)]
        self._add([(x, y) for x, y in points[0].tolist()])

    def _add(self, points: list[tuple[float, float]]) -> None:
        self.points += len(points)
        if self.points > MOST_POINTS:
            raise DataError(f"the drawing has more than {MOST_POINTS:,} points; draw it in parts.")
        if self.closed[-1]:  # what follows a closed line begins where that one did
            self.lines.append([self.lines[-1][0]])
            self.closed.append(False)
        self.lines[-1] += points


def _path(element: ElementTree.Element, _port: Viewport, lines: Lines) -> None:
    try:
        parse_path(element.get("d", ""), lines)
    except DataError:
        raise
    except (ValueError, IndexError, OverflowError, ZeroDivisionError, ArithmeticError):
        lines.broken = True  # what comes before is kept, as browsers show it


def _poly(element: ElementTree.Element, _port: Viewport, lines: Lines, closed: bool = False) -> None:
    found = numbers(element.get("points", ""))
    pairs = list(zip(found[::2], found[1::2]))
    if pairs:
        lines.moveTo(pairs[0])
        lines._add(pairs[1:])
        if closed:
            lines.closePath()


def _polygon(element: ElementTree.Element, port: Viewport, lines: Lines) -> None:
    _poly(element, port, lines, closed=True)


def _line(element: ElementTree.Element, port: Viewport, lines: Lines) -> None:
    x1, x2 = (length(element.get(name), port.wide) for name in ("x1", "x2"))
    y1, y2 = (length(element.get(name), port.high) for name in ("y1", "y2"))
    lines.moveTo((x1, y1))
    lines.lineTo((x2, y2))


def _circle(element: ElementTree.Element, port: Viewport, lines: Lines) -> None:
    radius = length(element.get("r"), port.side)
    _around(element, port, radius, radius, lines)


def _ellipse(element: ElementTree.Element, port: Viewport, lines: Lines) -> None:
    given = [element.get("rx", "auto"), element.get("ry", "auto")]
    rx = length(given[1] if given[0] == "auto" else given[0], port.wide)
    ry = length(given[0] if given[1] == "auto" else given[1], port.high)
    _around(element, port, rx, ry, lines)


def _around(element: ElementTree.Element, port: Viewport, rx: float, ry: float, lines: Lines) -> None:
    x, y = length(element.get("cx"), port.wide), length(element.get("cy"), port.high)
    if rx > 0 and ry > 0:
        lines.moveTo((x + rx, y))
        lines.arcTo(rx, ry, 0, False, True, (x - rx, y))
        lines.arcTo(rx, ry, 0, False, True, (x + rx, y))
        lines.closePath()


def _rect(element: ElementTree.Element, port: Viewport, lines: Lines) -> None:
    x, y = length(element.get("x"), port.wide), length(element.get("y"), port.high)
    wide, high = length(element.get("width"), port.wide), length(element.get("height"), port.high)
    if not (wide > 0 and high > 0):
        return
    given = [element.get("rx", "auto"), element.get("ry", "auto")]
    rx = min(max(length(given[1] if given[0] == "auto" else given[0], port.wide), 0), wide / 2)
    ry = min(max(length(given[0] if given[1] == "auto" else given[1], port.high), 0), high / 2)
    right, bottom = x + wide, y + high
    lines.moveTo((x + rx, y))
    for before, end in (
        ((right - rx, y), (right, y + ry)),
        ((right, bottom - ry), (right - rx, bottom)),
        ((x + rx, bottom), (x, bottom - ry)),
        ((x, y + ry), (x + rx, y)),
    ):
        lines.lineTo(before)
        if rx > 0 and ry > 0:
            lines.arcTo(rx, ry, 0, False, True, end)
    lines.closePath()


SHAPES: dict[str, Callable[[ElementTree.Element, Viewport, Lines], None]] = {
    "path": _path, "polyline": _poly, "polygon": _polygon, "line": _line,
    "circle": _circle, "ellipse": _ellipse, "rect": _rect,
}  # fmt: skip


def numbers(text: str) -> list[float]:
    """All numbers of a list, whatever stands between them."""
    return [float(number) for number in _NUMBER.findall(text)]


def length(text: str | None, whole: float, default: float = 0.0) -> float:
    """A length in user units; percentages are of ``whole``, what cannot be read is the default."""
    found = _LENGTH.match(text or "")
    if found is None:
        return default
    number, unit = float(found.group(1)), found.group(2).lower()
    scale = whole / 100 if unit == "%" else _UNITS.get(unit)
    value = default if scale is None else number * scale
    return value if math.isfinite(value) else default


def matrix_of(text: str | None) -> Points:
    """The matrix [3, 3] of a list of transforms; what cannot be read in it changes nothing."""
    matrix = np.eye(3)
    for name, inside in _CALL.findall(text or ""):
        values = [float(number) * _factor(unit.lower()) for number, unit in _VALUE.findall(inside)]
        matrix = matrix @ _transform(name.lower(), values)
    return matrix if np.isfinite(matrix).all() else np.eye(3)


def _factor(unit: str) -> float:
    """What a value of CSS is multiplied with: angles become degrees, lengths user units, percentages shares."""
    return 0.01 if unit == "%" else _DEGREES.get(unit) or _UNITS.get(unit, 1.0)


def origin_of(text: str | None, port: Viewport) -> Points:
    """The matrix that brings the point about which CSS turns and scales, its ``transform-origin``, to 0, 0."""
    words = {"left": "0", "top": "0", "center": "50%", "right": "100%", "bottom": "100%"}
    given = [words.get(part, part) for part in (text or "").split()]
    matrix = np.eye(3)
    if given:
        x, y = (*given, "50%")[:2]
        matrix[:2, 2] = -length(x, port.wide), -length(y, port.high)
    return matrix


def _transform(name: str, values: list[float]) -> Points:
    one, two = (*values, 0.0, 0.0)[:2]
    if name == "matrix" and len(values) == 6:
        return np.array([values[0::2], values[1::2], (0, 0, 1)])
    if name in ("translatey", "scaley"):
        one, two, values = (1.0 if name == "scaley" else 0.0), one, [1.0, one]
    if name == "scalex":
        values = [one, 1.0]
        two = 1.0
    if name.startswith("translate"):
        return np.array([(1, 0, one), (0, 1, two), (0, 0, 1)])
    if name.startswith("scale") and values:
        return np.diag([one, two if len(values) > 1 else one, 1.0])
    if name == "rotate" and values:
        x, y = (*values[1:], 0.0, 0.0)[:2]
        cos, sin = math.cos(math.radians(one)), math.sin(math.radians(one))
        return np.array([(cos, -sin, x - cos * x + sin * y), (sin, cos, y - sin * x - cos * y), (0, 0, 1)])
    if name in ("skewx", "skewy") and values:
        lean = math.tan(math.radians(one))
        return np.array([(1, lean if name == "skewx" else 0, 0), (0 if name == "skewx" else lean, 1, 0), (0, 0, 1)])
    return np.eye(3)


def moved(points: Points, matrix: Points) -> Points:
    """Points [P, 2] under a matrix [3, 3]."""
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])


def smoothed(points: Points, samples: int = 12) -> Points:
    """The curve through points [P, 2] (Catmull and Rom, "A class of local interpolating splines", 1974)."""
    before = np.concatenate([points[:1], points[:-1]])[:-1, None]
    start, end = points[:-1, None], points[1:, None]
    after = np.concatenate([points[2:], points[-1:]])[:, None]
    t = np.linspace(0, 1, samples, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )  # fmt: skip
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])
