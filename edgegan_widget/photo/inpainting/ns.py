"""``ns``: lines of equal brightness are led into the hole (Bertalmio, Bertozzi and Sapiro, "Navier-Stokes, fluid
dynamics, and image and video inpainting", CVPR 2001), by OpenCV. Quick; it smears where the hole is wide.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.photo.inpainting import Hole, Method, register

RADIUS_PX = 3


def _fill(hole: Hole) -> U8:
    return np.asarray(cv2.inpaint(hole.photo_u8, hole.inside.astype(np.uint8), RADIUS_PX, cv2.INPAINT_NS), np.uint8)


register(Method("ns", "quick, for plain grounds", _fill))
