"""How a drawn object is made to fit a photo: its edge freed of the paper, its light, sharpness and grain, its shadow.

Sizes here are those of the object's own pixels, or of its box in the photo; colours are float32 in 0..255.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edgegan_widget.base.settings import check_settings, setting
from edgegan_widget.base.units import F32, U8

__all__ = ["MATCH", "Fit", "freed_of_paper", "lit_as", "shadowed", "sharp_as"]

MATCH = 0.4  # of the way to the surroundings' colours: all of it would turn a zebra into grass
_SPREAD = (0.7, 1.4)  # by how much contrast may change
_OPAQUE = (0.9, 1.0)  # of the alpha around: below, a pixel's colour is its neighbours'; above, its own
_RIM_PX = 3  # within which networks let the paper shine through
_LOYAL = 16  # the power of alpha by which neighbours count
_SOFT_PX = 0.8  # by which the outline is smoothed, at the object's own size
_STEEP = 1.6  # and made as sharp as before
_EDGES = 0.9  # the quantile of gradients from which they count as edges
_REBLUR_PX = 1.0
_MOST_BLUR_PX = 6.0
_MOST_SHARPER = 1.5
_HAZE = 0.06  # alpha that is nothing
_BLOCK_PX = 16  # in which noise is measured
_QUIET = 0.25  # the quantile of blocks that are plain ground
_MOST_GRAIN = 8.0  # of 255
_FLAT, _CLOSE = 0.14, 0.05  # height of the shadow, and of its dark part where the object stands, of the object's
_DARKEST = 0.75
Bools = np.ndarray


@dataclass(frozen=True)
class Fit:
    """How an object is fitted in."""

    feather_px: float = setting(1.0, "photo's pixels by which the edge is softened", least=0, most=50)
    match_light: float = setting(MATCH, "how far its light and colour move to those around it", least=0, most=1)
    shadow: float = setting(0.0, "how dark the shadow at its foot is", least=0, most=1)
    match_sharpness: bool = setting(False, "make it as sharp and as grainy as what is around it")
    seamless: bool = setting(False, "let its colours meet the photo's at its outline, by Poisson blending")
    clean_edge: bool = setting(True, "take the white of its paper off its edge")

    def __post_init__(self) -> None:
        check_settings(self)


def freed_of_paper(colours: F32, cover: F32) -> tuple[F32, F32]:
    """The object without the paper that shines through at its edge.

    A network's alpha does not say exactly how much paper is in a pixel, so that what is left after it is taken out is
    too light. Where alpha is lower than around, colours are those of what is opaque beside it; the outline is
    smoothed and made steep again.

    Parameters
    ----------
    colours, cover
        float32 [h, w, 3] in 0..255 and float32 [h, w] in 0..1.

    Returns
    -------
    The same two. What is opaque as far as it goes, and what is evenly transparent, stays.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM_PX + 1,) * 2)
    rank = cover / np.maximum(cv2.dilate(cover, disc), 1e-3)
    own = ((rank - _OPAQUE[0]) / (_OPAQUE[1] - _OPAQUE[0])).clip(0, 1)[..., None]
    weight = (rank**_LOYAL * cover + 1e-6)[..., None]
    near = cv2.GaussianBlur(np.dstack([colours * weight, weight]), (0, 0), _RIM_PX / 2)
    spread = near[..., :3] / near[..., 3:]
    smooth = cv2.GaussianBlur(cover, (0, 0), _SOFT_PX)
    peak = np.maximum(cv2.dilate(smooth, disc), 1e-3)  # thin or transparent parts never reach 1
    steep = ((smooth / peak - 0.5) * _STEEP + 0.5).clip(0, 1) * cv2.dilate(cover, disc)
    steep *= ((peak - _HAZE) / _HAZE).clip(0, 1)
    return np.asarray(own * colours + (1 - own) * spread, np.float32), np.asarray(steep, np.float32)


def lit_as(colours: F32, cover: F32, around_u8: U8, strength: float) -> F32:
    """Colours whose mean and spread in CIE Lab have come nearer to those of the surroundings, by ``strength`` 0..1.

    Reinhard et al., "Color transfer between images" (IEEE Computer Graphics and Applications 2001).
    """
    inside = cover > 0.5
    if not strength or not inside.any():
        return colours
    lab = cv2.cvtColor(colours / 255, cv2.COLOR_RGB2Lab)
    own = lab[inside]
    theirs = cv2.cvtColor(around_u8.astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(-1, 3)
    spread = (theirs.std(0) / np.maximum(own.std(0), 1e-3)).clip(*_SPREAD)
    moved = (lab - own.mean(0)) * (1 + strength * (spread - 1)) + own.mean(0)
    moved += strength * (theirs.mean(0) - own.mean(0))
    return np.asarray(cv2.cvtColor(moved.astype(np.float32), cv2.COLOR_Lab2RGB) * 255, np.float32).clip(0, 255)


def sharp_as(colours: F32, cover: F32, around_u8: U8) -> tuple[F32, F32]:
    """The object as sharp and as grainy as its surroundings.

    How blurred each is follows from what another blur does to its edges (Zhuo and Sim, "Defocus map estimation from a
    single image", Pattern Recognition 2011); the sharper object is blurred, the other one sharpened by an unsharp
    mask. Grain is added until its plainest parts are as noisy as the photo's (Donoho, 1995: the median of the finest
    diagonal details).
    """
    grey, around = _grey(colours), _grey(around_u8.astype(np.float32))
    inside = cv2.erode((cover > 0.9).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    own_px, their_px = _blur_px(grey, inside), _blur_px(around, np.ones(around.shape, bool))
    if own_px is None or their_px is None:
        pass
    elif own_px < their_px:
        wider = min(_MOST_BLUR_PX, float(np.sqrt(their_px**2 - own_px**2)))
        both = cv2.GaussianBlur(np.dstack([colours * cover[..., None], cover]), (0, 0), max(0.1, wider))
        cover = both[..., 3]
        colours = both[..., :3] / np.maximum(both[..., 3:], 1e-3)
    else:
        more = min(_MOST_SHARPER, own_px / their_px - 1)
        colours = colours + more * (colours - cv2.GaussianBlur(colours, (0, 0), own_px))
    grain = _grain(colours.shape[:2], _noise(around) ** 2 - _noise(_grey(colours), inside) ** 2)
    return np.asarray((colours + grain).clip(0, 255), np.float32), np.asarray(cover.clip(0, 1), np.float32)


def _grey(colours: F32) -> F32:
    return np.asarray(colours @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def _blur_px(grey: F32, inside: Bools) -> float | None:
    """The blur of the edges inside, as the sigma of a Gaussian; None where there is no edge."""
    if min(grey.shape) < 8 or not inside.any():
        return None
    before, after = (_slope(each) for each in (grey, cv2.GaussianBlur(grey, (0, 0), _REBLUR_PX)))
    least = max(2.0, float(np.quantile(before[inside], _EDGES)))
    edges = inside & (before >= least)
    if not edges.any():
        return None
    ratio = float(np.median(before[edges] / np.maximum(after[edges], 1e-3)))
    return float(min(_MOST_BLUR_PX, max(0.3, _REBLUR_PX / max(1e-3, ratio**2 - 1) ** 0.5)))


def _slope(grey: F32) -> F32:
    across, down = (cv2.Sobel(grey, cv2.CV_32F, x, 1 - x, ksize=1) for x in (1, 0))
    return np.asarray(cv2.magnitude(across, down))


def _noise(grey: F32, inside: Bools | None = None) -> float:
    """The deviation of the noise in the plainest parts, of 255; 0 where too little is inside."""
    height, width = (side // 2 * 2 for side in grey.shape)
    pixels = grey[:height, :width]
    detail = np.abs(pixels[::2, ::2] - pixels[1::2, ::2] - pixels[::2, 1::2] + pixels[1::2, 1::2]) / 2
    if inside is not None:
        detail = np.where(inside[:height:2, :width:2], detail, np.nan)
    side = _BLOCK_PX // 2
    rows, columns = detail.shape[0] // side, detail.shape[1] // side
    blocks = detail[: rows * side, : columns * side].reshape(rows, side, columns, side).swapaxes(1, 2)
    whole = blocks.reshape(-1, side * side)
    whole = whole[~np.isnan(whole).any(1)]
    return float(np.quantile(np.median(whole, 1), _QUIET) / 0.6745) if len(whole) else 0.0


def _grain(shape: tuple[int, ...], variance: float) -> F32:
    """Noise [h, w, 1], the same for the same size."""
    deviation = min(_MOST_GRAIN, max(0.0, variance) ** 0.5)
    noise = np.random.default_rng(0).standard_normal((*shape, 1), np.float32)
    return np.asarray(deviation * noise, np.float32)


def shadowed(photo_u8: U8, cover: F32, corner: tuple[int, int], strength: float) -> U8:
    """The photo with a soft shadow on the ground at an object's foot.

    Parameters
    ----------
    photo_u8
        uint8 [H, W, 3].
    cover
        float32 [h, w] in 0..1, the object's.
    corner
        x and y of its top left corner in the photo.
    strength
        0 (none) to 1.

    Returns
    -------
    uint8 [H, W, 3], nowhere lighter; other pixels only around the foot.
    """
    shade, left, top = _shade(cover)
    x, y = corner[0] + left, corner[1] + top
    rows, columns = slice(max(0, y), max(0, y + shade.shape[0])), slice(max(0, x), max(0, x + shade.shape[1]))
    result: U8 = photo_u8.copy()
    below = result[rows, columns]
    shown = shade[max(0, -y) :, max(0, -x) :][: below.shape[0], : below.shape[1], None]
    result[rows, columns] = np.floor(below * (1 - strength * _DARKEST * shown)).astype(np.uint8)
    return result


def _shade(cover: F32) -> tuple[F32, int, int]:
    """How dark the ground is, float32 in 0..1, and where its corner lies from the object's: the object laid flat on
    the ground, and darker where it stands on it.
    """
    inside = np.argwhere(cover > 0.5)
    if not len(inside):
        return np.zeros((1, 1), np.float32), 0, 0
    (top, left), (bottom, right) = inside.min(0), inside.max(0) + 1
    body = cover[top:bottom, left:right]
    high, wide = body.shape
    flat_px, close_px = max(2, round(_FLAT * high)), max(2, round(_CLOSE * high))
    blur_px = max(0.8, 0.02 * max(high, wide))
    pad = int(np.ceil(3 * blur_px)) + 1
    flat = cv2.resize(body, (wide, flat_px), interpolation=cv2.INTER_AREA)
    close = np.zeros_like(flat)
    begin = (flat_px - close_px) // 2
    close[begin : begin + close_px] = body[high - min(high, flat_px) :].max(0)
    soft, dark = (
        cv2.GaussianBlur(np.pad(each, pad), (0, 0), by) for each, by in ((flat, blur_px), (close, blur_px / 2))
    )
    shade = 1 - (1 - 0.6 * soft) * (1 - 0.7 * dark)
    foot = bottom - flat_px // 2
    return np.asarray(shade.clip(0, 1), np.float32), int(left) - pad, int(foot) - pad
