"""``person``: as people draw it, from careful to crude, see :mod:`edgegan_widget.sketch.hands.person`."""

from __future__ import annotations

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.contours import paint
from edgegan_widget.sketch.hands.person import person_lines
from edgegan_widget.sketch.raster import LINE_WIDTH
from edgegan_widget.sketch.sources import Asked, EdgeSource, register

__all__: list[str] = []


def _draw(image_u8: U8, asked: Asked) -> U8:
    lines = person_lines(image_u8, int(asked.given or 0), 1.0, asked.detail, asked.mask_u8)
    return paint(lines, image_u8.shape[:2], asked.line_px)


register(EdgeSource("person", "as people draw it; each SEED is another hand", _draw, "SEED", line_share=LINE_WIDTH))
