"""``contour``: silhouette and main inner lines as smooth strokes, see :mod:`edgegan_widget.sketch.contours`."""

from __future__ import annotations

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.contours import lines_apart, paint
from edgegan_widget.sketch.sources import Asked, EdgeSource, register

__all__ = ["contour"]


def contour(image_u8: U8, detail: float = 1.0, line_px: float = 2.0, mask_u8: U8 | None = None) -> U8:
    """Silhouette and main inner lines as smooth strokes ``line_px`` wide; uint8 [H, W], 255 is paper."""
    outlines, inner = lines_apart(image_u8, detail, mask_u8)
    return paint(outlines + inner, image_u8.shape[:2], line_px)


def _draw(image_u8: U8, asked: Asked) -> U8:
    return contour(image_u8, asked.detail, asked.line_px, asked.mask_u8)


register(EdgeSource("contour", "silhouette and main inner lines as smooth strokes", _draw))
