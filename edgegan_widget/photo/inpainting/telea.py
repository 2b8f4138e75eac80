"""``telea``: from the rim inwards, each pixel from those around it (Telea, "An image inpainting technique based on the
fast marching method", Journal of Graphics Tools 2004), by OpenCV. Quick; it smears where the hole is wide.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.photo.inpainting import Hole, Method, register

RADIUS_PX = 5


def _fill(hole: Hole) -> U8:
    return np.asarray(cv2.inpaint(hole.photo_u8, hole.inside.astype(np.uint8), RADIUS_PX, cv2.INPAINT_TELEA), np.uint8)


register(Method("telea", "quick, for scratches and small spots", _fill))
