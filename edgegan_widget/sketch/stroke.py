"""One line of the pen or eraser, checked: finite, within reach, of a width that can be drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError

__all__ = ["FARTHEST", "MOST_POINTS", "TOOLS", "Points", "Stroke", "seen", "strokes_from", "strokes_to"]

TOOLS = ("pen", "eraser")
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


def strokes_from(items: Sequence[Mapping[str, Any]]) -> tuple[Stroke, ...]:
    """Strokes of a saved drawing, or as :func:`strokes_to` gave them; those without a usable point are left out.

    Raises
    ------
    DataError
        There are too many points, or something is no stroke.
    """
    if sum(len(item["points"]) for item in items) > MOST_POINTS:
        raise DataError(f"the drawing has more than {MOST_POINTS:,} points; draw it in parts.")
    made = [Stroke.make(item["points"], item["width"], item.get("tool", "pen")) for item in items]
    return tuple(stroke for stroke in made if stroke is not None)


def strokes_to(strokes: Iterable[Stroke]) -> list[dict[str, Any]]:
    """Strokes for a browser: as in a saved drawing, in fewer letters."""
    return [{"tool": stroke.tool, "width": stroke.width, "points": _short_rows(stroke.points)} for stroke in strokes]


def _short_rows(points: Points) -> list[list[float]]:
    """Places as they are, times to a millisecond, pressure only where there is any."""
    columns = 3 if (points[:, 3] == 1).all() else 4
    rows = points[:, :columns].copy()
    rows[:, 2] = rows[:, 2].round(3)
    return rows.tolist()  # type: ignore[no-any-return]


def seen(stroke: Stroke) -> list[Stroke]:
    """The parts of a stroke that lie on the pad; the stroke itself where all of it does."""
    places = stroke.points[:, :2]
    if ((places >= 0) & (places <= 1)).all():
        return [stroke]
    parts = _runs(stroke.points)
    for part in parts:
        part[:, :2] = part[:, :2].clip(0, 1)
        part.flags.writeable = False
    return [Stroke(part, stroke.width, stroke.tool) for part in parts]


def _runs(points: Points) -> list[Points]:
    """Rows of the pieces inside the unit square (Liang and Barsky, "A new concept for line clipping", 1984)."""
    start, step = points[:-1], np.diff(points, axis=0)
    if not len(step):
        return []
    enter, leave = np.zeros(len(step)), np.ones(len(step))
    inside = np.ones(len(step), bool)
    for axis in (0, 1):
        moves = np.abs(step[:, axis]) > 1e-12
        speed = np.where(moves, step[:, axis], 1.0)
        one, other = -start[:, axis] / speed, (1 - start[:, axis]) / speed
        enter = np.where(moves, np.maximum(enter, np.minimum(one, other)), enter)
        leave = np.where(moves, np.minimum(leave, np.maximum(one, other)), leave)
        inside &= moves | ((start[:, axis] >= 0) & (start[:, axis] <= 1))
    inside &= enter <= leave
    first, last = start + enter[:, None] * step, start + leave[:, None] * step
    runs: list[list[Points]] = []
    for number in np.flatnonzero(inside).tolist():
        if not (runs and enter[number] == 0 and inside[number - 1] and leave[number - 1] == 1):
            runs.append([first[number]])
        runs[-1].append(last[number])
    return [np.array(run) for run in runs]
