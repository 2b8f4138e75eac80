"""Picture -> edge map: black lines on white, as EdgeGAN is trained on.

XDoG follows Winnemoeller, Kyprianidis and Olsen, "XDoG: An eXtended Difference-of-Gaussians Compendium" (2012),
equations 5 and 7; SketchyCOCO (Gao et al. 2020, section 4) draws its edge maps with it. The silhouette is added because
XDoG misses the border of a light object on white paper.

:func:`edge_styles` draws the same object several ways, from a full edge map to a bare, thin outline: what a person
draws lies somewhere among them.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.schedule import EDGE_SOURCES

U8 = npt.NDArray[np.uint8]

PAPER_U8 = 255
STYLES = EDGE_SOURCES  # order of the planes of edge_styles
_BACKGROUND_FROM_U8 = 247  # a cut-out's paper is pure white; its anti-aliased rim is a little darker
_XDOG_RATIO = 1.6  # the two Gaussians' ratio that comes nearest to a Laplacian (Marr and Hildreth 1980)


def xdog(image_u8: U8, sigma_px: float = 1.0, threshold: float = 0.018, steepness: float = 60.0) -> U8:
    """Lines by thresholded difference of Gaussians.

    The brightness term of XDoG's equation 7 is left out: it fills dark areas with ink, which nobody draws.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3].
    sigma_px
        Deviation of the narrower Gaussian; about half the line width.
    threshold
        How much darker than its surroundings a pixel must be to get ink, as a share of white (epsilon).
    steepness
        Slope of the ink's edge (phi).

    Returns
    -------
    uint8 [H, W], 255 is paper.
    """
    grey = cv2.cvtColor(image_u8, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    narrow = cv2.GaussianBlur(grey, (0, 0), sigma_px)
    wide = cv2.GaussianBlur(grey, (0, 0), sigma_px * _XDOG_RATIO)
    excess = narrow - wide + threshold  # below zero: ink
    lines = np.where(excess >= 0, 1.0, 1.0 + np.tanh(steepness * excess))
    return np.asarray(np.clip(lines, 0, 1) * 255, np.uint8)


def silhouette(image_u8: U8, line_px: float) -> U8:
    """Outline of whatever is not white paper, anti-aliased, ``line_px`` wide; uint8 [H, W]."""
    mask = (image_u8.min(axis=2) < _BACKGROUND_FROM_U8).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    least_area_px = 0.003 * mask.size
    kept = [contour for contour in contours if cv2.contourArea(contour) >= least_area_px]
    scale = 4  # drawn larger and reduced, since OpenCV's line widths are whole pixels
    canvas = np.full((mask.shape[0] * scale, mask.shape[1] * scale), PAPER_U8, np.uint8)
    enlarged = [contour * scale + scale // 2 for contour in kept]
    cv2.polylines(canvas, enlarged, True, 0, max(1, round(line_px * scale)), cv2.LINE_AA)
    return np.asarray(cv2.resize(canvas, mask.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def edge_styles(image_u8: U8, size_px: int) -> U8:
    """The edge map of a cut-out in each of :data:`STYLES`.

    Parameters
    ----------
    image_u8
        Cut-out on white, uint8 [H, H, 3], at least ``size_px`` large.
    size_px
        Side of the edge maps.

    Returns
    -------
    uint8 [4, size_px, size_px]; plane 0 is the edge map that the networks learn to draw.
    """
    line_px = 2 * image_u8.shape[0] / 128  # one pixel once reduced to 64
    outline, thin_outline = silhouette(image_u8, line_px), silhouette(image_u8, line_px / 2)
    fine, coarse = xdog(image_u8), xdog(image_u8, sigma_px=2.0)
    planes = (
        np.minimum(outline, fine),
        outline,
        np.minimum(thin_outline, 255 - (255 - fine) // 2),
        np.minimum(outline, coarse),
    )
    return np.stack([cv2.resize(plane, (size_px, size_px), interpolation=cv2.INTER_AREA) for plane in planes])


def __getattr__(name: str) -> object:
    if name == "PhotoSketch":  # loads torch, which nothing else here needs
        from edgegan_widget.photosketch import PhotoSketch

        return PhotoSketch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
