"""``xdog``: XDoG with the parameters of SketchyCOCO, as EdgeGAN's own training data has it.

Winnemoeller, Kyprianidis and Olsen, "XDoG: An eXtended Difference-of-Gaussians Compendium" (2012), equations 5 and 7.
Its brightness term fills dark areas with ink and its threshold leaves no grey; :mod:`.trained` has another one.
"""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8
from edgegan_widget.sketch.contours import PAPER_U8, grey_unit
from edgegan_widget.sketch.sources import Asked, EdgeSource, register

__all__ = ["XDOG_RATIO", "xdog"]

XDOG_RATIO = 1.6  # the two Gaussians' ratio that comes nearest to a Laplacian (Marr and Hildreth 1980)


def xdog(image_u8: U8, sigma_px: float = 0.6) -> U8:
    """Edges as SketchyCOCO draws them from its cut-outs: XDoG, and ink wherever it is darker than its mean.

    With D = G(sigma) - 0.945 G(1.6 sigma) of the grey picture in [0, 1], XDoG is 1 + tanh(200 D), or 1 where D is below
    -0.1 (equations 5 and 7 with gamma 0.945, phi 200, epsilon -0.1). Windows reach two deviations, as in their program.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3].
    sigma_px
        Deviation of the narrower Gaussian; SketchyCOCO's is 0.6.

    Returns
    -------
    uint8 [H, W], 0 or 255. A picture of one colour has no edges, where their program makes it black.
    """
    gamma, phi, epsilon = 0.945, 200.0, -0.1
    grey = grey_unit(image_u8)
    narrow, wide = (_within_two_deviations(grey, sigma) for sigma in (sigma_px, sigma_px * XDOG_RATIO))
    difference = narrow - gamma * wide
    tones = np.where(difference < epsilon, 1, 1 + np.tanh(phi * difference))
    if np.ptp(grey) == 0:
        return np.full(grey.shape, PAPER_U8, np.uint8)
    return np.where(tones <= tones.mean(dtype=np.float64), 0, PAPER_U8).astype(np.uint8)


def _within_two_deviations(grey: F32, sigma_px: float) -> F32:
    side = 2 * int(np.ceil(2 * sigma_px)) + 1
    return np.asarray(cv2.GaussianBlur(grey, (side, side), sigma_px, borderType=cv2.BORDER_REPLICATE), np.float32)


def _draw(image_u8: U8, asked: Asked) -> U8:
    return xdog(image_u8, 0.6 / max(asked.detail, 0.1))  # the wider its Gaussians, the fewer its lines


register(EdgeSource("xdog", "XDoG with the parameters of SketchyCOCO", _draw))
