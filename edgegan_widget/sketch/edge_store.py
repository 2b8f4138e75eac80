"""Edge maps kept in a data folder: ``<data>/edges/<source>-<side>px-<version>/<two digits>/<sha256>.png``.

They are named by the digest of the picture's file, which its manifest has too. So a picture that is moved to another
split keeps its edge maps, one that changes gets new ones, and what is kept never differs from what would be drawn.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.files import open_picture, write_bytes
from edgegan_widget.sketch.edges import draw
from edgegan_widget.sketch.sources import takes_file

__all__ = ["FOLDER", "edge_folder", "edge_map", "edge_path", "planes", "squared"]

U8 = npt.NDArray[np.uint8]

FOLDER = "edges"
_VERSION = 1  # raised when the same picture would be drawn otherwise
_PAIR_ASPECT = 2.0  # an [edge | image] pair is twice as wide as high


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
    if picture.width != _PAIR_ASPECT * picture.height:
        return picture
    return picture.crop((picture.width // 2, 0, picture.width, picture.height))


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
