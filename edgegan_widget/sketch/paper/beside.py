"""What lies beside the paper or on its edge: fingers, a table, the dark beyond a sheet in a scanner.

A shadow darkens paper and leaves its hue; what has another hue, or hardly any light, is no paper. Only what is wide and
reaches the picture's border counts: a drawing's own colours rarely do both.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import U8

__all__ = ["beside_paper"]

LOOK_PX = 400  # longer side of the copy in which it is looked for
WIDE = 0.045  # of the longer side: what is narrower may be a line; half of it at the border
OTHER_HUE = 0.25  # sum of the distances of log R/G and log B/G from the paper's
BLACK = 0.18  # of the paper's brightness: as dark is no shadow
LEAST_LIGHT = 24  # of 255, to tell a hue
MOST_SHARE = 0.6  # of the picture
EDGE = 0.02  # of the longer side, around what is found: its own edge and shadow

Mask = npt.NDArray[np.bool_]


def beside_paper(page_u8: U8) -> Mask:
    """Where a page uint8 [H, W, 3] of dark lines on light paper shows something else, bool [H, W]."""
    high, wide = page_u8.shape[:2]
    scale = min(LOOK_PX / max(high, wide), 1.0)
    size = max(round(wide * scale), 1), max(round(high * scale), 1)
    small = cv2.GaussianBlur(cv2.resize(page_u8, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
    found = _at_border(_wide(_no_paper(small)))
    if not 0 < found.mean() <= MOST_SHARE:
        return np.zeros((high, wide), bool)
    reach = np.ones((_odd(2 * EDGE * max(size)),) * 2, np.uint8)
    return np.asarray(cv2.resize(cv2.dilate(found, reach), (wide, high), interpolation=cv2.INTER_NEAREST) > 0)


def _no_paper(small: U8) -> U8:
    """1 where the hue is not the paper's, or there is hardly any light; the lighter half of the page is its paper."""
    light = small.max(axis=2)
    paper = light >= np.median(light)
    logs = np.log(small.astype(np.float32) + 8)
    hues = np.stack([logs[..., 0] - logs[..., 1], logs[..., 2] - logs[..., 1]], axis=-1)
    other = np.abs(hues - np.median(hues[paper], axis=0)).sum(axis=-1) > OTHER_HUE
    black = light < BLACK * np.percentile(light, 80)
    return np.asarray((other & (light > LEAST_LIGHT)) | black, np.uint8)


def _wide(mask: U8) -> U8:
    """Without what is no wider than a line; what reaches the border goes on beyond it."""
    size = _odd(WIDE * max(mask.shape))
    padded = cv2.copyMakeBorder(mask, *(size,) * 4, cv2.BORDER_REPLICATE)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[size:-size, size:-size])


def _at_border(mask: U8) -> U8:
    _, numbers = cv2.connectedComponents(mask, connectivity=8)
    border = np.unique(np.concatenate([numbers[0], numbers[-1], numbers[:, 0], numbers[:, -1]]))
    return np.asarray(np.isin(numbers, border[border > 0]), np.uint8)


def _odd(size: float) -> int:
    return max(int(size), 3) | 1
