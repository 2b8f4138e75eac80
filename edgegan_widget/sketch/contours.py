"""Contour drawing: the silhouette and the few inner lines that a person would draw, in strokes of one width.

Texture is smoothed away, the strongest long edges are kept (hysteresis after Canny, "A Computational Approach to Edge
Detection", PAMI 1986, section VIII), and each is drawn as a smooth curve instead of a chain of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import F32, U8

__all__ = ["body_and_paper", "canny_mask", "check_picture", "covered_share", "enclosed", "filled_mask", "grey_unit",
           "lines_apart", "object_mask", "paint", "silhouette"]  # fmt: skip

PAPER_U8 = 255
WORK_PX = 256  # lines are sought at this side, so that what counts as a main line does not depend on the picture's size
_BACKGROUND_FROM_U8 = 247  # a cut-out's paper is pure white; its anti-aliased rim is a little darker
_LEAST_AREA_SHARE = 0.003  # parts and holes of the object below this are not outlined
_LEAST_HOLE_SHARE = 0.004  # of the picture: smaller white spots inside the object belong to it
_FILLED_SHARE = 0.97  # a photo without paper has no silhouette
_OUTLINE_MARGIN_PX = 7  # edges this near the silhouette are the silhouette
_LEAST_LENGTH_PX = 22
_MAIN_LINES = 14
_SMOOTHING_PX = 2.5
_INK_BELOW_U8 = 150
_LEAST_OF_HULL = 0.4  # a drawing whose outline is open encloses less of its hull, and tells nothing


def check_picture(image_u8: U8) -> None:
    """Raise a :class:`DataError` where an array is no colour picture."""
    if image_u8.dtype != np.uint8 or image_u8.ndim != 3 or image_u8.shape[2] != 3 or image_u8.size == 0:
        raise DataError(
            f"the picture is {image_u8.dtype} {list(image_u8.shape)}; give a colour picture, uint8 [H, W, 3]."
        )


def object_mask(image_u8: U8, mask_u8: U8 | None = None) -> U8:
    """1 on the object, small cracks closed; uint8 [H, W].

    It is where ``mask_u8`` (uint8 [H, W]) is above 127, or without one whatever is not white paper.
    """
    if mask_u8 is not None:
        return np.asarray(mask_u8 > 127, np.uint8)
    paper = cv2.inRange(image_u8, (_BACKGROUND_FROM_U8,) * 3, (255,) * 3)
    mask = (paper == 0).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8)


def filled_mask(image_u8: U8) -> U8:
    """The object's mask without small holes, which are white parts of it: uint8 [H, W], 1 on the object."""
    mask = object_mask(image_u8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    small = stats[:, cv2.CC_STAT_AREA] < _LEAST_HOLE_SHARE * mask.size
    small[border] = False
    small[0] = False  # the object itself
    return np.asarray(np.where(small[labels], 1, mask), np.uint8)


def silhouette(image_u8: U8, line_px: float, mask_u8: U8 | None = None) -> U8:
    """Outline of the object, see :func:`object_mask`, anti-aliased, ``line_px`` wide; uint8 [H, W]."""
    mask = object_mask(image_u8, mask_u8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    least_area_px = _LEAST_AREA_SHARE * mask.size
    kept = [contour for contour in contours if cv2.contourArea(contour) >= least_area_px]
    scale = 4  # drawn larger and reduced, since OpenCV's line widths are whole pixels
    canvas = np.full((mask.shape[0] * scale, mask.shape[1] * scale), PAPER_U8, np.uint8)
    enlarged = [contour * scale + scale // 2 for contour in kept]
    cv2.polylines(canvas, enlarged, True, 0, max(1, round(line_px * scale)), cv2.LINE_AA)
    return np.asarray(cv2.resize(canvas, mask.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def canny_mask(channels: F32, sigma_px: float, low: float, high: float) -> U8:
    """Canny's edges, one pixel wide.

    Parameters
    ----------
    channels
        float32 [H, W] or [H, W, C] in [0, 1]; the channel with the steepest slope decides at each pixel.
    sigma_px
        Deviation of the Gaussian before the slope is taken.
    low, high
        A line begins where a step edge would have ``high`` of contrast, and goes on down to ``low``; in [0, 1].

    Returns
    -------
    uint8 [H, W], 1 on the lines.
    """
    smooth = cv2.GaussianBlur(channels, (0, 0), sigma_px)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    if dx.ndim == 3:
        steepest = (dx * dx + dy * dy).argmax(axis=2)[..., None]
        dx, dy = (np.take_along_axis(slope, steepest, axis=2)[..., 0] for slope in (dx, dy))
    unit = 20_000.0  # OpenCV takes whole slopes; a step of contrast c has slope c / (sigma sqrt(2 pi)), at most 0.5
    of_contrast = unit / (sigma_px * np.sqrt(2 * np.pi))
    whole_dx, whole_dy = ((slope * unit).astype(np.int16) for slope in (dx, dy))
    lines = cv2.Canny(whole_dx, whole_dy, low * of_contrast, high * of_contrast, L2gradient=True)
    return np.asarray(lines > 0, np.uint8)


def lines_apart(
    image_u8: U8, detail: float = 1.0, mask_u8: U8 | None = None, side_px: int = WORK_PX
) -> tuple[list[F32], list[F32]]:
    """The lines of a contour drawing: those of the silhouette, and the inner ones, strongest first.

    Parameters
    ----------
    image_u8
        Colour picture, best a cut-out on white, uint8 [H, W, 3].
    detail
        How many inner lines: 0 is the silhouette alone, 1 the main lines, 2 twice as many and fainter ones.
    mask_u8
        Where the object is, see :func:`object_mask`.
    side_px
        Side at which lines are sought: half of :data:`WORK_PX` takes less than half of the time and finds no fine ones.

    Returns
    -------
    Polylines float32 [points, 2], x and y in pixels of the picture.
    """
    height, width = image_u8.shape[:2]
    scale = side_px / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(image_u8, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    mask = object_mask(small, None if mask_u8 is None else cv2.resize(mask_u8, size, interpolation=cv2.INTER_LINEAR))
    inside = np.ones_like(mask)
    share = side_px / WORK_PX  # of lengths that are given at WORK_PX
    outlines: list[F32] = []
    if mask.mean() < _FILLED_SHARE:
        margin_px = 2 * round(_OUTLINE_MARGIN_PX * share) + 1
        inside = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin_px, margin_px)))
        outlines = _silhouette_lines(mask, _SMOOTHING_PX * share)
    inner = _inner_lines(small, inside, detail, share) if detail > 0 else []
    stretch = np.array([width / size[0], height / size[1]], np.float32)
    outlines, inner = ([(line + 0.5) * stretch - 0.5 for line in lines] for lines in (outlines, inner))
    return outlines, inner


def _silhouette_lines(mask: U8, smoothing_px: float) -> list[F32]:
    """Outlines of the object's parts and holes; where the frame cuts the object there is no line."""
    found, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    lines: list[F32] = []
    most = np.array(mask.shape[::-1]) - 2
    for chain in found:
        if cv2.contourArea(chain) < _LEAST_AREA_SHARE * mask.size:
            continue
        points = chain[:, 0].astype(np.float32)
        free = ((points > 1) & (points < most)).all(axis=1)
        if free.all():
            lines.append(_smoothed(points, True, smoothing_px))
            continue
        start = int(np.argmin(free))  # a point on the frame
        points, free = np.roll(points, -start, axis=0), np.roll(free, -start)
        cuts = np.flatnonzero(np.diff(free.astype(np.int8)) != 0) + 1
        runs = zip(np.split(points, cuts), np.split(free, cuts))
        lines += [_smoothed(run, False, smoothing_px) for run, on in runs if on[0] and len(run) > 8]
    return lines


def _inner_lines(image_u8: U8, inside: U8, detail: float, share: float) -> list[F32]:
    lab = cv2.cvtColor(
        cv2.bilateralFilter(cv2.medianBlur(image_u8, 5), 2 * round(3 * share) + 1, 40, 5 * share), cv2.COLOR_RGB2LAB
    )
    easier = _contrast(lab[..., 0][inside > 0]) / detail
    mask = canny_mask(lab.astype(np.float32) / 255, 2.0, 0.05 * easier, 0.14 * easier) & inside
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    # long lines that span much are main ones; the same length crumpled up is texture
    span = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    score = span * np.minimum(1, 1.5 * span / np.maximum(1, stats[:, cv2.CC_STAT_AREA]))
    least_px = _LEAST_LENGTH_PX * share / max(1, detail)
    order = [part for part in np.argsort(-score) if part != 0 and span[part] >= least_px]
    lines: list[F32] = []
    for part in order[: round(_MAIN_LINES * detail)]:
        left, top, width, height = stats[part, :4]
        window = (labels[top : top + height, left : left + width] == part).astype(np.uint8)
        found, _ = cv2.findContours(window, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(int(left), int(top)))
        chains = [chain[:, 0].astype(np.float32) for chain in found]  # there and back again
        lines += [_smoothed(chain, True, _SMOOTHING_PX * share) for chain in chains]
    return lines


def _contrast(lightness_u8: U8) -> float:
    """1 for an object with light and dark parts, down to a third for one that is all dark or all light."""
    darkest, lightest = np.percentile(lightness_u8, (2, 98)) if lightness_u8.size else (0, 255)
    return float(np.clip((lightest - darkest) / 150, 1 / 3, 1))


def _smoothed(points: F32, closed: bool, sigma_px: float) -> F32:
    """The curve through a chain of pixels, corners rounded as a hand rounds them; a closed one ends at its start."""
    reach = min(len(points), int(4 * sigma_px))
    if closed:
        padded = np.concatenate([points[-reach:], points, points[:reach]])
    else:
        ends = (2 * points[0] - points[reach - 1 : 0 : -1], 2 * points[-1] - points[-2 : -reach - 1 : -1])
        padded = np.concatenate([ends[0], points, ends[1]])
        reach -= 1
    smooth = cv2.GaussianBlur(padded, (1, 0), sigmaX=0.01, sigmaY=sigma_px)[reach : reach + len(points)]
    return np.concatenate([smooth, smooth[:1]]) if closed else smooth


def paint(lines: Sequence[F32], shape: tuple[int, int], line_px: float) -> U8:
    """Draw polylines in black on white, anti-aliased, ``line_px`` wide; uint8 [H, W]."""
    height, width = shape
    # Drawn larger and reduced: OpenCV's thickness 2 n comes out 2 n + 1 wide, so the scale makes of line_px just that.
    pen = max(1, min(2 * int(max(3.5, line_px)) + 1, 2 * int(4 * line_px) - 1))
    size = [max(1, round(side * pen / line_px)) for side in (width, height)]
    canvas = np.full(size[::-1], PAPER_U8, np.uint8)
    scale = np.array(size, np.float32) / (width, height)
    shift = 4  # fractions of a sixteenth of a pixel
    whole = [np.round(((line + 0.5) * scale - 0.5) * 2**shift).astype(np.int32)[:, None] for line in lines]
    cv2.polylines(canvas, whole, False, 0, max(1, pen - 1), cv2.LINE_8, shift)
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def body_and_paper(sketch_u8: U8) -> tuple[U8, U8]:
    """Where the object is, and where it is not, as far as the lines say.

    Small gaps are closed; whatever paper cannot be reached from the border then is enclosed. Lines alone, such as
    whiskers, are neither.

    Parameters
    ----------
    sketch_u8
        uint8 [H, W], paper 255.

    Returns
    -------
    Two masks uint8 [H, W] of 0 and 1; both are empty where the outline is open.
    """
    unit_px = max(1, round(max(sketch_u8.shape) / 64))
    ink = (sketch_u8 < _INK_BELOW_U8).astype(np.uint8)
    within = enclosed(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _disc(3 * unit_px)))
    body = np.asarray(cv2.morphologyEx(within, cv2.MORPH_OPEN, _disc(5 * unit_px)), np.uint8)
    if body.sum() < _LEAST_OF_HULL * _hull_area(ink):
        return np.zeros_like(ink), np.zeros_like(ink)
    return body, np.asarray(1 - cv2.dilate(within, _disc(5 * unit_px)), np.uint8)


def covered_share(mask_u8: U8) -> float:
    """How much of what its outline encloses an object covers: 1 without holes; the mask is [H, W] of 0 and 1."""
    area = int(enclosed(mask_u8).sum())
    return int(mask_u8.sum()) / area if area else 1.0


def enclosed(lines: U8) -> U8:
    """1 on lines and on what cannot be reached from the border without crossing one."""
    around = cv2.copyMakeBorder(lines, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(around, None, (0, 0), 2)
    return np.asarray(around[1:-1, 1:-1] != 2, np.uint8)


def _hull_area(ink: U8) -> float:
    points = cv2.findNonZero(ink)
    return float(cv2.contourArea(cv2.convexHull(points))) if points is not None else 1.0


def _disc(side_px: int) -> U8:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side_px, side_px)), np.uint8)


def grey_unit(image_u8: U8) -> F32:
    """A colour picture uint8 [H, W, 3] as greys, float32 [H, W] in [0, 1]."""
    grey: F32 = cv2.cvtColor(image_u8, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return grey
