"""Drawings: strokes are the truth, pixels are derived from them.

A :class:`Drawing` is immutable; each edit returns a new one that remembers the one before, so undo and redo have no
limit and an old state can always be restored. Coordinates are fractions of the pad: (0, 0) is its top left corner,
(1, 1) its bottom right, whatever its size in pixels.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgegan_widget.sketch.formats.own import json_of_strokes, strokes_of_json
from edgegan_widget.sketch.stroke import FARTHEST, Points, Stroke, seen, strokes_from, strokes_to
from edgegan_widget.sketch.svg.writer import svg_of_strokes

__all__ = ["FARTHEST", "Drawing", "Points", "Stroke", "read_note", "strokes_from", "strokes_to"]

SPECK_SIDE = 0.03  # a dot or a tick, as a fraction of the pad
SPECK_DISTANCE = 0.12  # from the box around the rest, of its longer side
LEAST_BESIDE_SPECKS = 5  # the rest is at least so many times larger


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
        the network's, not the object's. Specks far from the rest are left out, see :attr:`specks`; they would leave the
        object small in a corner.
        """
        shown = self.visible
        if len(shown) < len(self.strokes) or any(a is not b for a, b in zip(shown, self.strokes)):
            return Drawing(shown).fitted(margin)
        specks = self.specks
        if specks:
            return Drawing(tuple(stroke for stroke in self.strokes if stroke not in specks)).fitted(margin)
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

    @property
    def visible(self) -> tuple[Stroke, ...]:
        """What lies on the pad, lines cut at its border; all strokes where none of the pen's does."""
        shown = tuple(part for stroke in self.strokes for part in seen(stroke))
        return shown if any(stroke.tool == "pen" for stroke in shown) else self.strokes

    @property
    def specks(self) -> tuple[Stroke, ...]:
        """Strokes of the pen that are tiny beside the rest and far from it: a slip of the hand, not a part."""
        pen = [stroke for stroke in self.strokes if stroke.tool == "pen"]
        tiny = [stroke for stroke in pen if _side(stroke) <= SPECK_SIDE]
        box = Drawing(tuple(stroke for stroke in pen if _side(stroke) > SPECK_SIDE)).bounds()
        if not tiny or box is None:
            return ()
        low, high = np.array(box)
        if (high - low).max() < LEAST_BESIDE_SPECKS * SPECK_SIDE:
            return ()
        reach = SPECK_DISTANCE * (high - low).max()
        middles = [stroke.points[:, :2].mean(axis=0) for stroke in tiny]
        away = [np.maximum(np.maximum(low - middle, middle - high), 0).max() for middle in middles]
        return tuple(stroke for stroke, distance in zip(tiny, away) if distance > reach)

    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Corners ((left, top), (right, bottom)) of what can be seen of the pen's lines; None where there are none."""
        pen = [stroke.points[:, :2] for stroke in self.visible if stroke.tool == "pen"]
        if not pen:
            return None
        every = np.concatenate(pen)
        (left, top), (right, bottom) = every.min(axis=0), every.max(axis=0)
        return (float(left), float(top)), (float(right), float(bottom))

    def to_json(self, note: Mapping[str, Any] | None = None) -> str:
        """JSON: ``{"format", "version", "strokes": [{"tool", "width", "points": [[x, y, t, p], ...]}, ...]}``.

        A note is kept under ``"look"``; :func:`read_note` reads it again.
        """
        return json_of_strokes(self.strokes, note)

    @classmethod
    def from_json(cls, text: str | bytes) -> Drawing:
        """The drawing that :meth:`to_json` wrote; :func:`~edgegan_widget.sketch.trace.read_drawing` reads others' too.

        Raises
        ------
        DataError
            The text is no such drawing.
        """
        return cls(strokes_of_json(text))

    def to_svg(self, note: Mapping[str, Any] | None = None) -> str:
        """The drawing as SVG, black on white, erased parts white; time, pressure and a note are kept as data."""
        return svg_of_strokes(self.strokes, note)

    @classmethod
    def from_svg(cls, text: str | bytes) -> Drawing:
        """Read an SVG: exactly what :meth:`to_svg` wrote, or the lines that another program's file shows.

        Curves are followed, filled shapes give their outline, thin ones their middle; see docs/sketches.md.

        Raises
        ------
        DataError
            The text is no SVG, or shows text or pictures alone.
        """
        from edgegan_widget.sketch.svg.reader import strokes_of_svg  # parsers that a page without a file never needs

        return cls(strokes_of_svg(text))

    def __reduce__(self) -> tuple[type[Drawing], tuple[tuple[Stroke, ...]]]:
        return type(self), (self.strokes,)  # without its history, which would be followed as deep as it is long

    def __copy__(self) -> Drawing:
        return self

    def _then(self, strokes: tuple[Stroke, ...]) -> Drawing:
        return Drawing(strokes, before=dataclasses.replace(self, after=None))


def _side(stroke: Stroke) -> float:
    """Longer side of the box around a stroke's points."""
    return float(np.ptp(stroke.points[:, :2], axis=0).max())


def read_note(content: str | bytes) -> dict[str, Any]:
    """The note that a saved drawing (JSON or SVG) carries; empty where it has none or is no such file."""
    from edgegan_widget.sketch.svg.document import safe_root

    try:
        if content.lstrip()[:1] in ("<", b"<"):
            found = json.loads(safe_root(content).get("data-look", "{}"))
        else:
            found = json.loads(content).get("look", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
