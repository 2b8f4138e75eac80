"""Pictures at another size: enlarged as a page shows them, reduced without loss of light."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["scaled"]

U8 = npt.NDArray[np.uint8]


def scaled(picture_u8: U8, side_px: int) -> U8:
    """A square picture uint8 [S, S] or [S, S, 3] as uint8 [side_px, side_px(, 3)]; the same one where it has that size.

    Larger: bicubic, as browsers enlarge. Smaller: means over areas.
    """
    side = picture_u8.shape[0]
    if side == side_px:
        return picture_u8
    way = cv2.INTER_AREA if side > side_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture_u8, (side_px, side_px), interpolation=way), np.uint8)
