"""Picture of a line drawing -> strokes: a scanned sketch becomes a drawing that can be edited and drawn anew.

People's lines are thinner or thicker than those of the training's edge maps, and that alone costs the network half of
its accuracy. Traced lines are drawn at the width it knows.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import picture_rgb_u8
from edgegan_widget.sketch.raster import LINE_WIDTH, rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke

__all__ = ["read_drawing", "read_sketch", "sketch_from_picture", "thin", "trace"]

U8 = npt.NDArray[np.uint8]
Pixel = tuple[int, int]

TRACE_SIDE_PX = 256
LEAST_CONTRAST = 24  # grey levels between ink and paper; below it there is no drawing to see
SHORTEST_PX = 3  # a skeleton's stubs
_AROUND = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, -1), (-1, 1), (1, 1), (1, -1))


def trace(picture_u8: U8) -> Drawing:
    """Follow the lines of a picture.

    Parameters
    ----------
    picture_u8
        uint8 [H, W] or [H, W, 3], dark lines on light paper or light ones on dark.

    Returns
    -------
    A drawing of pen strokes at the training's line width; the picture's proportions are kept, centred on the pad.

    Raises
    ------
    DataError
        The picture has no lines: it is of one colour, or nearly.
    """
    ink = _ink(_square(_grey(picture_u8)))
    skeleton = thin(ink)
    lines = _follow(skeleton)
    if not lines:
        raise DataError("the picture shows no lines; open a drawing of dark lines on light paper.")
    strokes = []
    for line in lines:
        corners = cv2.approxPolyDP(np.array(line, np.int32)[:, None, ::-1], 0.7, False)[:, 0]
        strokes.append(Stroke.make((corners + 0.5) / TRACE_SIDE_PX, LINE_WIDTH))
    return Drawing(tuple(stroke for stroke in strokes if stroke is not None))


def sketch_from_picture(picture_u8: U8, size_px: int) -> U8:
    """A picture of any size as the network's sketch, uint8 [size_px, size_px].

    One that already has the network's size is taken as it is, but for its contrast, which is stretched to 0..255 as
    the original does; any other is traced and drawn at the training's line width and margin.
    """
    grey = _grey(picture_u8)
    if grey.shape == (size_px, size_px):
        low, high = int(grey.min()), int(grey.max())
        if high - low < LEAST_CONTRAST:
            return np.full_like(grey, 255)
        return np.round((grey.astype(np.float32) - low) * (255 / (high - low))).astype(np.uint8)
    return rasterize(trace(picture_u8), size_px, fit=True)


def read_drawing(name: str, content: bytes) -> Drawing:
    """A file as strokes: a drawing saved as ``.json`` or ``.svg``, or a picture of a sketch, which is traced.

    Raises
    ------
    DataError
        It is none of these, or shows no line.
    """
    try:
        if name.lower().endswith(".json"):
            return Drawing.from_json(content)
        if name.lower().endswith(".svg"):
            return Drawing.from_svg(content)
        return trace(picture_rgb_u8(io.BytesIO(content), name))
    except DataError as error:
        raise error if name in str(error) else DataError(f"{name}: {error}") from error


def read_sketch(path: Path, size_px: int) -> U8:
    """A drawing or picture on disk as the network's sketch, uint8 [size_px, size_px]; see :func:`read_drawing`."""
    if path.suffix.lower() in (".json", ".svg") and path.is_file():
        return rasterize(read_drawing(path.name, path.read_bytes()), size_px, fit=True)
    return sketch_from_picture(picture_rgb_u8(path), size_px)


def _grey(picture_u8: U8) -> U8:
    return picture_u8 if picture_u8.ndim == 2 else np.asarray(cv2.cvtColor(picture_u8, cv2.COLOR_RGB2GRAY), np.uint8)


def _square(grey: U8) -> U8:
    """Padded to a square with its own border's grey and brought to the tracing size."""
    high, wide = grey.shape
    side = max(high, wide)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    canvas = np.full((side, side), int(np.median(border)), np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    canvas[top : top + high, left : left + wide] = grey
    way = cv2.INTER_AREA if side > TRACE_SIDE_PX else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(canvas, (TRACE_SIDE_PX, TRACE_SIDE_PX), interpolation=way), np.uint8)


def _ink(grey: U8) -> npt.NDArray[np.bool_]:
    """Where the lines are; light lines on dark paper count as well."""
    low, high = np.percentile(grey, (0.5, 99.5))
    if high - low < LEAST_CONTRAST:
        return np.zeros_like(grey, bool)
    _, dark = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    border = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    return np.asarray((dark == 0) if border.mean() > 0.5 else (dark == 1))


def thin(ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Skeleton one pixel wide (Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984).

    Takes one picture bool [H, W], or many [..., H, W] at once.
    """
    image = np.pad(ink, [(0, 0)] * (ink.ndim - 2) + [(1, 1), (1, 1)]).astype(np.uint8)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            n = [image[..., :-2, 1:-1], image[..., :-2, 2:], image[..., 1:-1, 2:], image[..., 2:, 2:]]
            n += [image[..., 2:, 1:-1], image[..., 2:, :-2], image[..., 1:-1, :-2], image[..., :-2, :-2]]  # clockwise
            around = sum(part.astype(np.int8) for part in n)
            turns = sum(((a == 0) & (b == 1)).astype(np.int8) for a, b in zip(n, [*n[1:], n[0]]))
            north, east, south, west = n[0], n[2], n[4], n[6]
            if first:
                open_side = (north & east & south) | (east & south & west)
            else:
                open_side = (north & east & west) | (north & south & west)
            gone = (image[..., 1:-1, 1:-1] == 1) & (around >= 2) & (around <= 6) & (turns == 1) & (open_side == 0)
            if gone.any():
                image[..., 1:-1, 1:-1][gone] = 0
                changed = True
    return np.asarray(image[..., 1:-1, 1:-1] == 1)


def _follow(skeleton: npt.NDArray[np.bool_]) -> list[list[Pixel]]:
    """Lines of a skeleton: from ends and crossings first, then the closed loops that are left."""
    left: set[Pixel] = {(row, column) for row, column in np.argwhere(skeleton).tolist()}
    neighbours = {pixel: _near(pixel, left) for pixel in left}
    ends = [pixel for pixel in sorted(left) if len(neighbours[pixel]) == 1]
    lines = []
    for start in [*ends, *sorted(left)]:
        while start in left:
            line = _walk(start, left)
            last_or_first = [line[0], line[-1]]
            joined = [_joint(end, line, neighbours) for end in last_or_first]
            whole = [pixel for pixel in (joined[0], *line, joined[1]) if pixel is not None]
            if len(whole) >= SHORTEST_PX or len(neighbours[start]) == 0:
                lines.append(whole)
    return lines


def _walk(start: Pixel, left: set[Pixel]) -> list[Pixel]:
    """Take pixels from ``left`` along one line, going straight on where it branches."""
    line = [start]
    left.discard(start)
    while True:
        choices = _near(line[-1], left)
        if not choices:
            return line
        if len(line) > 1:
            ahead = (line[-1][0] - line[-2][0], line[-1][1] - line[-2][1])
            choices.sort(key=lambda pixel: -((pixel[0] - line[-1][0]) * ahead[0] + (pixel[1] - line[-1][1]) * ahead[1]))
        line.append(choices[0])
        left.discard(choices[0])


def _joint(end: Pixel, line: list[Pixel], neighbours: dict[Pixel, list[Pixel]]) -> Pixel | None:
    """A pixel of another line (or this one's other end) that touches ``end``, so that no gap is left."""
    own = set(line[:3] if end == line[0] else line[-3:])
    others = [pixel for pixel in neighbours[end] if pixel not in own]
    return others[0] if others else None


def _near(pixel: Pixel, among: set[Pixel]) -> list[Pixel]:
    row, column = pixel
    return [(row + y, column + x) for y, x in _AROUND if (row + y, column + x) in among]
