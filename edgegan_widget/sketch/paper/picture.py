"""A picture file as 8-bit colours: alpha looked at before colours, scans of any depth brought to their own range."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.units import U8

__all__ = ["drawn_picture", "without_alpha"]

SEEN_ALPHA = 8  # of 255; what is fainter is not there
SOLID = 250
ONE_SHADE = 40  # levels within which opaque colours are one: then the drawing is where they are
THIN_SHARE = 0.04  # of the longer side: what is opaque and no thicker on either side of its middle is ink, not paper
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")


def drawn_picture(content: bytes, name: str) -> U8:
    """Picture uint8 [H, W] or [H, W, 3], or [H, W, 4] where some of it is transparent.

    Raises
    ------
    DataError
        It is no picture, cut short, or too large.
    """
    picture = open_picture(io.BytesIO(content), name, alpha=True)  # says what is wrong with it, if anything is
    deep = _deep(content)
    if deep is not None:
        return deep
    pixels = np.asarray(picture, np.uint8)
    with Image.open(io.BytesIO(content)) as opened:
        grey = opened.mode in ("1", "L")
    if grey and picture.mode == "RGB":
        return np.ascontiguousarray(pixels[..., 0])
    return pixels if pixels.shape[2] == 3 or pixels[..., 3].min() < SOLID else pixels[..., :3]


def without_alpha(picture_u8: U8) -> U8:
    """Picture uint8 [H, W, 3 or 4] without its alpha: lines drawn on nothing become black on white, whatever their
    colour; a sheet cut out is laid on paper of its own colour.
    """
    if picture_u8.ndim == 2 or picture_u8.shape[2] == 3:
        return picture_u8
    colours, alpha = picture_u8[..., :3], picture_u8[..., 3]
    if alpha.min() >= SOLID or alpha.max() < SEEN_ALPHA:
        return np.full_like(colours, 255) if alpha.max() < SEEN_ALPHA else colours
    strong = alpha > max(SEEN_ALPHA, int(alpha.max()) // 2)
    inside = cv2.distanceTransform(np.pad(strong.astype(np.uint8), 1), cv2.DIST_L2, 3)
    shades = np.ptp(np.percentile(colours[strong], (2, 98), axis=0), axis=0).max()
    if shades < ONE_SHADE or inside.max() <= max(THIN_SHARE * max(alpha.shape), 2.0):
        ink = 255 - np.round(alpha.astype(np.float32) * (255 / alpha.max())).astype(np.uint8)
        return np.asarray(np.repeat(ink[..., None], 3, axis=2))
    paper = np.median(colours[alpha >= SOLID], axis=0) if (alpha >= SOLID).any() else np.full(3, 255.0)
    share = alpha[..., None].astype(np.float32) / 255
    return np.round(colours * share + paper.astype(np.float32) * (1 - share)).astype(np.uint8)


def _deep(content: bytes) -> U8 | None:
    """A picture of more than 8 bits a channel, stretched to what it holds; None for any other."""
    with Image.open(io.BytesIO(content)) as opened:
        bits = content[24] if opened.format == "PNG" and len(content) > 24 else 8
        if opened.mode not in _DEEP and bits <= 8:
            return None
        values = np.asarray(opened, np.float64) if opened.mode in _DEEP else _with_opencv(content)
    if values is None:
        return None
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite[:: max(len(finite) // 1_000_000, 1)], (0, 99.9)) if len(finite) else (0.0, 1.0)
    low = min(low, 0.05 * high)  # ink that is not quite black stays so
    return np.clip((np.nan_to_num(values) - low) * (255 / max(high - low, 1e-9)), 0, 255).astype(np.uint8)


def _with_opencv(content: bytes) -> npt.NDArray[np.float64] | None:
    """16-bit colours, which Pillow halves; with alpha they are left to it."""
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or (found.ndim == 3 and found.shape[2] != 3):
        return None
    return np.asarray(found[..., ::-1] if found.ndim == 3 else found, np.float64)
