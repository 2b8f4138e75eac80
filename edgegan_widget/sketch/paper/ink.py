"""Where the ink is on a page under any light.

The page's own brightness is estimated by a morphological closing, which fills what is thin and keeps the edges of
shadows where they are; ink is what is darker than that by more than the paper's grain (compare Sauvola and Pietikainen,
"Adaptive document image binarization", 2000), and not much lighter than the strongest ink beside it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import F32, U8
from edgegan_widget.sketch.paper.beside import beside_paper
from edgegan_widget.sketch.paper.frames import BAND, without_borders
from edgegan_widget.sketch.paper.rulings import without_rulings

__all__ = ["PAGE_PX", "ink_on", "is_light_on_dark"]

Ink = npt.NDArray[np.bool_]

PAGE_PX = 1000  # longer side at which a page is looked at
THICKEST = 0.07  # of the longer side: a wider line is taken for a shape
MEDIAN_PX, MEDIAN_SHARE = 300, 0.2  # at which size and over how much of a page it is asked what most of it is
COARSEST = 0.25  # depth of grain; what is deeper is ink, however much of it there is
LEAST_DEPTH = 0.05  # darker than the paper by this share
OFF_GRAIN = 2.0  # times a channel's usual depth is taken off it
GRAINS = 5.0  # times the paper's grain
BESIDE, BESIDE_SHARE = 0.02, 0.35  # ink has this share of the depth of the strongest within this reach of the side
FAINT = 0.09  # depth; where nothing is deeper there is no drawing, but light that ends
FAINTEST = 0.14  # of the strongest ink's depth, on the average of what hangs together
SHORTEST = 0.012  # of the longer side, of what hangs together; darker dots are kept
MANY = 60  # small parts
FILLED = 0.65  # as dark is no shadow, however large it is


def ink_on(page_u8: U8) -> Ink:
    """Ink on a page uint8 [H, W, 3] whose lines are dark, bool [H, W]."""
    depth = _depth(page_u8)
    ink = without_borders(_local(depth) & ~beside_paper(page_u8))
    ink, depth = without_rulings(ink, depth, _local)
    return _without_specks(ink, depth)


def is_light_on_dark(page_u8: U8) -> bool:
    """Whether what stands out from most of what is around it is rather light than dark."""
    scale = MEDIAN_PX / max(page_u8.shape)
    size = [max(round(side * scale), 3) for side in page_u8.shape[1::-1]]
    edge = int(BAND * min(size))  # a frame's own shade says nothing
    small = cv2.resize(page_u8, size, interpolation=cv2.INTER_AREA)[edge : size[1] - edge, edge : size[0] - edge]
    windows = [_odd(share * MEDIAN_PX) for share in (MEDIAN_SHARE, 2.5 * MEDIAN_SHARE)]
    off = [
        plane.astype(np.int16) - cv2.medianBlur(plane, window)
        for plane in cv2.split(np.ascontiguousarray(small))
        for window in windows
    ]
    light = sum(float((np.maximum(plane, 0).astype(np.float64) ** 2).sum()) for plane in off)
    return light > sum(float((np.minimum(plane, 0).astype(np.float64) ** 2).sum()) for plane in off)


def _odd(size: float) -> int:
    return max(int(size), 3) | 1


def _depth(page_u8: U8) -> F32:
    """How much darker than its paper each pixel is, 0 to 1, in the channel that shows it best; the paper's own is 0."""
    side = max(page_u8.shape)
    smooth = cv2.GaussianBlur(page_u8, (0, 0), 0.7)
    depth = np.zeros(page_u8.shape[:2], np.float32)
    for channel in cv2.split(smooth):
        near, wide = (_paper(channel, share * side) for share in (THICKEST, 3 * THICKEST))
        one, large = (np.maximum(paper - channel, 0) / np.maximum(paper, 24) for paper in (near, wide))
        found = np.where(large > FILLED, large, one)
        depth = np.maximum(depth, found - OFF_GRAIN * float(np.median(found)))  # a channel with more grain says less
    return np.asarray(depth)


def _paper(channel: U8, size: float) -> F32:
    """The paper's brightness behind a channel."""
    reduced = max(size / 40, 1.0)  # a large window is as well looked through at a smaller size
    small = channel
    if reduced > 1:
        kernel = np.ones((int(reduced) + 1,) * 2, np.uint8)
        size_px = max(round(channel.shape[1] / reduced), 1), max(round(channel.shape[0] / reduced), 1)
        small = cv2.resize(cv2.dilate(channel, kernel), size_px, interpolation=cv2.INTER_AREA)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (_odd(size / reduced),) * 2)
    closed = cv2.GaussianBlur(
        cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel, borderType=cv2.BORDER_REPLICATE), (0, 0), 1.5
    )
    wide, high = channel.shape[::-1]
    return np.asarray(cv2.resize(closed, (wide, high), interpolation=cv2.INTER_LINEAR), np.float32)


def _local(depth: F32) -> Ink:
    """Deeper than the paper's grain there, and not much less deep than the strongest beside it."""
    beside = cv2.dilate(depth, np.ones((_odd(BESIDE * max(depth.shape)),) * 2, np.uint8))
    return np.asarray((depth > _grain(depth)) & (depth > BESIDE_SHARE * beside))


def _grain(depth: F32) -> F32:
    """The depth above which there is more than grain, which is coarser where there is less light."""
    wide, high = depth.shape[::-1]
    sampled = np.ascontiguousarray(depth[::4, ::4])
    sampled = np.where(sampled < COARSEST, sampled * (32 / LEAST_DEPTH), 0).astype(np.uint8)
    window = min(_odd(MEDIAN_SHARE * max(sampled.shape)), 2 * (min(sampled.shape) // 2) - 1)
    if window < 3:
        return np.full_like(depth, LEAST_DEPTH)
    middle = cv2.medianBlur(sampled, window)
    spread = cv2.medianBlur(cv2.absdiff(sampled, middle), window)
    least = (middle + GRAINS * 1.4826 * spread.astype(np.float32)) * (LEAST_DEPTH / 32)
    return np.asarray(np.maximum(cv2.resize(least, (wide, high), interpolation=cv2.INTER_LINEAR), LEAST_DEPTH))


def _without_specks(ink: Ink, depth: F32) -> Ink:
    """Without dust and grain: what is small and faint, or faint beside the drawing's own ink."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    if count < 2:
        return ink
    areas = stats[:, cv2.CC_STAT_AREA]
    long = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    mean = np.bincount(numbers.ravel(), depth.ravel(), count) / np.maximum(areas, 1)
    side = max(ink.shape)
    lines = long >= SHORTEST * side
    lines[0] = False
    drawn = depth[lines[numbers]]
    strongest = float(np.percentile(drawn, 75)) if len(drawn) else float(mean[1:].max())
    if strongest < FAINT:
        return np.zeros_like(ink)
    dots = (areas >= 12) & (mean > 0.5 * strongest)
    if (~lines).sum() > MANY:  # grain or dust, not dots
        dots[:] = False
        lines &= (long >= 3 * SHORTEST * side) | (mean > 0.7 * strongest)
    kept = (lines | dots) & (mean >= FAINTEST * strongest)
    kept[0] = False
    return np.asarray(kept[numbers])
