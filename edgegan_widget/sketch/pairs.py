"""Pairs ``[edge map | picture]`` in one file, side by side or one above the other, whichever half the drawing is in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from edgegan_widget.base.units import U8

__all__ = ["ORDERS", "found_orders", "halves", "has_shape"]

ORDERS = ("auto", "edge-picture", "picture-edge")
_ASPECT = 2  # a pair of 64x64 is 128 wide
_LOOKED_AT_PX = 64  # height at which a half is judged
_MOST_GAP = 0.06  # of a half's side: a line between the two, a frame around both, sides rounded
_EVEN_U8 = 24
_PAPER_FROM_U8 = 200
_LEAST_INK_U8, _GRAIN_U8 = 55, 20  # how far ink is from the paper, and how far paper is from itself
_LEAST_PAPER = 0.5  # of a drawing
_LEAST_INK, _MOST_SOLID = 0.003, 0.2  # of a drawing; of its ink, what is wider than a line
_LINE_PX = 7  # of 64
_MOST_CHROMA_U8 = 10.0  # how far a drawing's colours are from one ink, in the mean


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
    Edge map, dark lines on light paper whichever way round they were, and picture; None where it is no pair: not two
    squares, or with ``auto`` neither half is a drawing (paper with thin lines in one colour).
    """
    parted = _parted(picture)
    if parted is None:
        return None
    found = _order_of(parted, _is_tall(picture)) if order == "auto" else order
    if not found:
        return None
    edge, image = parted if found == "edge-picture" else parted[::-1]
    return _on_paper(edge), image


def has_shape(picture: Image.Image) -> bool:
    """Whether it is two squares, but for a narrow gap between them or a frame around both."""
    return _parted(picture) is not None


def _is_tall(picture: Image.Image) -> bool:
    return picture.height > picture.width


def _parted(picture: Image.Image) -> tuple[Image.Image, Image.Image] | None:
    """The left and the right square, or the upper and the lower one."""
    long, short = max(picture.size), min(picture.size)
    more = long - _ASPECT * short
    frame = -more  # as wide around both as between them
    if abs(more) > _MOST_GAP * short or short - 2 * max(0, frame) < 1:
        return None
    side = short - 2 * max(0, frame)
    starts = (max(0, frame), long - max(0, frame) - side)
    if more and not _is_even(picture, starts[0] + side, starts[1]):
        return None
    boxes = ((start, max(0, frame), start + side, max(0, frame) + side) for start in starts)
    if _is_tall(picture):
        boxes = ((top, left, bottom, right) for left, top, right, bottom in boxes)
    first, second = (picture.crop(box) for box in boxes)
    return first, second


def _is_even(picture: Image.Image, start: int, end: int) -> bool:
    """Whether the gap from ``start`` to ``end`` is of one colour; one of a pixel is no more than a size rounded."""
    if end - start <= 1:
        return True
    box = (0, start, picture.width, end) if _is_tall(picture) else (start, 0, end, picture.height)
    gap = np.asarray(picture.convert("RGB").crop(box), np.int64)
    return bool(np.ptp(gap.reshape(-1, 3), axis=0).max() <= _EVEN_U8)


def _order_of(parted: tuple[Image.Image, Image.Image], tall: bool = False) -> str:
    """Which of the two orders halves have, by what they hold; empty where it is none.

    Of two above each other just one may be a drawing, and what is in them must not go on from one to the other: the
    lower half of a bird is its legs.
    """
    size = (_LOOKED_AT_PX, _LOOKED_AT_PX)
    small = [np.asarray(half.convert("RGB").resize(size, Image.Resampling.BOX), np.uint8) for half in parted]
    left, right = map(_is_drawing, small)
    if tall and (left == right or _goes_on(*small)):
        return ""
    return "edge-picture" if left else "picture-edge" if right else ""


def _goes_on(upper: U8, lower: U8) -> bool:
    """Whether something crosses the seam between two halves, one above the other."""
    return bool((_strength(upper)[-1] > _LEAST_INK_U8).any() and (_strength(lower)[0] > _LEAST_INK_U8).any())


def found_orders(pictures: Iterable[Image.Image]) -> Counter[str]:
    """How many of these pairs have which of the two orders; under an empty name those where neither half is drawn."""
    parted = ((picture, _parted(picture)) for picture in pictures)
    return Counter(_order_of(halved, _is_tall(picture)) for picture, halved in parted if halved is not None)


def _paper_of(half_u8: U8) -> npt.NDArray[np.float64]:
    """The colour that most of it has."""
    return np.median(half_u8.reshape(-1, 3).astype(np.float64), axis=0)


def _strength(half_u8: U8) -> npt.NDArray[np.float64]:
    """How far each pixel is from the paper, in the channel where it is farthest; [H, W]."""
    return np.asarray(np.abs(half_u8 - _paper_of(half_u8)).max(axis=2))


def _on_paper(edge: Image.Image) -> Image.Image:
    """Dark lines on white, whatever colours both have; black lines on white stay as they are."""
    pixels = np.asarray(edge.convert("RGB"), np.uint8)
    paper = _paper_of(pixels)
    if paper.min() >= _PAPER_FROM_U8 and np.ptp(paper) <= _MOST_CHROMA_U8 and _is_grey(pixels):
        return edge
    if paper.max() < 255 - _PAPER_FROM_U8:
        return ImageOps.invert(edge.convert("L"))
    strength = _strength(pixels)
    strength[strength < _GRAIN_U8] = 0
    return Image.fromarray((255 - strength * (255 / max(1.0, strength.max()))).astype(np.uint8))


def _is_grey(pixels: U8) -> bool:
    return bool((pixels.max(axis=2) - pixels.min(axis=2)).max() <= _MOST_CHROMA_U8 * 2)


def _is_drawing(half_u8: U8) -> bool:
    """Whether it is thin lines of one colour on even paper."""
    ink = _strength(half_u8) > _LEAST_INK_U8
    if not _LEAST_INK <= ink.mean() <= 1 - _LEAST_PAPER:
        return False
    if _spread(half_u8[ink] - _paper_of(half_u8)) > _MOST_CHROMA_U8:
        return False
    solid = cv2.erode(ink.astype(np.uint8), np.ones((_LINE_PX, _LINE_PX), np.uint8))
    solid = cv2.dilate(solid, np.ones((_LINE_PX, _LINE_PX), np.uint8))
    return bool(solid.sum() <= _MOST_SOLID * ink.sum())


def _spread(colours: npt.NDArray[np.float64]) -> float:
    """How far colours [N, 3], seen from that of the paper, are from being one ink, more of it or less, in the mean."""
    _, _, ways = np.linalg.svd(colours, full_matrices=False)
    off = colours - np.outer(colours @ ways[0], ways[0])
    return float(np.linalg.norm(off, axis=1).mean())
