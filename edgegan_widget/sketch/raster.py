"""Drawing -> the 64x64 sketch that the network expects: black on white, drawn as the training's edge maps are.

Strokes are drawn eight times larger and reduced by area, as :mod:`sketch.edges` does, so that a line has the
same width and the same soft border as in training. Nothing here imports torch.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.strokes import Drawing, Points, Stroke

__all__ = ["LINE_WIDTH", "Rasterizer", "rasterize"]

PAPER_U8 = 255
# Width of a line as a fraction of the side: a training outline has 1 pixel of 64, a whole edge map 1.9 in the median.
LINE_WIDTH = 1.6 / 64
WIDEST_LINE = 3.2 / 64  # the thickest that training shows; a wider brush would be a shape, not a line
_ENLARGED = 8
_SUBPIXEL_BITS = 4  # OpenCV takes coordinates in sixteenths of a pixel
_NEAR = 0.02  # of a final pixel: points closer than this to the one before add nothing to see


class Rasterizer:
    """A sketch that strokes are added to; cost depends on what is added, not on what is there.

    Parameters
    ----------
    size_px
        Side of the sketch.
    """

    def __init__(self, size_px: int = 64) -> None:
        self.size_px = size_px
        self._side = size_px * _ENLARGED
        self._canvas = np.full((self._side, self._side), PAPER_U8, np.uint8)

    def draw(self, stroke: Stroke, first: int = 0) -> None:
        """Add a stroke, or what came after its point number ``first``, which is already drawn."""
        points = stroke.points[first:]
        if not len(points):
            return
        colour = 0 if stroke.tool == "pen" else PAPER_U8
        width = stroke.width
        if stroke.tool == "pen":
            width = min(max(width, LINE_WIDTH), WIDEST_LINE)
        for piece, pressure in _pieces(points):
            self._draw_line(piece, width * pressure * self._side, colour)

    def sketch(self) -> U8:
        """The sketch as it is now, uint8 [size, size], white paper 255; the caller's own copy."""
        size = (self.size_px, self.size_px)
        return np.asarray(cv2.resize(self._canvas, size, interpolation=cv2.INTER_AREA), np.uint8)

    def clear(self) -> None:
        """Back to white paper."""
        self._canvas[:] = PAPER_U8

    def _draw_line(self, points: Points, width_px: float, colour: int) -> None:
        # A pixel's centre lies half a pixel in; OpenCV counts from the centre of the first pixel.
        fixed = np.round((points[:, :2] * self._side - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
        path = fixed[_telling(fixed)]
        if len(path) == 1 or (path == path[0]).all():
            radius = round(width_px / 2 * 2**_SUBPIXEL_BITS)
            centre = path[0].tolist()
            cv2.circle(self._canvas, centre, radius, colour, cv2.FILLED, cv2.LINE_8, _SUBPIXEL_BITS)
        else:
            thickness = max(2 * round((width_px - 1) / 2), 1)  # OpenCV draws one more than an even thickness
            cv2.polylines(self._canvas, [path], False, colour, thickness, cv2.LINE_8, _SUBPIXEL_BITS)


def _telling(fixed: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which points of a path tell something: its ends, and those that are not right beside the one before."""
    kept = np.ones(len(fixed), bool)
    step = np.abs(np.diff(fixed, axis=0)).max(axis=1)
    kept[1:-1] = step[:-1] >= _NEAR * _ENLARGED * 2**_SUBPIXEL_BITS
    return kept


def rasterize(drawing: Drawing, size_px: int = 64, fit: bool = False) -> U8:
    """The whole drawing as a sketch.

    Parameters
    ----------
    drawing
        Strokes, in fractions of the pad.
    size_px
        Side of the sketch.
    fit
        Centre the ink and scale its longest side to the training pictures' margin.

    Returns
    -------
    uint8 [size_px, size_px], white paper 255.
    """
    raster = Rasterizer(size_px)
    for stroke in (drawing.fitted() if fit else drawing).strokes:
        raster.draw(stroke)
    return raster.sketch()


def _pieces(points: Points) -> list[tuple[Points, float]]:
    """Runs of (almost) one pressure, each beginning where the last ended; pressure in eighths, from a half to one."""
    level = np.round((0.5 + 0.5 * points[:, 3]) * 8) / 8  # a light touch is half as wide, never invisible
    if (level == level[0]).all():
        return [(points, float(level[0]))]
    cuts = (np.nonzero(np.diff(level))[0] + 1).tolist()
    starts, ends = [0, *cuts], [*cuts, len(points)]
    return [(points[max(start - 1, 0) : end], float(level[start])) for start, end in zip(starts, ends)]
