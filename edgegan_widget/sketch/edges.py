"""Picture -> edge map or sketch: dark lines on white, all ways behind :func:`draw`.

The ways are registered in :mod:`edgegan_widget.sketch.sources`, one file each.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.sketch.sources import Asked, find, names

__all__ = ["DETAILS", "draw", "draw_all", "parse_sources"]

U8 = npt.NDArray[np.uint8]

DETAILS = (0.0, 4.0)


def parse_sources(text: str) -> tuple[str, ...]:
    """Read the option ``--edges``: sources with commas between, such as ``xdog,contour,photosketch=latest_net_G.pth``.

    Raises
    ------
    ConfigError
        A source is unknown or named twice, there is none, or PhotoSketch is named without its weights.
    """
    sources = tuple(part.strip() for part in text.split(",") if part.strip())
    for source in sources:
        find(source)
    if not sources or len(set(sources)) < len(sources):
        raise ConfigError(f"edges is {text!r}; name one or more of {', '.join(names())}, each once.")
    return sources


def draw(
    image_u8: U8,
    source: str = "full",
    size_px: int | None = None,
    detail: float = 1.0,
    line_px: float | None = None,
    mask_u8: U8 | None = None,
) -> U8:
    """Draw a picture's edge map or sketch.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3]; the styles and ``contour`` expect a cut-out on white.
    source
        One of :func:`edgegan_widget.sketch.sources.names`;
        PhotoSketch as ``photosketch=FILE``; ``person=7`` is another hand than ``person``.
    size_px
        Longer side of the result; lines are found at the picture's own size. None leaves the picture's size.
    detail
        How much is drawn, 0 to 4: 1 as published or trained on, below it fewer inner lines, above it more. The fewer
        lines of ``xdog`` are also wider; PhotoSketch knows no such thing.
    line_px
        Width of the lines of ``canny``, ``contour``, ``person`` and the silhouettes in the picture's pixels; None is a
        64th of its longer side, for ``person`` the pad's. The width of other lines follows from their Gaussians.
    mask_u8
        Where the object is, uint8 [H, W], above 127 on it; None is whatever is not white paper, which loses the outline
        of a white object.

    Returns
    -------
    uint8 [H, W] or with ``size_px`` as its longer side, 255 is paper.

    Raises
    ------
    ConfigError
        The source is unknown or ``detail``, ``size_px`` or ``line_px`` is out of range.
    DataError
        The array is no such picture, or the mask has another size.
    ModelError
        PhotoSketch's weights cannot be used.
    """
    way, given = find(source)
    _check_picture(image_u8, mask_u8)
    if not DETAILS[0] <= detail <= DETAILS[1]:
        raise ConfigError(f"detail is {detail}; give a number from {DETAILS[0]:g} to {DETAILS[1]:g}, 1 as published.")
    if (line_px is not None and not line_px > 0) or (size_px is not None and size_px < 1):
        raise ConfigError(f"line_px is {line_px} and size_px {size_px}; both must be above 0, or None.")
    width_px = line_px or max(1.0, way.line_share * max(image_u8.shape[:2]))
    return _sized(way.draw(image_u8, Asked(detail, width_px, mask_u8, given)), size_px)


def draw_all(image_u8: U8, sources: Sequence[str], size_px: int, detail: float = 1.0, mask_u8: U8 | None = None) -> U8:
    """The picture in several sources: uint8 [sources, H, W], the longer side ``size_px``; errors as :func:`draw`."""
    return np.stack([draw(image_u8, source, size_px, detail, mask_u8=mask_u8) for source in sources])


def _sized(drawn_u8: U8, size_px: int | None) -> U8:
    height, width = drawn_u8.shape
    if size_px is None or size_px == max(height, width):
        return drawn_u8
    scale = size_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(drawn_u8, size, interpolation=kind), np.uint8)


def _check_picture(image_u8: U8, mask_u8: U8 | None) -> None:
    if image_u8.dtype != np.uint8 or image_u8.ndim != 3 or image_u8.shape[2] != 3 or image_u8.size == 0:
        raise DataError(f"the picture is {image_u8.dtype} {list(image_u8.shape)}; give uint8 [H, W, 3].")
    if mask_u8 is not None and (mask_u8.dtype != np.uint8 or mask_u8.shape != image_u8.shape[:2]):
        raise DataError(f"the mask is {mask_u8.dtype} {list(mask_u8.shape)}; give uint8 {list(image_u8.shape[:2])}.")
