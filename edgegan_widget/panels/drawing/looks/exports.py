"""What is drawn, and its pictures, as files to keep."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.result import Result
from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.looks.look import Look
from edgegan_widget.sketch.raster import rasterize

__all__ = ["KINDS", "SIZES", "File", "as_file", "favourites_sheet"]


KINDS = {
    "Picture": "picture",
    "Picture without paper": "transparent",
    "Drawing and picture": "both",
    "All variations": "all",
    "Favourites on a sheet": "favourites",
    "Drawing (SVG)": "svg",
    "Drawing (JSON)": "json",
}
SIZES = {"own size": 0, "512 px": 512, "1024 px": 1024}
BOTH_PX = 512  # side of a saved drawing beside its picture, where no size is chosen
SHEET_COLUMNS, SHEET_GAP_PX = 6, 8


@dataclass(frozen=True)
class File:
    """A file's name, media type and content."""

    name: str
    media_type: str
    content: bytes


def as_file(kind: str, look: Look, result: Result | None, chosen: int = 0, size_px: int = 0, form: str = "png") -> File:
    """What is drawn as a file.

    Parameters
    ----------
    kind
        One of the values of :data:`KINDS` but ``favourites``.
    look
        What is drawn; the files of drawings carry all of it.
    result
        Its pictures; None while there are none.
    chosen
        Which of them is the main one.
    size_px
        Side of the picture; its own if 0. Enlarged with Lanczos' filter.
    form
        ``png`` or ``webp`` (lossless).

    Raises
    ------
    ConfigError
        There is no picture yet, or none without its paper.
    """
    name = look.label
    if kind == "svg":
        return File(f"{name}.svg", "image/svg+xml", look.drawing.to_svg(look.note()).encode())
    if kind == "json":
        return File(f"{name}.json", "application/json", look.drawing.to_json(look.note()).encode())
    if result is None:
        raise ConfigError("there is no picture to save yet; wait until the model has drawn it.")
    if kind == "all":
        return File(f"{name}_variations.zip", "application/zip", _zip(name, result.images, size_px, form))
    if kind == "transparent":
        return _picture_file(f"{name}_transparent", _resized(result.rgba[chosen], size_px), form)
    picture = result.images[chosen]
    if kind == "both":
        return _picture_file(f"{name}_drawing_and_picture", _side_by_side(look, picture, size_px or BOTH_PX), form)
    return _picture_file(name, _resized(picture, size_px), form)


def favourites_sheet(pictures: Sequence[bytes], form: str = "png") -> File:
    """Small pictures in rows on white.

    Raises
    ------
    ConfigError
        There is none.
    """
    if not pictures:
        raise ConfigError("no look has a star yet; click the star of a picture or of a look in the history.")
    images = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    side = max(max(image.size) for image in images) + SHEET_GAP_PX
    columns = min(SHEET_COLUMNS, len(images))
    sheet = Image.new("RGB", (columns * side, math.ceil(len(images) / columns) * side), "white")
    for number, image in enumerate(images):
        sheet.paste(image, (number % columns * side + SHEET_GAP_PX // 2, number // columns * side + SHEET_GAP_PX // 2))
    return _picture_file("favourites", sheet, form)


def _picture_file(name: str, picture: Image.Image, form: str) -> File:
    return File(f"{name}.{form}", f"image/{form}", _encoded(picture, form))


def _encoded(picture: Image.Image, form: str) -> bytes:
    stream = io.BytesIO()
    if form == "webp":
        picture.save(stream, "WEBP", lossless=True)
    else:
        picture.save(stream, "PNG")
    return stream.getvalue()


def _zip(name: str, images: U8, size_px: int, form: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, image in enumerate(images, 1):
            archive.writestr(f"{name}_{number}.{form}", _encoded(_resized(image, size_px), form))
    return stream.getvalue()


def _resized(pixels: U8, size_px: int) -> Image.Image:
    picture = Image.fromarray(pixels)
    if not size_px:
        return picture
    return picture.resize((size_px, size_px), Image.Resampling.LANCZOS)  # Pillow weighs colours by their alpha


def _side_by_side(look: Look, picture: U8, side_px: int) -> Image.Image:
    both = Image.new("RGB", (2 * side_px, side_px), "white")
    both.paste(Image.fromarray(rasterize(look.drawing, side_px)), (0, 0))
    both.paste(_resized(picture, side_px), (side_px, 0))
    return both
