"""``photosketch=FILE``: PhotoSketch with the published weights in FILE, see :mod:`edgegan_widget.sketch.photosketch`.

``photosketch128=FILE`` is the same at half its side: four times faster, coarser lines.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from edgegan_widget.base.units import U8
from edgegan_widget.sketch.sources import Asked, EdgeSource, register

if TYPE_CHECKING:
    from edgegan_widget.sketch.photosketch import PhotoSketch

__all__: list[str] = []


@functools.lru_cache(maxsize=2)
def _loaded(path: str, size_px: int) -> PhotoSketch:
    from edgegan_widget.sketch.photosketch import PhotoSketch  # loads torch, which nothing else here needs

    return PhotoSketch.load(path, size_px=size_px)


def _draw_at(size_px: int, image_u8: U8, asked: Asked) -> U8:
    return _loaded(asked.given, size_px)(image_u8)


register(EdgeSource("photosketch", "PhotoSketch with the weights in FILE", functools.partial(_draw_at, 256), "FILE"))
register(EdgeSource("photosketch128", "the same, faster and coarser", functools.partial(_draw_at, 128), "FILE"))
