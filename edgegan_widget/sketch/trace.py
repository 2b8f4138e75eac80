"""Picture of a line drawing -> strokes: a scanned sketch becomes a drawing that can be edited and drawn anew.

People's lines are thinner or thicker than those of the training's edge maps, and that alone costs the network half of
its accuracy. Traced lines are drawn at the width it knows.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import telling
from edgegan_widget.base.units import U8
from edgegan_widget.sketch.paper.page import is_plain, plain_ink
from edgegan_widget.sketch.paper.picture import drawn_picture, without_alpha
from edgegan_widget.sketch.raster import LINE_WIDTH, rasterize
from edgegan_widget.sketch.skeleton import lines_of, outlined, thin
from edgegan_widget.sketch.strokes import Drawing, Stroke

__all__ = ["read_drawing", "read_sketch", "sketch_from_picture", "sketch_of", "thin", "trace"]

TRACE_SIDE_PX = 256
NO_LINES = "the drawing shows no lines; draw some, dark on light paper, and save it anew."
COVERED = 80  # of 255, of a pixel at the tracing size that counts as ink
LIGHT_BORDER = 0.8  # of the border of a sketch that is taken as it is
LEAST_CONTRAST = 24  # grey levels between ink and paper; below it there is no drawing to see


def trace(picture_u8: U8) -> Drawing:
    """Follow the lines of a picture.

    Parameters
    ----------
    picture_u8
        uint8 [H, W], [H, W, 3] or [H, W, 4] with alpha: lines of any colour on any even paper, or a photo or scan of
        them under uneven light, see :mod:`edgegan_widget.sketch.paper`.

    Returns
    -------
    A drawing of pen strokes at the training's line width; the picture's proportions are kept, centred on the pad. Of a
    photo or scan only the drawing's own part of it is taken.

    Raises
    ------
    DataError
        The picture has no lines: it is of one colour, or nearly.
    """
    lines = lines_of(outlined(_clean_ink(picture_u8)))
    if not lines:
        raise DataError(NO_LINES)
    strokes = [Stroke.make(line / TRACE_SIDE_PX, LINE_WIDTH) for line in lines]
    return Drawing(tuple(stroke for stroke in strokes if stroke is not None))


def sketch_from_picture(picture_u8: U8, size_px: int) -> U8:
    """A picture of any size as the network's sketch, uint8 [size_px, size_px].

    One of dark lines that already has the network's size is taken as it is, but for its contrast, which is stretched
    to 0..255 as the original does; any other is traced and drawn at the training's line width and margin.

    Raises
    ------
    DataError
        The picture shows no lines.
    """
    ready = _ready(picture_u8) if picture_u8.shape[:2] == (size_px, size_px) else None
    return rasterize(trace(picture_u8), size_px, fit=True) if ready is None else ready


def _ready(picture_u8: U8) -> U8 | None:
    """A sketch of the network's size with its contrast stretched, or None where it is not dark on even light paper."""
    if picture_u8.ndim == 3 and (picture_u8.shape[2] != 3 or int(np.ptp(picture_u8, axis=2).max()) > LEAST_CONTRAST):
        return None
    grey = _grey(picture_u8)
    low, high = int(grey.min()), int(grey.max())
    if high - low < LEAST_CONTRAST:
        raise DataError(NO_LINES)
    stretched = np.round((grey.astype(np.float32) - low) * (255 / (high - low))).astype(np.uint8)
    border = np.concatenate([stretched[0], stretched[-1], stretched[:, 0], stretched[:, -1]])
    return stretched if (border > 255 - 2 * LEAST_CONTRAST).mean() > LIGHT_BORDER else None


def read_drawing(name: str, content: bytes) -> Drawing:
    """A file as strokes: a drawing that a program saved, or a picture of a sketch, which is traced.

    Raises
    ------
    DataError
        It is none of these, or a picture that shows no line.
    """
    from edgegan_widget.sketch.saved import saved_strokes  # parsers that a page without a file never needs

    try:
        saved = saved_strokes(name, content)
        return Drawing(saved) if saved is not None else trace(drawn_picture(content, name))
    except DataError as error:
        raise error if name in str(error) else DataError(f"{name}: {error}") from error


def read_sketch(path: Path, size_px: int) -> U8:
    """A drawing or picture on disk as the network's sketch, uint8 [size_px, size_px]; see :func:`read_drawing`.

    Raises
    ------
    DataError
        It cannot be read, or shows no line.
    """
    return sketch_of(path.name, _content(path), size_px, told=str(path))


def sketch_of(name: str, content: bytes, size_px: int, told: str) -> U8:
    """The same of a file's content; ``told`` is what an error calls it."""
    from edgegan_widget.sketch.saved import saved_strokes

    try:
        saved = saved_strokes(name, content)
        if saved is None:
            return sketch_from_picture(drawn_picture(content, told), size_px)
        if not any(stroke.tool == "pen" for stroke in saved):
            raise DataError(NO_LINES)
        return rasterize(Drawing(saved), size_px, fit=True)
    except DataError as error:
        raise error if told in str(error) else DataError(f"{told}: {error}") from error


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise DataError(f"{path} is a folder; give the path of one drawing.")
    if not path.exists():
        raise DataError(f"{path} does not exist; give the path of a drawing or of a picture of one.")
    with telling(path, "read", "check that it may be read"):
        return path.read_bytes()


def _clean_ink(picture_u8: U8) -> npt.NDArray[np.bool_]:
    """Ink bool [S, S] at the tracing size: of a plain picture as it is, of any other once paper and light are known."""
    picture_u8 = without_alpha(picture_u8)
    if is_plain(picture_u8):
        return _ink(_square(_grey(picture_u8)))
    ink = plain_ink(picture_u8)
    if ink is None:
        return np.zeros((1, 1), bool)
    side = max(ink.shape)
    square = np.zeros((side, side), np.uint8)
    top, left = ((side - length) // 2 for length in ink.shape)
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink * np.uint8(255)
    way = cv2.INTER_AREA if side > TRACE_SIDE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (TRACE_SIDE_PX, TRACE_SIDE_PX), interpolation=way) > COVERED)


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
