"""Strokes on the photo <-> strokes in an object's box, whose picture then lies exactly under them.

A network draws what is centred and fills its frame. So an object's box is the frame of its ink: it grows as strokes are
added, and wherever and however large something is drawn, there its picture is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from edgegan_widget.photo.scene import Placed
from edgegan_widget.sketch.strokes import Drawing, Points, Stroke

__all__ = ["drawn_in", "moved", "parted", "with_stroke"]

MARGIN = 6 / 128  # of the frame on each side, as Drawing.fitted leaves it
LEAST_SIDE_PX = 8
MOST_SIDE_PX = 16_000
LOOKS_FOR_SPECKS = 3

Box = tuple[int, int, int, int]


def with_stroke(placed: Placed, points: Sequence[Sequence[float]], width_px: float, tool: str) -> Placed:
    """The object with one more stroke.

    Parameters
    ----------
    placed
        The object; the box of one without strokes does not count.
    points
        x, y in the photo's pixels, and seconds.
    width_px
        Of the brush, in the photo's pixels.
    tool
        ``pen`` or ``eraser``.
    """
    rows = np.array([[*row, 0.0, 0.0][:3] for row in points], np.float64).reshape(-1, 3)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if not len(rows):
        return placed
    rows[:, :2] = _around(rows[:, :2], _middle(placed.box), -placed.turned_degrees, placed.mirrored)
    stroke = Stroke.make(rows, 1.0, tool)
    new = Stroke.make(_clipped(rows, placed.box), max(width_px, 0.5) / placed.box[2], tool)
    if stroke is None or new is None:
        return placed
    return _reframed(placed, [*map(_in_pixels(placed.box), placed.drawing.strokes), (rows, width_px, tool)])


def drawn_in(placed: Placed, drawing: Drawing) -> Placed:
    """The object with these strokes, fitted into its box."""
    strokes = drawing.fitted(MARGIN).strokes
    return replace(placed, drawing=Drawing(strokes))


def moved(placed: Placed, box: Sequence[float], turned_degrees: float, mirrored: bool) -> Placed:
    """The object in another box (x, y, width, height in the photo's pixels), turned and mirrored."""
    x, y, width, height = (float(each) for each in box)
    side = float(np.clip(max(width, height), LEAST_SIDE_PX, MOST_SIDE_PX))
    middle = np.clip([x + width / 2, y + height / 2], -MOST_SIDE_PX, 4 * MOST_SIDE_PX)
    whole = max(1, round(side))
    corner = [round(float(at - whole / 2)) for at in middle]
    return replace(
        placed, box=(corner[0], corner[1], whole, whole), turned_degrees=turned_degrees % 360, mirrored=mirrored
    )


def parted(placed: Placed, inside: Callable[[Points], np.ndarray]) -> tuple[Placed, Placed] | None:
    """The strokes that lie mostly inside as an object of their own, and the rest; None where one of them is empty.

    Parameters
    ----------
    placed
        The object.
    inside
        Says which places, float [P, 2] in the photo's pixels, lie inside.
    """
    own: list[Stroke] = []
    rest: list[Stroke] = []
    for stroke in placed.drawing.strokes:
        places = on_photo(placed, stroke.points[:, :2])
        (own if inside(places).mean() > 0.5 else rest).append(stroke)
    if not _has_ink(own) or not _has_ink(rest):
        return None
    taken, left = (_reframed(placed, list(map(_in_pixels(placed.box), strokes))) for strokes in (own, rest))
    return taken, left


def on_photo(placed: Placed, places: Points) -> Points:
    """Places in fractions of the box, float [P, 2], in the photo's pixels."""
    x, y, width, height = placed.box
    flat: Points = places * (width, height) + (x, y)
    if placed.mirrored:
        flat = flat * (-1, 1) + (2 * x + width, 0)
    return _turned(flat, _middle(placed.box), placed.turned_degrees)


def _has_ink(strokes: Sequence[Stroke]) -> bool:
    return any(stroke.tool == "pen" for stroke in strokes)


_Line = tuple[Points, float, str]  # x, y in pixels and seconds; width in pixels; tool


def _in_pixels(box: Box) -> Callable[[Stroke], _Line]:
    def lay(stroke: Stroke) -> _Line:
        rows = stroke.points[:, :3].copy()
        rows[:, :2] = rows[:, :2] * box[2:] + box[:2]
        return rows, stroke.width * box[2], stroke.tool

    return lay


def _reframed(placed: Placed, lines: Sequence[_Line]) -> Placed:
    """The object with these lines and the box that frames them, in which they stay where they are."""
    box = placed.box
    specks: set[int] = set()
    drawing = Drawing()
    for _ in range(LOOKS_FOR_SPECKS):
        box = _frame([line for number, line in enumerate(lines) if number not in specks]) or placed.box
        drawing = Drawing(tuple(filter(None, (_in_box(line, box) for line in lines))))
        found = {number for number, stroke in enumerate(drawing.strokes) if stroke in drawing.specks}
        if found == specks:
            break
        specks = found
    before, after = _middle(placed.box), _middle(box)
    centre = _around_back(after, before, placed.turned_degrees, placed.mirrored)
    corner = np.round(centre - np.array(box[2:]) / 2).astype(int)
    return replace(placed, drawing=drawing, box=(int(corner[0]), int(corner[1]), box[2], box[3]))


def _frame(lines: Sequence[_Line]) -> Box | None:
    """The square around the pen's lines with the margin that a fitted drawing has."""
    pen = [rows[:, :2] for rows, _, tool in lines if tool == "pen"]
    if not pen:
        return None
    every = np.concatenate(pen)
    low, high = every.min(0), every.max(0)
    side = float(np.clip((high - low).max() / (1 - 2 * MARGIN), LEAST_SIDE_PX, MOST_SIDE_PX))
    whole = int(np.ceil(side))
    corner = np.round((low + high) / 2 - whole / 2).astype(int)
    return int(corner[0]), int(corner[1]), whole, whole


def _in_box(line: _Line, box: Box) -> Stroke | None:
    rows, width_px, tool = line
    return Stroke.make(_clipped(rows, box), max(width_px / box[2], 1e-4), tool)


def _clipped(rows: Points, box: Box) -> Points:
    inside: Points = rows.copy()
    inside[:, :2] = (inside[:, :2] - box[:2]) / box[2:]
    return inside


def _middle(box: Box) -> Points:
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2], np.float64)


def _turned(places: Points, middle: Points, degrees: float) -> Points:
    """Turned clockwise, since y grows downwards."""
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray((places - middle) @ matrix + middle)


def _around(places: Points, middle: Points, degrees: float, mirrored: bool) -> Points:
    """Turned around the middle, then mirrored."""
    flat = _turned(places, middle, degrees)
    return np.asarray((flat - middle) * (-1 if mirrored else 1, 1) + middle)


def _around_back(place: Points, middle: Points, degrees: float, mirrored: bool) -> Points:
    """What :func:`_around` brought there, where it was: mirrored, then turned."""
    flat = (place - middle) * (-1 if mirrored else 1, 1) + middle
    return np.asarray(_turned(flat[None], middle, degrees)[0], np.float64)
