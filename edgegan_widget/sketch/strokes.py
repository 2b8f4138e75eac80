"""Drawings: strokes are the truth, pixels are derived from them.

A :class:`Drawing` is immutable; each edit returns a new one that remembers the one before, so undo and redo have no
limit and an old state can always be restored. Coordinates are fractions of the pad: (0, 0) is its top left corner,
(1, 1) its bottom right, whatever its size in pixels.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError

__all__ = ["Drawing", "Stroke"]

TOOLS = ("pen", "eraser")
FORMAT = "edgegan-widget drawing"
SVG_SIDE = 512  # user units of the exported SVG
FARTHEST = 4.0  # points are clamped to this many pad sizes around the pad; beyond it nothing could be seen
NARROWEST, WIDEST = 0.001, 1.0  # brush width
MOST_POINTS = 2_000_000  # in a file; a day of drawing stays far below

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stroke:
    """One line of the pen or eraser.

    Parameters
    ----------
    points
        float64 [P, 4]: x, y as fractions of the pad, seconds since the stroke began, pressure from 0 to 1 (1 where the
        device has none). P is at least 1; a single point is a dot.
    width
        Brush width as a fraction of the pad's side.
    tool
        ``pen`` or ``eraser``.
    """

    points: Points
    width: float
    tool: str = "pen"

    @classmethod
    def make(cls, points: Iterable[Sequence[float]], width: float, tool: str = "pen") -> Stroke | None:
        """Stroke from rows (x, y), (x, y, time) or (x, y, time, pressure); None where no row is finite.

        Rows with NaN or infinite coordinates are dropped, points far outside are brought to the border of what counts.
        """
        if tool not in TOOLS:
            raise DataError(f"the tool is {tool!r}; allowed are 'pen' and 'eraser'.")
        if not (isinstance(width, (int, float)) and math.isfinite(width) and width > 0):
            raise DataError(f"the brush width is {width!r}; give a positive fraction of the pad's side, such as 0.02.")
        rows = _four_columns(points)
        rows = rows[np.isfinite(rows).all(axis=1)]
        if not len(rows):
            return None
        rows[:, :2] = rows[:, :2].clip(-FARTHEST, 1 + FARTHEST)
        rows[:, 2] = rows[:, 2].clip(0, None)
        rows[:, 3] = rows[:, 3].clip(0, 1)
        rows.flags.writeable = False
        return cls(rows, min(max(float(width), NARROWEST), WIDEST), tool)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stroke):
            return NotImplemented
        same_look = self.width == other.width and self.tool == other.tool
        return same_look and np.array_equal(self.points, other.points)

    def __len__(self) -> int:
        return len(self.points)

    def __hash__(self) -> int:
        return hash((self.points.tobytes(), self.width, self.tool))


@dataclass(frozen=True)
class Drawing:
    """Strokes in the order they were drawn, and the way back and forth between edits.

    Examples
    --------
    >>> line = Stroke.make([(0.1, 0.1), (0.9, 0.9)], width=0.02)
    >>> drawing = Drawing().add(line)
    >>> len(drawing), len(drawing.undo()), len(drawing.undo().redo())
    (1, 0, 1)
    """

    strokes: tuple[Stroke, ...] = ()
    before: Drawing | None = dataclasses.field(default=None, repr=False, compare=False)
    after: Drawing | None = dataclasses.field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.strokes)

    def __bool__(self) -> bool:
        """True where there is ink to see or erase; a drawing without strokes is empty."""
        return bool(self.strokes)

    @property
    def point_count(self) -> int:
        return sum(map(len, self.strokes))

    def add(self, stroke: Stroke | None) -> Drawing:
        """One more stroke; None (a stroke without a usable point) changes nothing."""
        return self if stroke is None else self._then((*self.strokes, stroke))

    def clear(self) -> Drawing:
        """No strokes; undo brings them back."""
        return self._then(()) if self.strokes else self

    def replace(self, strokes: Iterable[Stroke]) -> Drawing:
        """Other strokes, as one step that undo takes back."""
        return self._then(tuple(strokes))

    @property
    def can_undo(self) -> bool:
        return self.before is not None

    @property
    def can_redo(self) -> bool:
        return self.after is not None

    def undo(self) -> Drawing:
        """The state before the last edit; unchanged where there is none."""
        return self if self.before is None else dataclasses.replace(self.before, after=self)

    def redo(self) -> Drawing:
        """The state that the last undo left; unchanged where there is none."""
        return self if self.after is None else dataclasses.replace(self.after, before=self)

    def fitted(self, margin: float = 6 / 128) -> Drawing:
        """Moved and scaled so that its ink is centred and its longest side fills the pad but for ``margin``.

        The margin of the training pictures is 6 of 128 pixels on either side. Widths are kept, since the line width is
        the network's, not the object's.
        """
        box = self.bounds()
        if box is None:
            return self
        (left, top), (right, bottom) = box
        side = max(right - left, bottom - top)
        scale = (1 - 2 * margin) / side if side > 1e-6 else 1.0
        centre = np.array([(left + right) / 2, (top + bottom) / 2])
        moved = []
        for stroke in self.strokes:
            points = stroke.points.copy()
            points[:, :2] = (points[:, :2] - centre) * scale + 0.5
            points.flags.writeable = False
            moved.append(dataclasses.replace(stroke, points=points))
        return self._then(tuple(moved))

    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Corners ((left, top), (right, bottom)) of the pen's points; None where there are none."""
        pen = [stroke.points[:, :2] for stroke in self.strokes if stroke.tool == "pen"]
        if not pen:
            return None
        every = np.concatenate(pen)
        (left, top), (right, bottom) = every.min(axis=0), every.max(axis=0)
        return (float(left), float(top)), (float(right), float(bottom))

    def to_json(self) -> str:
        """JSON: ``{"format", "version", "strokes": [{"tool", "width", "points": [[x, y, t, p], ...]}, ...]}``."""
        strokes = [
            {"tool": stroke.tool, "width": stroke.width, "points": stroke.points.tolist()} for stroke in self.strokes
        ]
        return json.dumps({"format": FORMAT, "version": 1, "strokes": strokes})

    @classmethod
    def from_json(cls, text: str | bytes) -> Drawing:
        """The drawing that :meth:`to_json` wrote.

        Raises
        ------
        DataError
            The text is no such drawing.
        """
        try:
            content = json.loads(text)
            if content["format"] != FORMAT:
                raise DataError(f"the file's format is {content['format']!r}; a drawing saved here has {FORMAT!r}.")
            if content["version"] != 1:
                raise DataError(f"the drawing has version {content['version']!r}; this program reads version 1.")
            return cls(_strokes_from(content["strokes"]))
        except DataError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                f"this is not a saved drawing ({type(error).__name__}); open a .json or .svg that the pad saved."
            ) from error

    def to_svg(self) -> str:
        """The drawing as SVG, black on white, erased parts painted white; time and pressure are kept as data."""
        root = ElementTree.Element(
            "svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {SVG_SIDE} {SVG_SIDE}",
            width=str(SVG_SIDE), height=str(SVG_SIDE),
        )  # fmt: skip
        ElementTree.SubElement(root, "rect", width="100%", height="100%", fill="#fff")
        for stroke in self.strokes:
            corners = stroke.points[:, :2] * SVG_SIDE
            moves = " L".join(f"{x:.6g} {y:.6g}" for x, y in corners)
            ElementTree.SubElement(
                root, "path", {
                    "d": f"M{moves}" + (f" L{corners[0, 0]:.6g} {corners[0, 1]:.6g}" if len(stroke) == 1 else ""),
                    "fill": "none", "stroke": "#000" if stroke.tool == "pen" else "#fff",
                    "stroke-width": f"{stroke.width * SVG_SIDE:.6g}",
                    "stroke-linecap": "round", "stroke-linejoin": "round", "data-tool": stroke.tool,
                    "data-points": json.dumps(stroke.points.tolist(), separators=(",", ":")),
                    "data-width": repr(stroke.width),
                },
            )  # fmt: skip
        return ElementTree.tostring(root, encoding="unicode")

    @classmethod
    def from_svg(cls, text: str | bytes) -> Drawing:
        """Read an SVG: exactly what :meth:`to_svg` wrote, or the straight polylines and paths of another program.

        Curves of foreign files are followed from corner to corner; fills are ignored.

        Raises
        ------
        DataError
            The text is no SVG, or holds no line.
        """
        raw = text if isinstance(text, bytes) else text.encode()
        if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:  # no DTD, hence no entity that could expand or read a file
            raise DataError("the SVG has a DOCTYPE, which is not read; save it as plain SVG.")
        try:
            root = ElementTree.fromstring(text)
            strokes = [stroke for element in root.iter() for stroke in _strokes_of(element, _side_of(root))]
        except DataError:
            raise
        except (ElementTree.ParseError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"this is not an SVG drawing ({error}); open one that the pad saved.") from error
        if not strokes and not root.tag.endswith("svg"):
            raise DataError("this is not an SVG drawing; open one that the pad saved.")
        return cls(tuple(strokes))

    def _then(self, strokes: tuple[Stroke, ...]) -> Drawing:
        return Drawing(strokes, before=dataclasses.replace(self, after=None))


def _four_columns(points: Iterable[Sequence[float]]) -> Points:
    """Rows of two to four numbers as float64 [P, 4]; anything else is a :class:`DataError`."""
    if isinstance(points, np.ndarray) and points.ndim == 2 and points.dtype.kind == "f":
        rows: Any = points
    else:
        rows = list(points)
    try:
        given = np.asarray(rows, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError("each point must be two to four numbers: x, y, seconds, pressure.") from error
    if given.size == 0:
        return np.empty((0, 4))
    if given.ndim != 2 or not 2 <= given.shape[1] <= 4:
        raise DataError(f"points have shape {given.shape}; give rows of x, y, and optionally seconds and pressure.")
    whole = np.zeros((len(given), 4))
    whole[:, 3] = 1
    whole[:, : given.shape[1]] = given
    return whole


def _strokes_from(items: Sequence[dict[str, Any]]) -> tuple[Stroke, ...]:
    if sum(len(item["points"]) for item in items) > MOST_POINTS:
        raise DataError(f"the drawing has more than {MOST_POINTS:,} points; draw it in parts.")
    made = [Stroke.make(item["points"], item["width"], item.get("tool", "pen")) for item in items]
    return tuple(stroke for stroke in made if stroke is not None)


def _side_of(root: ElementTree.Element) -> float:
    """Longer side of the SVG's view box, in user units."""
    numbers = [float(number) for number in re.findall(r"[-+.\deE]+", root.get("viewBox", ""))]
    if len(numbers) == 4:
        return max(numbers[2], numbers[3], 1e-6)
    sides = [re.match(r"[\d.]+", root.get(name, "")) for name in ("width", "height")]
    return max([float(side.group()) for side in sides if side] or [SVG_SIDE])


def _strokes_of(element: ElementTree.Element, side: float) -> list[Stroke]:
    if element.get("data-points"):
        item = {
            "points": json.loads(element.get("data-points", "")),
            "width": float(element.get("data-width", "0.02")),
            "tool": element.get("data-tool", "pen"),
        }
        return list(_strokes_from([item]))
    kind = element.tag.rpartition("}")[2]
    width = float(re.sub(r"[a-z%]+$", "", element.get("stroke-width", "")) or 0.02 * side) / side
    lines: list[Points] = []
    if kind in ("polyline", "polygon"):
        lines = [_pairs(element.get("points", ""))]
    elif kind == "line":
        lines = [np.array([[float(element.get(f"{axis}{end}", "0")) for axis in "xy"] for end in (1, 2)])]
    elif kind == "path":
        lines = _path_corners(element.get("d", ""))
    made = [Stroke.make(line / side, width) for line in lines if len(line)]
    return [stroke for stroke in made if stroke is not None]


def _pairs(text: str) -> Points:
    numbers = [float(number) for number in re.findall(_NUMBER, text)]
    return np.array(numbers[: len(numbers) // 2 * 2], np.float64).reshape(-1, 2)


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ARGUMENTS = {"m": 2, "l": 2, "t": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "a": 7}


def _path_corners(text: str) -> list[Points]:
    """Corners of an SVG path's sub-paths: where each command ends."""
    lines: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for command, rest in re.findall(r"([a-zA-Z])([^a-zA-Z]*(?:[eE][-+]?\d[^a-zA-Z]*)*)", text):
        kind, relative = command.lower(), command.islower()
        if kind == "z":
            if lines and lines[-1]:
                lines[-1].append(lines[-1][0])
                x, y = lines[-1][0]
            continue
        if kind not in _ARGUMENTS:
            raise DataError(f"the SVG path has an unknown command {command!r}; save it as plain lines.")
        numbers = [float(number) for number in re.findall(_NUMBER, rest)]
        size = _ARGUMENTS[kind]
        for start in range(0, len(numbers) - size + 1, size):
            group = numbers[start : start + size]
            if kind == "h":
                x = group[0] + (x if relative else 0)
            elif kind == "v":
                y = group[0] + (y if relative else 0)
            else:
                x, y = group[-2] + (x if relative else 0), group[-1] + (y if relative else 0)
            if kind == "m" and start == 0:
                lines.append([])
            if not lines:
                raise DataError("the SVG path does not begin with a move; save it as plain lines.")
            lines[-1].append((x, y))
    return [np.array(line) for line in lines]
