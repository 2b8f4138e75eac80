"""A drawing that works, for each class of the shipped model: made for this page, point by point."""

from __future__ import annotations

import numpy as np

from edgegan_widget.base.background import Ticker
from edgegan_widget.panels.drawing.pad import Pad
from edgegan_widget.sketch.raster import LINE_WIDTH
from edgegan_widget.sketch.strokes import Drawing, Points, Stroke

__all__ = ["Demonstration", "example"]

BETWEEN = 8  # points of a curve from corner to corner
SECONDS_A_POINT = 0.02
STROKE_SECONDS = 0.4  # from one stroke of a demonstration to the next

Lines = tuple[tuple[bool, str], ...]  # whether a line is curved, and its corners ``x,y`` in hundredths of the pad

LINES: dict[str, Lines] = {
    "backpack": (
        (True, "25,30 30,14 50,8 70,14 75,30 78,85 70,92 30,92 22,85 25,30"),
        (False, "32,58 68,58 68,84 32,84 32,58"),
        (True, "42,9 45,3 55,3 58,9"),
        (True, "30,36 50,31 70,36"),
    ),
    "belt": (
        (True, "8,50 20,36 50,30 80,36 92,50 80,66 50,72 20,66 8,50"),
        (True, "14,48 25,39 50,36 75,39 86,48"),
        (True, "14,48 25,57 50,61 75,57 86,48"),
        (False, "42,58 60,58 60,76 42,76 42,58"),
    ),
    "butterfly": (
        (False, "50,28 50,78"),
        (True, "49,42 36,18 10,15 8,36 24,52 49,56"),
        (True, "49,57 26,58 16,78 32,88 49,68"),
        (True, "51,42 64,18 90,15 92,36 76,52 51,56"),
        (True, "51,57 74,58 84,78 68,88 51,68"),
        (True, "50,28 46,18 42,13"),
        (True, "50,28 54,18 58,13"),
    ),
    "cat": (
        (False, "30,24 31,8 42,16 58,16 69,8 70,24"),
        (True, "30,24 31,36 41,44 59,44 69,36 70,24"),
        (True, "39,43 29,62 26,90"),
        (True, "61,43 71,62 73,90"),
        (False, "26,90 73,90"),
        (True, "43,90 44,76 43,64"),
        (True, "56,90 55,76 56,64"),
        (True, "73,86 86,82 90,70 84,60"),
        (False, "41,27 43,28"),
        (False, "57,27 59,28"),
        (False, "48,34 52,34 50,37 48,34"),
    ),
    "dog": (
        (True, "7,36 17,30 22,21 31,20 36,28 42,36 60,38 78,37 83,42"),
        (True, "7,36 10,43 22,44 29,50 32,62"),
        (True, "25,22 22,32 27,38 32,30"),
        (True, "81,39 88,28 94,23"),
        (True, "83,42 85,58 80,70 84,88"),
        (False, "84,88 77,88"),
        (True, "77,88 74,72 70,61"),
        (True, "70,61 55,63 43,61"),
        (True, "43,61 42,75 42,88"),
        (False, "42,88 35,88"),
        (True, "35,88 34,75 32,62"),
        (False, "17,33 18,34"),
    ),
    "elephant": (
        (True, "30,26 48,18 72,20 88,36 91,58 89,90"),
        (False, "89,90 77,90"),
        (True, "77,90 76,78 74,69 60,73 48,69 48,80 47,90"),
        (False, "47,90 35,90"),
        (True, "35,90 35,75 33,62 26,58"),
        (True, "30,26 20,28 13,42 11,60 8,80 13,87 17,82 18,68 22,58 27,58"),
        (True, "32,29 27,42 35,54 46,47 45,32 32,29"),
        (False, "20,40 21,41"),
        (True, "90,44 95,54 94,62"),
    ),
    "flip_flop": (
        (True, "7,62 14,57 40,60 68,62 88,60 94,65 88,70 60,73 30,72 10,70 7,62"),
        (True, "30,61 48,46 62,44 72,60"),
        (True, "40,66 52,54 62,44"),
    ),
    "formal_shoe": (
        (True, "7,62 8,47 18,43 33,47 50,54 72,57 90,61 94,67"),
        (False, "94,67 60,68 32,67 31,72 7,72 7,62"),
        (True, "33,47 42,43 52,48 56,55"),
        (False, "38,50 44,46"),
        (False, "44,52 50,48"),
    ),
    "giraffe": (
        (True, "88,20 84,11 76,8 70,14 66,28 58,44 44,50 30,52 24,58"),
        (False, "24,58 22,92 29,92 33,68 44,70 56,67 57,92 64,92 66,62"),
        (True, "66,62 72,46 77,28 82,23 88,20"),
        (False, "36,69 37,92 42,92 43,70"),
        (False, "49,70 49,92 54,92 55,68"),
        (False, "75,9 73,2"),
        (False, "79,8 79,1"),
        (True, "24,56 18,64 18,74"),
        (False, "80,14 81,15"),
        (True, "40,56 46,55 47,61 41,62 40,56"),
        (True, "65,37 69,37 68,43 63,43 65,37"),
        (True, "71,22 75,22 74,28 70,27 71,22"),
    ),
    "handbag": (
        (False, "15,45 85,45 91,88 9,88 15,45"),
        (True, "30,45 33,22 50,12 67,22 70,45"),
        (True, "15,45 30,62 50,65 70,62 85,45"),
        (False, "46,62 54,62 54,70 46,70 46,62"),
    ),
    "heel": (
        (True, "10,28 15,42 28,52 45,60 60,66 78,68 92,75"),
        (True, "92,75 88,80 70,81 54,78 38,67 26,57 18,54"),
        (False, "18,54 17,81 13,81 11,52"),
        (True, "11,52 7,40 10,28"),
    ),
    "horse": (
        (True, "8,35 16,22 25,13 32,22 38,32 52,38 72,35 83,40"),
        (True, "8,35 12,40 20,35 25,42 28,55 29,72 28,92"),
        (False, "28,92 35,92"),
        (True, "35,92 37,74 39,61 53,64 68,61 73,72 75,92"),
        (False, "75,92 82,92"),
        (True, "82,92 80,70 85,56 83,40"),
        (True, "83,41 91,48 93,68"),
        (True, "44,63 45,78 43,92"),
        (True, "66,62 65,78 66,92"),
        (False, "25,13 26,7 29,15"),
        (False, "17,27 18,28"),
    ),
    "sandal": (
        (True, "8,64 20,60 48,66 80,64 93,70 90,76 50,77 10,75 8,64"),
        (True, "58,66 64,52 76,50 86,65"),
        (True, "14,62 16,44 30,43 38,63"),
        (True, "15,52 26,55 36,54"),
    ),
    "sneaker": (
        (True, "8,62 8,44 14,37 26,38 34,44 46,51 60,55 80,57 92,62 94,67"),
        (False, "94,67 92,71 8,71 8,62"),
        (False, "8,65 93,65"),
        (False, "36,48 42,43"),
        (False, "43,52 49,47"),
        (False, "50,55 56,50"),
    ),
    "sock": (
        (False, "38,8 63,8 63,38"),
        (True, "63,38 62,52 48,72 30,88 16,90 10,80 20,68 35,55 39,40"),
        (False, "39,40 38,8"),
        (False, "38,17 63,17"),
    ),
    "sunglasses": (
        (True, "9,42 28,39 44,44 43,56 33,64 17,61 9,50 9,42"),
        (True, "91,42 72,39 56,44 57,56 67,64 83,61 91,50 91,42"),
        (True, "44,45 50,42 56,45"),
        (False, "9,44 4,40"),
        (False, "91,44 96,40"),
    ),
    "tshirt": (
        (False, "37,14 26,18 7,36 17,49 28,41 28,88 72,88 72,41 83,49 93,36 74,18 63,14"),
        (True, "37,14 43,21 50,23 57,21 63,14"),
    ),
    "watch": (
        (True, "50,30 64,36 70,50 64,64 50,70 36,64 30,50 36,36 50,30"),
        (False, "38,34 41,6 59,6 62,34"),
        (False, "38,66 41,94 59,94 62,66"),
        (False, "50,38 50,50 58,55"),
        (False, "70,50 74,50"),
    ),
}


def example(label: str) -> Drawing | None:
    """The drawing of a class; None where there is none."""
    lines = LINES.get(label)
    if lines is None:
        return None
    made = [Stroke.make(_timed(_curve(line) if curved else _corners(line)), LINE_WIDTH) for curved, line in lines]
    return Drawing(tuple(stroke for stroke in made if stroke is not None))


def _corners(line: str) -> Points:
    """``x,y x,y ...`` in hundredths of the pad -> [P, 2]."""
    return np.array([[float(number) for number in corner.split(",")] for corner in line.split()]) / 100


def _curve(line: str) -> Points:
    """A smooth way through the corners: Catmull and Rom, "A class of local interpolating splines", 1974."""
    corners = _corners(line)
    closed = bool((corners[0] == corners[-1]).all())
    before, after = (corners[-2], corners[1]) if closed else (corners[0], corners[-1])
    padded = np.concatenate([before[None], corners, after[None]])
    share = np.linspace(0, 1, BETWEEN, endpoint=False)[:, None]
    parts = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:]):
        cubic = 2 * p1 + (p2 - p0) * share + (2 * p0 - 5 * p1 + 4 * p2 - p3) * share**2
        parts.append((cubic + (3 * p1 - p0 - 3 * p2 + p3) * share**3) / 2)
    return np.concatenate([*parts, corners[-1:]])


def _timed(points: Points) -> Points:
    return np.column_stack([points, np.arange(len(points)) * SECONDS_A_POINT])


class Demonstration:
    """Draws an example stroke by stroke on a pad, until it is whole or a person does something else there.

    Parameters
    ----------
    pad
        Where it is drawn; what was there before is left first.
    drawing
        The example.
    """

    def __init__(self, pad: Pad, drawing: Drawing) -> None:
        self._pad = pad
        self._left = list(drawing.strokes)
        pad.clear()
        self._shown = pad.drawing
        self._ticker = Ticker(self._draw_next)

    def close(self) -> None:
        """Stop it."""
        self._left.clear()
        self._ticker.close()

    def _draw_next(self) -> float:
        if not self._left or self._pad.drawing is not self._shown or self._pad.is_drawing:
            self.close()
            return 0.0
        self._pad.add(self._left.pop(0))
        self._shown = self._pad.drawing
        return STROKE_SECONDS
