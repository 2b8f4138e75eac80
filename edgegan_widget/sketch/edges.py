"""Picture -> edge map or sketch: dark lines on white, all behind :func:`draw`.

============= ==========================================================================================
source        what it draws
============= ==========================================================================================
``full``      silhouette and XDoG's lines without its brightness term: what the networks learn to draw
``outline``   the silhouette alone
``thin``      thin silhouette, faint lines
``coarse``    silhouette and the lines of a wider XDoG
``xdog``      XDoG with the parameters of SketchyCOCO, as EdgeGAN's own training data has it
``canny``     Canny's edges
``contour``   silhouette and main inner lines as smooth strokes, see :mod:`edgegan_widget.sketch.contours`
``person``    as people draw it, from careful to crude, see :mod:`edgegan_widget.sketch.person`; ``person=SEED`` is
              another hand
``photosketch=FILE``  PhotoSketch with the published weights in FILE, see :mod:`edgegan_widget.sketch.photosketch`
``photosketch128=FILE``  the same at half its side: four times faster, coarser lines
============= ==========================================================================================

XDoG is that of Winnemoeller, Kyprianidis and Olsen, "XDoG: An eXtended Difference-of-Gaussians Compendium" (2012),
equations 5 and 7. There are two of it. :func:`xdog` is SketchyCOCO's (Gao et al. 2020, section 4), for data that has to
match theirs: its brightness term fills dark areas with ink and its threshold leaves no grey. :func:`xdog_lines` leaves
that term out, since nobody draws so; the shipped models are trained on it, with the silhouette added because either
XDoG misses the border of a light object on white paper.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.sketch.contours import PAPER_U8, canny_mask, contour_lines, paint, silhouette
from edgegan_widget.sketch.person import person_lines
from edgegan_widget.sketch.raster import LINE_WIDTH
from edgegan_widget.sketch.schedule import EDGE_SOURCES, OTHER_SOURCES, PERSON, PHOTOSKETCH

U8 = npt.NDArray[np.uint8]

STYLES = EDGE_SOURCES  # order of the planes of edge_styles
SOURCES = (*STYLES, *OTHER_SOURCES, *PHOTOSKETCH)
DETAILS = (0.0, 4.0)
_XDOG_RATIO = 1.6  # the two Gaussians' ratio that comes nearest to a Laplacian (Marr and Hildreth 1980)
_PENS = {"full": 1.0, "outline": 1.0, "thin": 0.5, "coarse": 1.0}  # widths of the outlines
_LINE_SHARE = 1 / 64  # of the longer side: one pixel once reduced to 64


def parse_sources(text: str) -> tuple[str, ...]:
    """Read the option ``--edges``: sources with commas between, such as ``xdog,contour,photosketch=latest_net_G.pth``.

    Raises
    ------
    ConfigError
        A source is unknown or named twice, there is none, or PhotoSketch is named without its weights.
    """
    sources = tuple(part.strip() for part in text.split(",") if part.strip())
    for source in sources:
        _check_source(source)
    if not sources or len(set(sources)) < len(sources):
        raise ConfigError(f"edges is {text!r}; name one or more of {', '.join(SOURCES)}, each once.")
    return sources


def draw(
    image_u8: U8,
    source: str = "full",
    size_px: int | None = None,
    detail: float = 1.0,
    line_px: float | None = None,
    mask_u8: U8 | None = None,
) -> U8:
    """Draw a picture's edge map or sketch.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3]; the styles and ``contour`` expect a cut-out on white.
    source
        One of :data:`SOURCES`; PhotoSketch as ``photosketch=FILE``; ``person=7`` is another hand than ``person``.
    size_px
        Longer side of the result; lines are found at the picture's own size. None leaves the picture's size.
    detail
        How much is drawn, 0 to 4: 1 as published or trained on, below it fewer inner lines, above it more. The fewer
        lines of ``xdog`` are also wider; PhotoSketch knows no such thing.
    line_px
        Width of the lines of ``canny``, ``contour``, ``person`` and the silhouettes in the picture's pixels; None is a
        64th of its longer side, for ``person`` the pad's. The width of other lines follows from their Gaussians.
    mask_u8
        Where the object is, uint8 [H, W], above 127 on it; None is whatever is not white paper, which loses the outline
        of a white object.

    Returns
    -------
    uint8 [H, W] or with ``size_px`` as its longer side, 255 is paper.

    Raises
    ------
    ConfigError
        The source is unknown or ``detail``, ``size_px`` or ``line_px`` is out of range.
    DataError
        The array is no such picture, or the mask has another size.
    ModelError
        PhotoSketch's weights cannot be used.
    """
    _check_source(source)
    _check_picture(image_u8, mask_u8)
    if not DETAILS[0] <= detail <= DETAILS[1]:
        raise ConfigError(f"detail is {detail}; give a number from {DETAILS[0]:g} to {DETAILS[1]:g}, 1 as published.")
    if (line_px is not None and not line_px > 0) or (size_px is not None and size_px < 1):
        raise ConfigError(f"line_px is {line_px} and size_px {size_px}; both must be above 0, or None.")
    kind, _, given = source.partition("=")
    share = LINE_WIDTH if kind == PERSON else _LINE_SHARE
    width_px = line_px or max(1.0, share * max(image_u8.shape[:2]))
    if kind == PERSON:
        lines = person_lines(image_u8, int(given or 0), 1.0, detail, mask_u8)
        return _sized(paint(lines, image_u8.shape[:2], width_px), size_px)
    if kind in PHOTOSKETCH:
        return _sized(_photosketch(given, 128 if kind.endswith("128") else 256)(image_u8), size_px)
    return _sized(_drawn(image_u8, kind, detail, width_px, mask_u8), size_px)


def draw_all(image_u8: U8, sources: Sequence[str], size_px: int, detail: float = 1.0, mask_u8: U8 | None = None) -> U8:
    """The picture in several sources: uint8 [sources, H, W], the longer side ``size_px``; errors as :func:`draw`."""
    return np.stack([draw(image_u8, source, size_px, detail, mask_u8=mask_u8) for source in sources])


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
    grey = cv2.cvtColor(image_u8, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    narrow, wide = (_within_two_deviations(grey, sigma) for sigma in (sigma_px, sigma_px * _XDOG_RATIO))
    difference = narrow - gamma * wide
    tones = np.where(difference < epsilon, 1, 1 + np.tanh(phi * difference))
    if np.ptp(grey) == 0:
        return np.full(grey.shape, PAPER_U8, np.uint8)
    return np.where(tones <= tones.mean(dtype=np.float64), 0, PAPER_U8).astype(np.uint8)


def _within_two_deviations(grey: npt.NDArray[np.float32], sigma_px: float) -> npt.NDArray[np.float32]:
    side = 2 * int(np.ceil(2 * sigma_px)) + 1
    return np.asarray(cv2.GaussianBlur(grey, (side, side), sigma_px, borderType=cv2.BORDER_REPLICATE), np.float32)


def xdog_lines(image_u8: U8, sigma_px: float = 1.0, threshold: float = 0.018, steepness: float = 60.0) -> U8:
    """Lines by thresholded difference of Gaussians, XDoG's equation 7 without its brightness term.

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


def canny(
    image_u8: U8, sigma_px: float = 1.4, low: float = 0.06, high: float = 0.15, line_px: float | None = None
) -> U8:
    """Edges after Canny, "A Computational Approach to Edge Detection" (PAMI 1986), sections VI to VIII.

    Parameters
    ----------
    image_u8
        Colour picture, uint8 [H, W, 3]; its grey values are used.
    sigma_px
        Deviation of the Gaussian before slopes are taken.
    low, high
        Hysteresis: a line begins where a step edge would have ``high`` of white's contrast and goes on down to ``low``.
    line_px
        Width of the lines; None leaves one pixel, black or white.

    Returns
    -------
    uint8 [H, W], 255 is paper.
    """
    grey = cv2.cvtColor(image_u8, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    lines = canny_mask(grey, sigma_px, low, high)
    if line_px is None or not lines.any():
        return PAPER_U8 * (1 - lines)
    away_px = cv2.distanceTransform(1 - lines, cv2.DIST_L2, 5)
    return np.asarray(255 - 255 * np.clip((line_px + 1) / 2 - away_px, 0, 1), np.uint8)


def contour(image_u8: U8, detail: float = 1.0, line_px: float = 2.0, mask_u8: U8 | None = None) -> U8:
    """Silhouette and main inner lines as smooth strokes ``line_px`` wide; uint8 [H, W], 255 is paper."""
    return paint(contour_lines(image_u8, detail, mask_u8), image_u8.shape[:2], line_px)


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
    outlines = {share: silhouette(image_u8, line_px * share) for share in set(_PENS.values())}
    planes = [_inked(outlines[_PENS[style]], image_u8, style) for style in STYLES]
    return np.stack([cv2.resize(plane, (size_px, size_px), interpolation=cv2.INTER_AREA) for plane in planes])


def _inked(outline: U8, image_u8: U8, style: str, detail: float = 1.0) -> U8:
    """An outline and the inner lines of a style."""
    if style == "outline" or detail == 0:
        return outline
    lines = xdog_lines(image_u8, 2.0 if style == "coarse" else 1.0, 0.018 / detail)
    return np.minimum(outline, 255 - (255 - lines) // 2 if style == "thin" else lines)


def _drawn(image_u8: U8, source: str, detail: float, line_px: float, mask_u8: U8 | None) -> U8:
    if source in STYLES:
        return _inked(silhouette(image_u8, line_px * _PENS[source], mask_u8), image_u8, source, detail)
    if source == "contour":
        return contour(image_u8, detail, line_px, mask_u8)
    easier = 1 / max(detail, 0.1)
    if source == "xdog":
        return xdog(image_u8, 0.6 * easier)  # the wider its Gaussians, the fewer its lines
    return canny(image_u8, low=min(0.06 * easier, 0.8), high=min(0.15 * easier, 0.9), line_px=line_px)


def _sized(drawn_u8: U8, size_px: int | None) -> U8:
    height, width = drawn_u8.shape
    if size_px is None or size_px == max(height, width):
        return drawn_u8
    scale = size_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(drawn_u8, size, interpolation=kind), np.uint8)


def _check_source(source: str) -> None:
    kind, _, given = source.partition("=")
    seeded = kind == PERSON and given.isdecimal()
    if kind not in SOURCES or (given and kind not in PHOTOSKETCH and not seeded):
        raise ConfigError(f"the source of edges is {source!r}; choose one or more of {', '.join(SOURCES)}.")
    if kind in PHOTOSKETCH and not given:
        raise ConfigError(f"the source of edges is {source!r}; write {kind}=FILE with the file of its weights.")


def _check_picture(image_u8: U8, mask_u8: U8 | None) -> None:
    if image_u8.dtype != np.uint8 or image_u8.ndim != 3 or image_u8.shape[2] != 3 or image_u8.size == 0:
        raise DataError(f"the picture is {image_u8.dtype} {list(image_u8.shape)}; give uint8 [H, W, 3].")
    if mask_u8 is not None and (mask_u8.dtype != np.uint8 or mask_u8.shape != image_u8.shape[:2]):
        raise DataError(f"the mask is {mask_u8.dtype} {list(mask_u8.shape)}; give uint8 {list(image_u8.shape[:2])}.")


@functools.lru_cache(maxsize=2)
def _photosketch(path: str, size_px: int) -> Callable[[U8], U8]:
    from edgegan_widget.sketch.photosketch import PhotoSketch

    return PhotoSketch.load(path, size_px=size_px)


def __getattr__(name: str) -> object:
    if name == "PhotoSketch":  # loads torch, which nothing else here needs
        from edgegan_widget.sketch.photosketch import PhotoSketch

        return PhotoSketch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
