"""Pairs ``[edge map | picture]`` in one file, twice as wide as high, whichever half the drawing is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import cv2
import numpy as np
from PIL import Image, ImageOps

from edgegan_widget.base.units import U8

__all__ = ["ORDERS", "found_orders", "halves", "has_shape"]

ORDERS = ("auto", "edge-picture", "picture-edge")
_ASPECT = 2  # a pair of 64x64 is 128 wide
_LOOKED_AT_PX = 64  # height at which a half is judged
_PAPER_FROM_U8 = 200
_LEAST_PAPER = 0.5  # of a drawing
_LEAST_INK, _MOST_SOLID = 0.003, 0.2  # of a drawing; of its ink, what is wider than a line
_LINE_PX = 7  # of 64
_MOST_CHROMA_U8 = 10.0  # mean difference of a drawing's colour channels, where it is not paper


def halves(picture: Image.Image, order: str = "auto") -> tuple[Image.Image, Image.Image] | None:
    """The edge map and the picture of a pair.

    Parameters
    ----------
    picture
        Any picture.
    order
        One of :data:`ORDERS`: which half is the edge map; ``auto`` looks at what they hold.

    Returns
    -------
    Edge map, dark lines on light paper whichever way round they were, and picture; None where it is no pair: not twice
    as wide as high, or with ``auto`` neither half is a drawing (paper with thin lines in one colour).
    """
    if not has_shape(picture):
        return None
    found = _order_of(picture) if order == "auto" else order
    if not found:
        return None
    side = picture.height
    left, right = picture.crop((0, 0, side, side)), picture.crop((side, 0, 2 * side, side))
    edge, image = (left, right) if found == "edge-picture" else (right, left)
    return (ImageOps.invert(edge.convert("L")) if _is_dark(np.asarray(edge.convert("RGB"))) else edge), image


def has_shape(picture: Image.Image) -> bool:
    """Whether it is twice as wide as high."""
    return picture.width == _ASPECT * picture.height


def _order_of(picture: Image.Image) -> str:
    """Which of the two orders a picture twice as wide as high has, by what its halves hold; empty where it has none."""
    size = (_ASPECT * _LOOKED_AT_PX, _LOOKED_AT_PX)
    small = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX), np.uint8)
    left, right = (_is_drawing(half) for half in (small[:, :_LOOKED_AT_PX], small[:, _LOOKED_AT_PX:]))
    return "edge-picture" if left else "picture-edge" if right else ""


def found_orders(pictures: Iterable[Image.Image]) -> Counter[str]:
    """How many of these pairs have which of the two orders; under an empty name those where neither half is drawn."""
    return Counter(_order_of(picture) for picture in pictures if has_shape(picture))


def _is_dark(half_u8: U8) -> bool:
    """Whether most of it is black paper, as that of white lines."""
    return bool(np.median(half_u8) < 255 - _PAPER_FROM_U8)


def _is_drawing(half_u8: U8) -> bool:
    half_u8 = 255 - half_u8 if _is_dark(half_u8) else half_u8
    ink = half_u8.min(axis=2) < _PAPER_FROM_U8
    if not _LEAST_INK <= ink.mean() <= 1 - _LEAST_PAPER:
        return False
    chroma = half_u8[ink].max(axis=1) - half_u8[ink].min(axis=1)
    if chroma.mean() > _MOST_CHROMA_U8:
        return False
    solid = cv2.erode(ink.astype(np.uint8), np.ones((_LINE_PX, _LINE_PX), np.uint8))
    solid = cv2.dilate(solid, np.ones((_LINE_PX, _LINE_PX), np.uint8))
    return bool(solid.sum() <= _MOST_SOLID * ink.sum())
