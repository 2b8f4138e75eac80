"""Picture -> edge map or sketch: dark lines on white, all ways behind :func:`draw`; and where edge maps are kept.

The ways are registered in :mod:`edgegan_widget.sketch.sources`, one file each.

Kept ones lie in a data folder as ``<data>/edges/<source>-<side>px-<version>/<two digits>/<sha256>.png``. They are named
by the digest of the picture's file, which its manifest has too. So a picture that is moved to another split keeps its
edge maps, one that changes gets new ones, and what is kept never differs from what would be drawn.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.units import U8
from edgegan_widget.sketch.contours import check_picture
from edgegan_widget.sketch.pairs import halves
from edgegan_widget.sketch.sources import Asked, find, names, takes_file

__all__ = ["DETAILS", "FOLDER", "draw", "edge_folder", "edge_map", "edge_path", "parse_sources", "planes", "scaled",
           "squared"]  # fmt: skip

DETAILS = (0.0, 4.0)
FOLDER = "edges"
_VERSION = 1  # raised when the same picture would be drawn otherwise


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
    check_picture(image_u8)
    if mask_u8 is not None and (mask_u8.dtype != np.uint8 or mask_u8.shape != image_u8.shape[:2]):
        raise DataError(f"the mask is {mask_u8.dtype} {list(mask_u8.shape)}; give uint8 {list(image_u8.shape[:2])}.")
    if not DETAILS[0] <= detail <= DETAILS[1]:
        raise ConfigError(f"detail is {detail}; give a number from {DETAILS[0]:g} to {DETAILS[1]:g}, 1 as published.")
    if (line_px is not None and not line_px > 0) or (size_px is not None and size_px < 1):
        raise ConfigError(f"line_px is {line_px} and size_px {size_px}; both must be above 0, or None.")
    width_px = line_px or max(1.0, way.line_share * max(image_u8.shape[:2]))
    return _sized(way.draw(image_u8, Asked(detail, width_px, mask_u8, given)), size_px)


def _sized(drawn_u8: U8, size_px: int | None) -> U8:
    height, width = drawn_u8.shape
    if size_px is None or size_px == max(height, width):
        return drawn_u8
    scale = size_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(drawn_u8, size, interpolation=kind), np.uint8)


def edge_folder(data: Path, source: str, side_px: int) -> Path:
    """Where edge maps of a source are kept; those of a source with weights by their digest.

    Raises
    ------
    ModelError
        The weights' file cannot be read.
    """
    kind, _, given = source.partition("=")
    name = f"{kind}-{_digest(Path(given))[:8]}" if takes_file(kind) else source.replace("=", "-")
    return data / FOLDER / f"{name}-{side_px}px-{_VERSION}"


def edge_path(folder: Path, sha256: str) -> Path:
    """Where a picture's edge map is kept in its source's folder."""
    return folder / sha256[:2] / f"{sha256}.png"


def edge_map(picture: Path, source: str, folder: Path, side_px: int, keep: bool = True) -> U8:
    """A picture's edge map: the kept one, or else drawn, and kept if asked.

    Parameters
    ----------
    picture
        Cut-out on white or ``[edge | image]`` pair, whose edge map is left alone.
    source
        See :mod:`edgegan_widget.sketch.edges`.
    folder
        See :func:`edge_folder`.
    side_px
        Side of the square that it is drawn at.
    keep
        Write it into the folder.

    Returns
    -------
    uint8 [side_px, side_px], 255 is paper.

    Raises
    ------
    DataError
        The picture cannot be read.
    OSError
        It is to be kept and cannot be written.
    """
    path = edge_path(folder, _digest(picture))
    kept = _kept(path)
    if kept is not None and kept.shape == (side_px, side_px):
        return kept
    drawn = draw(squared(_object_of(open_picture(picture)), side_px), source)
    if keep:
        write_bytes(path, bytes(cv2.imencode(".png", drawn)[1]))
    return drawn


def planes(data: Path, picture: Path, sources: Sequence[str], size_px: int) -> U8:
    """Edge maps for training at ``size_px``, drawn at twice that; uint8 [sources, size_px, size_px].

    Only those of a source with weights are kept here: the others are drawn about as fast as read.
    """
    found = []
    for source in sources:
        folder = edge_folder(data, source, 2 * size_px)
        slow = takes_file(source) and os.access(data, os.W_OK)
        large = edge_map(picture, source, folder, 2 * size_px, keep=slow)
        found.append(cv2.resize(large, (size_px, size_px), interpolation=cv2.INTER_AREA))
    return np.stack(found) if found else np.empty((0, size_px, size_px), np.uint8)


def squared(picture: Image.Image, side_px: int) -> U8:
    """In the middle of a white square, uint8 [side_px, side_px, 3]."""
    side = max(picture.size)
    square = Image.new("RGB", (side, side), "white")
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.asarray(square.resize((side_px, side_px), Image.Resampling.LANCZOS), np.uint8)


def _object_of(picture: Image.Image) -> Image.Image:
    pair = halves(picture)
    return picture if pair is None else pair[1]


def _kept(path: Path) -> U8 | None:
    """What is kept there, or None: nothing, or something that is no picture."""
    if not path.is_file():
        return None
    content = np.frombuffer(path.read_bytes(), np.uint8)
    found = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if len(content) else None
    return None if found is None else np.asarray(found, np.uint8)


def _digest(path: Path) -> str:
    facts = path.stat() if path.is_file() else None
    if facts is None:
        raise ModelError(f"{path} does not exist; give the file of the weights, or a picture that is there.")
    return _digest_of(path, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _digest_of(path: Path, _size: int, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def scaled(picture_u8: U8, side_px: int) -> U8:
    """A square picture uint8 [S, S] or [S, S, 3] as uint8 [side_px, side_px(, 3)]; the same one where it has that size.

    Larger: bicubic, as browsers enlarge. Smaller: means over areas.
    """
    side = picture_u8.shape[0]
    if side == side_px:
        return picture_u8
    way = cv2.INTER_AREA if side > side_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture_u8, (side_px, side_px), interpolation=way), np.uint8)
