"""What another program painted -> strokes on the pad: where its page lies, what is ink on it, what hides what."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.skeleton import lines_of
from edgegan_widget.sketch.stroke import Points, Stroke

__all__ = ["Colour", "Line", "placed"]

Colour = tuple[float, float, float]  # red, green and blue from 0 to 1

WHITE: Colour = (1.0, 1.0, 1.0)
LEAST_CONTRAST = 0.06  # of a channel; what differs less from the paper is not seen
FARTHEST_UNITS = 1e9  # of a program's own; what lies further is brought there
USUAL_WIDTH = 0.02  # of the pad, where the program tells none that can be
MARGIN = 6 / 128  # around a drawing whose page is not known, as in training
MASK_PX = 512  # side of the pad while it is found out what is thin and what is hidden
THIN = 0.035  # of the pad: a filled shape that is no wider on the average is a line
LEAST_LONG = 4.0  # times its width
MOST_COVERS = 4_000  # filled shapes that may hide what lies below; beyond it nothing is hidden


@dataclass(frozen=True, eq=False)
class Line:
    """One thing that was painted.

    Attributes
    ----------
    parts
        Its lines, each float64 [P, 2] in the program's units, or [P, 4] with seconds and pressure.
    stroke, fill
        Colours it is painted with, or None.
    width
        Of the stroke in the program's units; None where that is not known.
    covers
        Whether its fill hides what lies below.
    erases
        Whether it takes away instead.
    within
        Outlines, of which it is seen inside each alone.
    """

    parts: Sequence[Points]
    stroke: Colour | None
    fill: Colour | None = None
    width: float | None = None
    covers: bool = True
    erases: bool = False
    within: Sequence[Sequence[Points]] = ()


def placed(lines: Sequence[Line], box: Points | None = None, paper: Colour | None = None) -> tuple[Stroke, ...]:
    """Strokes of the pen and eraser, in the order of painting; none where no ink is seen.

    Parameters
    ----------
    lines
        In the order of painting.
    box
        [2, 2] The page: left, top; right, bottom. None, or where nothing lies on it, takes the drawing's own box with
        the training's margin.
    paper
        Colour of the page; None where the program paints none. White lines on no paper at all are lines.
    """
    lines = [found for line in lines if (found := _within_reach(line)) is not None]
    if paper is None and not any(_is_ink(line, WHITE) for line in lines):
        paper = (0.0, 0.0, 0.0)
    inks = [line for line in lines if _is_ink(line, paper or WHITE)]
    if not inks:
        return ()
    frame = _frame(inks, box)
    canvas = _Canvas(paper or WHITE)
    for line in lines:
        canvas.paint(line, *frame)
    return canvas.strokes()


def _within_reach(line: Line) -> Line | None:
    """The line with places that can be reckoned with; None where there are none."""
    parts = [part[np.isfinite(part).all(axis=1)] for part in line.parts if len(part)]
    for part in parts:
        part[:, :2] = part[:, :2].clip(-FARTHEST_UNITS, FARTHEST_UNITS)
    parts = [part for part in parts if len(part)]
    return dataclasses.replace(line, parts=parts) if parts else None


def _is_ink(line: Line, paper: Colour) -> bool:
    return not line.erases and any(_differs(paint, paper) for paint in (line.stroke, line.fill))


def _differs(paint: Colour | None, paper: Colour) -> bool:
    return paint is not None and max(abs(a - b) for a, b in zip(paint, paper)) > LEAST_CONTRAST


def _frame(inks: Iterable[Line], box: Points | None) -> tuple[Points, float]:
    """What is taken off all places, and what they are then divided by."""
    every = np.concatenate([part[:, :2] for line in inks for part in line.parts])
    if box is not None:
        on_page = ((every >= box[0]) & (every <= box[1])).all(axis=1)
        if on_page.any():
            return box[0], float(np.ptp(box, axis=0).max())
    low, high = every.min(axis=0), every.max(axis=0)
    side = max(float((high - low).max()), 1e-9) / (1 - 2 * MARGIN)
    return (low + high - side) / 2, side


class _Canvas:
    """Strokes as they come, cut where something is painted over them."""

    def __init__(self, paper: Colour) -> None:
        self._paper = paper
        self._made: list[Stroke] = []
        self._solid = np.zeros((MASK_PX, MASK_PX), np.uint8)  # where a filled shape is seen
        self._thin = np.zeros((MASK_PX, MASK_PX), np.uint8)
        self._covers = 0
        self._seen: U8 | None = None  # of what is painted now, where it is not cut off

    def paint(self, line: Line, origin: Points, side: float) -> None:
        """Add one thing; ``origin`` and ``side`` bring its places to the pad."""
        parts = []
        for part in line.parts:
            moved = part.copy()
            moved[:, :2] = (part[:, :2] - origin) / side
            parts.append(moved)
        width = USUAL_WIDTH if line.width is None or not np.isfinite(line.width) else line.width / side
        width = width if 0 < width < 0.25 else USUAL_WIDTH
        self._seen = self._inside(line, origin, side)
        if line.fill is not None:
            self._fill(parts, line)
        if line.stroke is not None:
            rubs = line.erases or not (_differs(line.stroke, self._paper) or self._is_on_solid(parts))
            if not rubs or self._made:
                self._add(parts, width, "eraser" if rubs else "pen")

    def _inside(self, line: Line, origin: Points, side: float) -> U8 | None:
        """Where a line is not cut off; None where it is nowhere."""
        masks = [_mask([(part[:, :2] - origin) / side for part in each]) for each in line.within]
        return np.asarray(np.minimum.reduce(masks)) if masks else None

    def strokes(self) -> tuple[Stroke, ...]:
        """All of them, thin shapes' middles last; none where there are none of the pen's."""
        self._seen = None
        middles = [line / MASK_PX for line in lines_of(self._thin > 0)] if self._thin.any() else []
        self._add(middles, USUAL_WIDTH, "pen")
        return tuple(self._made) if any(stroke.tool == "pen" for stroke in self._made) else ()

    def _add(self, parts: Iterable[Points], width: float, tool: str) -> None:
        made = (Stroke.make(part, width, tool) for part in parts)
        found = [stroke for stroke in made if stroke is not None]
        if self._seen is not None:
            found = [part for stroke in found for part in _outside(stroke, 1 - self._seen)]
        self._made += found

    def _is_on_solid(self, parts: list[Points]) -> bool:
        """Whether a line as light as the paper is drawn on a filled shape, which shows it."""
        if not self._solid.any():
            return False
        places = np.concatenate([_dense(part) for part in parts])[:, :2] * MASK_PX
        x, y = np.floor(places).astype(int).clip(0, MASK_PX - 1).T
        return bool(self._solid[y, x].mean() > 0.8)

    def _fill(self, parts: list[Points], line: Line) -> None:
        outlines = [np.concatenate([part, part[:1]]) for part in parts if len(part) > 2]
        mask = _mask(outlines) if self._seen is None else _mask(outlines) & self._seen
        area = int(np.count_nonzero(mask))
        if not outlines:
            return
        if self._is_thin(outlines, area) and line.stroke is None and _differs(line.fill, self._paper):
            self._thin |= mask
            return
        if line.covers and area and self._covers < MOST_COVERS:
            self._covers += 1
            self._hide(mask)
        if _differs(line.fill, self._paper):
            self._solid |= mask
            shown = True
        else:  # paper over something dark shows where that ends
            shown = area > 0 and bool(np.count_nonzero(self._solid & mask) > area / 2)
            self._solid &= ~mask
        if shown and line.stroke is None:
            self._add(outlines, USUAL_WIDTH, "pen")

    def _is_thin(self, outlines: list[Points], area: int) -> bool:
        around = sum(float(np.hypot(*np.diff(part[:, :2], axis=0).T).sum()) for part in outlines)
        thick = 2 * area / MASK_PX**2 / max(around, 1e-9)
        return thick < THIN and around / 2 > LEAST_LONG * thick

    def _hide(self, mask: U8) -> None:
        """Cut what lies below a filled shape; its border is spared, which often is a line of its own."""
        inner = cv2.erode(mask, np.ones((5, 5), np.uint8))
        self._thin &= ~inner
        rows, columns = np.flatnonzero(inner.any(axis=1)), np.flatnonzero(inner.any(axis=0))
        if not len(rows):
            return
        low, high = np.array([columns[0], rows[0]]) / MASK_PX, np.array([columns[-1] + 1, rows[-1] + 1]) / MASK_PX
        kept = []
        for stroke in self._made:
            places = stroke.points[:, :2]
            apart = (places.max(axis=0) < low).any() or (places.min(axis=0) > high).any()
            kept += [stroke] if apart else _outside(stroke, inner)
        self._made = kept


def _mask(outlines: list[Points]) -> U8:
    mask = np.zeros((MASK_PX, MASK_PX), np.uint8)
    corners = [np.round((part[:, :2].clip(-4, 5) * MASK_PX - 0.5) * 16).astype(np.int32) for part in outlines]
    if corners:
        cv2.fillPoly(mask, corners, 1, cv2.LINE_8, 4)
    return mask


def _outside(stroke: Stroke, mask: U8) -> list[Stroke]:
    """What of a stroke does not lie on a mask."""
    points = _dense(stroke.points)
    places = np.floor(points[:, :2] * MASK_PX).astype(int)
    on_pad = ((places >= 0) & (places < MASK_PX)).all(axis=1)
    x, y = places.clip(0, MASK_PX - 1).T
    hidden = on_pad & (mask[y, x] > 0)
    if not hidden.any():
        return [stroke]
    cuts = np.flatnonzero(np.diff(hidden.astype(np.int8))) + 1
    runs = itertools.pairwise([0, *cuts.tolist(), len(points)])
    made = [Stroke.make(points[a:b], stroke.width, stroke.tool) for a, b in runs if not hidden[a] and b - a > 1]
    return [part for part in made if part is not None]


def _dense(points: Points) -> Points:
    """The same line with points no further apart than half a pixel of the mask, within reason."""
    step = np.abs(np.diff(points[:, :2], axis=0)).max(axis=1, initial=0)
    count = np.clip(np.ceil(step * MASK_PX * 2), 1, MASK_PX * 4).astype(int)
    if not len(count) or count.max() == 1:
        return points
    number = np.repeat(np.arange(len(count)), count)
    share = np.concatenate([np.arange(each) / each for each in count.tolist()])[:, None]
    return np.concatenate([points[number] + share * (points[number + 1] - points[number]), points[-1:]])
