"""Measures of a cut-out that tell whether it is fit to learn from, and which two are nearly the same.

:mod:`rules` holds them against thresholds.
Whatever the picture's size, they are taken at :data:`WORKING_PX`, where what is seen there is what training sees.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import U8
from edgegan_widget.data.audit.shapes import Shape, of_mask
from edgegan_widget.sketch.sources.trained import xdog_lines

__all__ = ["Measures", "Shape", "hashes", "measure", "twins"]

Measures = dict[str, float]

WORKING_PX = 128
_INSIDE_FROM_U8 = 128
_RIM_PX = 4  # left out of measures of the inside: the silhouette's own lines
_LEAST_INSIDE_PX = 60
_REBLUR_PX = 7
_PAPER_U8 = 255
_SHARES, _COLOUR_STEPS = (0.18, 0.5), 32  # of a primary colour; what lies outside is rare
_GREY_TIE_U8 = 2
_COARSE_BYTES, _FINE_BYTES = 8, 40
_BANDS = 5  # of the 64-bit hash: near pictures agree in all bits of at least one
_CHUNK_PAIRS = 1_000_000
_BIT_COUNT = np.array([bin(value).count("1") for value in range(256)], np.uint8)
_STEADY_PX = 2.0  # deviation of the window in which slopes of a line point the same way


def measure(image_u8: U8, mask_u8: U8, region: Shape, others: Sequence[Shape] = ()) -> Measures:
    """Measure one cut-out.

    Parameters
    ----------
    image_u8, mask_u8
        The cut-out on white, uint8 [S, S, 3], and its mask, uint8 [S, S].
    region
        The object's mask in its picture; not empty.
    others
        Masks of everything else that the picture's annotations know.

    Returns
    -------
    ``frame`` (0..1), ``size_px``, ``brightness`` and ``contrast`` (0..255), ``blur`` (0..1), ``hidden`` (0..1),
    ``pieces`` (0..1), ``ink`` (0..1), ``disorder`` (0..255 a pixel), ``aspect`` (log of width / height).
    """
    small = _at_working_size(image_u8)
    inside = _inside(_at_working_size(mask_u8))
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    low, high = np.percentile(grey[inside], (5, 95))
    lines = xdog_lines(small)
    found = {
        "brightness": float(high),
        "contrast": float(high - low),
        "blur": _blur(grey, inside),
        "ink": float((255 - lines[inside].astype(np.float64)).mean() / 255),
        "disorder": _disorder(grey, inside),
    }
    return {name: round(value, 4) for name, value in (found | of_mask(region, others)).items()}


def _at_working_size(plane: U8) -> U8:
    if plane.shape[0] == WORKING_PX:
        return plane
    method = cv2.INTER_AREA if plane.shape[0] > WORKING_PX else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (WORKING_PX, WORKING_PX), interpolation=method), np.uint8)


def _inside(mask: U8) -> npt.NDArray[np.bool_]:
    """The object without its rim, or all of it where nothing else is left; never empty."""
    whole = (mask >= _INSIDE_FROM_U8).astype(np.uint8)
    eroded = cv2.erode(whole, np.ones((2 * _RIM_PX + 1,) * 2, np.uint8), borderValue=0)
    for plane in (eroded, whole):
        if plane.sum() >= _LEAST_INSIDE_PX:
            return np.asarray(plane, bool)
    return np.asarray(mask >= min(_INSIDE_FROM_U8, int(mask.max())), bool)


def _blur(grey: U8, inside: npt.NDArray[np.bool_]) -> float:
    """How little blurring again changes: Crete et al., "The blur effect" (2007), inside the object only.

    Steep slopes count more than there, by the square root: a smooth object may have few sharp borders.
    """
    weight = inside.astype(np.float32)
    shades = grey.astype(np.float32) * weight
    worst = 0.0
    for axis, kernel in ((1, (_REBLUR_PX, 1)), (0, (1, _REBLUR_PX))):
        again = cv2.blur(shades, kernel) / np.maximum(cv2.blur(weight, kernel), 1e-6)
        pairs = np.minimum(np.delete(weight, 0, axis), np.delete(weight, -1, axis)) > 0
        change = np.abs(np.diff(shades, axis=axis))[pairs]
        lost = np.maximum(0, change - np.abs(np.diff(again, axis=axis))[pairs])
        steep = np.sqrt(change)
        total = float(change @ steep)
        worst = max(worst, 1 - float(lost @ steep) / total if total > 0 else 1.0)
    return worst


def _disorder(grey: U8, inside: npt.NDArray[np.bool_]) -> float:
    """Strength of slopes that do not follow a line: their root mean square, less the share that points one way nearby.

    What points one way is told by the structure tensor's coherence (Weickert, "Coherence-Enhancing Diffusion
    Filtering", 1999, section 2.2): near 1 on lines and borders, near 0 in noise and dots.
    """
    shades = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.7)
    weight = inside.astype(np.float32)
    dx, dy = (cv2.Sobel(shades, cv2.CV_32F, *order, scale=1 / 8) * weight for order in ((1, 0), (0, 1)))
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), _STEADY_PX)[inside] for product in (dx * dx, dy * dy, dx * dy))
    total = float((xx + yy).sum())
    one_way = float(np.sqrt((xx - yy) ** 2 + 4 * xy * xy).sum())
    return float(np.sqrt(total / len(xx)) * (1 - one_way / total)) if total > 0 else 0.0


def hashes(image_u8: U8) -> tuple[str, str]:
    """Perceptual hashes as hexadecimal text: 64 bits to find candidates by, 320 bits to compare them by.

    256 of these are of light and dark, 64 of colour, so that the same shirt in another colour is another picture.
    """
    grey = cv2.cvtColor(image_u8, cv2.COLOR_RGB2GRAY)
    waves = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8].ravel()
    coarse = waves > np.median(waves[1:])
    tiny = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    fine = np.diff(tiny, axis=1) > _GREY_TIE_U8
    return np.packbits(coarse).tobytes().hex(), np.packbits(
        np.concatenate([fine.ravel(), _colour_bits(image_u8)])
    ).tobytes().hex()


def _colour_bits(image_u8: U8) -> npt.NDArray[np.bool_]:
    """The share of red and of green in the object's light, each as 32 bits of which the more are set the higher it is.

    Shares do not change with the light; paper has none.
    """
    paper = cv2.inRange(image_u8, (_PAPER_U8,) * 3, (_PAPER_U8,) * 3)
    light = np.array(cv2.mean(image_u8, cv2.bitwise_not(paper))[:3])
    shares = light[:2] / max(1e-3, light.sum())
    return np.asarray((shares[:, None] > np.linspace(*_SHARES, _COLOUR_STEPS)).ravel(), bool)


def twins(coarse: bytes, fine: bytes, most_bits: int) -> dict[int, tuple[int, int]]:
    """Find, for each picture, the earlier one that is nearest to it.

    Parameters
    ----------
    coarse, fine
        The pictures' hashes one after the other, 8 and 40 bytes each.
    most_bits
        How many of the 320 bits may differ.

    Returns
    -------
    Number of a picture -> number of its earlier twin and the bits in which they differ.
    """
    keys = np.frombuffer(coarse, np.uint8).reshape(-1, _COARSE_BYTES)
    shades = np.frombuffer(fine, np.uint8).reshape(-1, _FINE_BYTES)
    bits = np.unpackbits(keys, axis=1)
    found: dict[int, tuple[int, int]] = {}
    for band in np.array_split(np.arange(bits.shape[1]), _BANDS):
        values = bits[:, band].astype(np.int64) @ (1 << np.arange(len(band), dtype=np.int64))
        order = np.argsort(values, kind="stable")
        starts = np.flatnonzero(np.diff(values[order], prepend=-1))
        for bucket in np.split(order, starts[1:]):
            _compare(bucket, shades, most_bits, found)
    return found


def _compare(bucket: npt.NDArray[np.int64], shades: U8, most_bits: int, found: dict[int, tuple[int, int]]) -> None:
    """All pictures of a bucket with each other, a block of rows at a time."""
    rows = max(1, _CHUNK_PAIRS // max(1, len(bucket)))
    for start in range(1, len(bucket), rows):
        later = bucket[start : start + rows]
        earlier = bucket[: start + len(later) - 1]
        differ = _BIT_COUNT[shades[later][:, None] ^ shades[earlier][None]].sum(axis=2, dtype=np.uint16)
        differ[np.arange(len(earlier))[None] >= start + np.arange(len(later))[:, None]] = 999
        nearest = differ.argmin(axis=1)
        least = differ[np.arange(len(later)), nearest]
        for row in np.flatnonzero(least <= most_bits):
            pair = (int(least[row]), int(earlier[nearest[row]]))
            known = found.get(int(later[row]))
            if known is None or pair < known[::-1]:
                found[int(later[row])] = pair[::-1]
