"""Many small pictures as one: a gallery is one picture on the page, whatever the number of its tiles."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edgegan_widget.panels.widgets import picture_png
from edgegan_widget.sketch.scaling import scaled

__all__ = ["sprite_url", "strip", "tile_html"]

U8 = npt.NDArray[np.uint8]

MOST_SIDE_PX = 96  # of a part of a tile: it is not shown larger


def strip(parts: Sequence[U8]) -> U8:
    """Pictures [S, S] or [S, S, 3] side by side, uint8 [T, T * N, 3] with T that of the largest, at most 96."""
    side = min(MOST_SIDE_PX, max(map(len, parts)))
    colours = [np.repeat(part[..., None], 3, axis=2) if part.ndim == 2 else part for part in parts]
    return np.ascontiguousarray(np.concatenate([scaled(part, side) for part in colours], axis=1))


def sprite_url(strips: Sequence[U8]) -> str:
    """All strips below each other, as the address of one PNG."""
    return f"data:image/png;base64,{base64.b64encode(picture_png(np.concatenate(strips, axis=0))).decode()}"


def tile_html(place: int, count: int, parts: int, about: str) -> str:
    """Strip ``place`` of ``count`` below an element whose style has ``--eg-sprite``, with its caption."""
    at = 100 * place / (count - 1) if count > 1 else 0
    told = html.escape(about)
    return (
        f'<figure class="eg-tile"><div role="img" aria-label="{told}" style="aspect-ratio:{parts};'
        f'background-size:100% {100 * count}%;background-position:0 {at:.4f}%"></div>'
        f"<figcaption>{told}</figcaption></figure>"
    )
