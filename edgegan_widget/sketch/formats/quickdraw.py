"""Quick, Draw! (https://github.com/googlecreativelab/quickdraw-dataset): raw and simplified, as JSON, ndjson or binary.

A file of ndjson or binary holds one class with a hundred thousand drawings: :func:`drawings_in` finds the first of
them without reading the rest.
"""

from __future__ import annotations

import itertools
import json
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import telling
from edgegan_widget.sketch.formats import Format, register
from edgegan_widget.sketch.placing import Line, placed
from edgegan_widget.sketch.stroke import MOST_POINTS, Stroke

__all__ = ["BINARY", "LINES", "drawings_in", "strokes_of_binary", "word_of"]

LINES, BINARY = ".ndjson", ".bin"
MOST_LINE_BYTES = 32_000_000  # of one drawing
_HEAD = struct.Struct("<Q2sbIH")  # key, country, recognized, time, strokes
_REFUSED = re.compile(rb'"recognized"\s*:\s*false')  # by the game, which asked for something else
_BLACK = (0.0, 0.0, 0.0)


def drawings_in(path: Path, most: int) -> Iterator[tuple[int, int]]:
    """Where in a file of many drawings each of the first ``most`` is: byte and length.

    Blank lines and what the game did not recognise are passed over.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    with telling(path, "read", "check that it may be read"), path.open("rb") as stream:
        parts = _lines(stream) if path.suffix.lower() == LINES else _records(stream)
        yield from itertools.islice(parts, most)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    at = 0
    while line := stream.readline(MOST_LINE_BYTES):
        if line.strip() and not _REFUSED.search(line[:400]):
            yield at, len(line)
        at += len(line)


def _records(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    at = 0
    while len(head := stream.read(_HEAD.size)) == _HEAD.size:
        size, recognised = _HEAD.size, _HEAD.unpack(head)[2]
        for _ in range(_HEAD.unpack(head)[-1]):
            count = stream.read(2)
            if len(count) < 2:
                return
            points = 2 * struct.unpack("<H", count)[0]
            if len(stream.read(points)) < points:
                return
            size += 2 + points
        if recognised:
            yield at, size
        at += size


def strokes_of_binary(content: bytes) -> tuple[Stroke, ...]:
    """The first drawing of a binary file.

    Raises
    ------
    DataError
        There is no whole one.
    """
    try:
        *_, count = _HEAD.unpack_from(content)
        drawing, at = [], _HEAD.size
        for _ in range(count):
            (points,) = struct.unpack_from("<H", content, at)
            both = np.frombuffer(content, np.uint8, 2 * points, at + 2).reshape(2, points)
            drawing.append(both.tolist())
            at += 2 + 2 * points
    except (struct.error, ValueError) as error:
        raise DataError("this is no binary file of Quick, Draw!, or is cut short; fetch it anew.") from error
    return _strokes(drawing)


def word_of(path: Path) -> str | None:
    """What the drawings of a file of lines show, as its first says; None where it says nothing."""
    try:
        with path.open("rb") as stream:
            word = json.loads(stream.readline(MOST_LINE_BYTES)).get("word")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return word if isinstance(word, str) and word else None


def _is_quickdraw(document: Any) -> bool:
    if isinstance(document, dict):
        return isinstance(document.get("drawing"), (list, str))
    if not isinstance(document, list) or not document:
        return False
    return _is_quickdraw(document[0]) if isinstance(document[0], dict) else all(map(_is_stroke, document))


def _is_stroke(item: Any) -> bool:
    columns = isinstance(item, list) and len(item) in (2, 3) and all(isinstance(part, list) for part in item)
    return columns and len({len(part) for part in item}) == 1 and not any(isinstance(n, list) for n in item[0])


def _of_json(document: Any) -> tuple[Stroke, ...]:
    if isinstance(document, list) and document and isinstance(document[0], dict):
        document = document[0]
    drawing = document["drawing"] if isinstance(document, dict) else document
    return _strokes(json.loads(drawing) if isinstance(drawing, str) else drawing)  # tables hold it as text


def _strokes(drawing: Sequence[Sequence[Sequence[float]]]) -> tuple[Stroke, ...]:
    drawing = [stroke for stroke in drawing if stroke]  # of a tap that drew nothing
    if sum(len(stroke[0]) for stroke in drawing) > MOST_POINTS:
        raise DataError(f"the drawing has more than {MOST_POINTS:,} points; draw it in parts.")
    lines = []
    for x, y, *times in drawing:
        if len(x) != len(y):
            raise DataError(f"a stroke has {len(x)} places across and {len(y)} down; save the drawing anew.")
        points = np.ones((len(x), 4))
        points[:, 0], points[:, 1], points[:, 2] = x, y, 0
        if times and len(times[0]) >= len(points):
            milliseconds = np.asarray(times[0][: len(points)], np.float64)
            points[:, 2] = (milliseconds - milliseconds[:1]) / 1000
        lines.append(Line([points[np.isfinite(points).all(axis=1)]], _BLACK))
    return placed(lines)


register(Format("quickdraw", "Quick, Draw!", (LINES, BINARY), _is_quickdraw, _of_json))
