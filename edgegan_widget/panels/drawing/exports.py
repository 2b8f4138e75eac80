"""What is drawn, and its picture, as files to keep."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.panels.widgets import picture_png
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["as_file"]

U8 = npt.NDArray[np.uint8]

EXPORT_PX = 512  # side of a saved drawing beside its picture


def as_file(kind: str, name: str, drawing: Drawing, picture: U8 | None) -> tuple[str, str, bytes]:
    """Give a file's name, type and content.

    Parameters
    ----------
    kind
        ``svg`` or ``json``: the drawing; ``png``: the picture; ``transparent``: the same without its paper; ``both``:
        drawing and picture side by side.
    name
        Stem of the file's name.
    drawing
        What is drawn.
    picture
        uint8 [H, W, 3], or [H, W, 4] with alpha for ``transparent``; None while there is none.

    Raises
    ------
    ConfigError
        There is no picture yet.
    """
    if kind == "svg":
        return f"{name}.svg", "image/svg+xml", drawing.to_svg().encode()
    if kind == "json":
        return f"{name}.json", "application/json", drawing.to_json().encode()
    if picture is None:
        raise ConfigError("there is no picture to save yet; wait until the model has drawn it.")
    if kind == "png":
        return f"{name}.png", "image/png", picture_png(picture)
    if kind == "transparent":
        return f"{name}_transparent.png", "image/png", picture_png(picture)
    return f"{name}_drawing_and_picture.png", "image/png", _side_by_side(drawing, picture)


def _side_by_side(drawing: Drawing, picture: U8) -> bytes:
    lines = rasterize(drawing, EXPORT_PX)
    both = Image.new("RGB", (2 * EXPORT_PX, EXPORT_PX), "white")
    both.paste(Image.fromarray(lines), (0, 0))
    enlarged = Image.fromarray(picture).resize((EXPORT_PX, EXPORT_PX), Image.Resampling.BICUBIC)
    both.paste(enlarged, (EXPORT_PX, 0))
    return picture_png(np.asarray(both))
