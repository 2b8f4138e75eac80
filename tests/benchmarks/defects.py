"""Defects planted in real photos, to measure whether the audit finds them: each as it happens in photo collections.

A planted photo keeps its annotation's form: pixels, the object's mask, and the masks of everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError

__all__ = ["DEFECTS", "IMPLIED", "Planted", "in_front"]

U8 = npt.NDArray[np.uint8]
Chance = np.random.Generator

_MOST_TRIES = 300


@dataclass(frozen=True)
class Planted:
    """A photo with one object: uint8 [H, W, 3], its mask and the union of other masks, uint8 [H, W]."""

    photo_u8: U8
    mask_u8: U8
    others_u8: U8


def _box(planted: Planted) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(planted.mask_u8)
    return left, top, width, height


def _longest(planted: Planted) -> int:
    return max(_box(planted)[2:])


def _frame(planted: Planted, random: Chance, _: Planted) -> Planted:
    """The photo ends within the object: a fifth to a half of it is outside."""
    left, top, width, height = _box(planted)
    share, side = random.uniform(0.2, 0.5), random.integers(4)
    x, y = int(width * share), int(height * share)
    crops = (np.s_[:, left + x :], np.s_[:, : left + width - x], np.s_[top + y :], np.s_[: top + height - y])
    crop = crops[side]
    return Planted(planted.photo_u8[crop].copy(), planted.mask_u8[crop].copy(), planted.others_u8[crop].copy())


def _resized(planted: Planted, scale_x: float, scale_y: float) -> Planted:
    high, wide = planted.mask_u8.shape
    size = (max(1, round(wide * scale_x)), max(1, round(high * scale_y)))
    photo, mask, others = (
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
        for plane in (planted.photo_u8, planted.mask_u8, planted.others_u8)
    )
    return Planted(photo, np.asarray((mask > 127) * 255, np.uint8), np.asarray((others > 127) * 255, np.uint8))


def _small(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Far away: 12 to 36 pixels, the photo as large as it was."""
    scale = random.uniform(12, 36) / _longest(planted)
    far, (high, wide) = _resized(planted, scale, scale), planted.mask_u8.shape
    top, left = high - far.mask_u8.shape[0], wide - far.mask_u8.shape[1]
    rims = (top // 2, top - top // 2, left // 2, left - left // 2)
    photo = cv2.copyMakeBorder(far.photo_u8, *rims, cv2.BORDER_REPLICATE)
    mask, others = (cv2.copyMakeBorder(plane, *rims, cv2.BORDER_CONSTANT) for plane in (far.mask_u8, far.others_u8))
    return Planted(*(np.asarray(plane, np.uint8) for plane in (photo, mask, others)))


def _dark(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Underexposed to a tenth or less, with the noise that comes with it."""
    noisy = planted.photo_u8 * random.uniform(0.04, 0.14) + random.normal(0, 2, planted.photo_u8.shape)
    return replace(planted, photo_u8=np.clip(noisy, 0, 255).astype(np.uint8))


def _flat(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Fog: contrast down to a tenth or less, around a middle grey."""
    foggy = random.uniform(100, 200) + (planted.photo_u8 - 127.5) * random.uniform(0.03, 0.1)
    return replace(planted, photo_u8=np.clip(foggy, 0, 255).astype(np.uint8))


def _blurred(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Out of focus, or moved while the shutter was open, by 2.5 to 5 hundredths of the object's longest side."""
    reach = random.uniform(0.025, 0.05) * _longest(planted)
    if random.uniform() < 0.5:
        return replace(planted, photo_u8=np.asarray(cv2.GaussianBlur(planted.photo_u8, (0, 0), reach), np.uint8))
    side = 2 * round(2 * reach) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.float32)
    return replace(planted, photo_u8=np.asarray(cv2.filter2D(planted.photo_u8, -1, disc / disc.sum()), np.uint8))


def _hidden(planted: Planted, random: Chance, other: Planted) -> Planted:
    """Another photo's object stands before a fifth to a half of it."""
    return _overlaid(planted, random, other, (0.2, 0.5))[0]


def _overlaid(planted: Planted, random: Chance, other: Planted, shares: tuple[float, float]) -> tuple[Planted, Planted]:
    """Another object before this one: this one hidden, and the one in front, which nothing hides."""
    left, top, width, height = _box(planted)
    area = float((planted.mask_u8 > 0).sum())
    crop = _cropped(other)
    for attempt in range(_MOST_TRIES):
        front = _resized(
            crop, *(2 * [random.uniform(0.4, 1 + attempt / _MOST_TRIES) * max(width, height) / _longest(crop)])
        )
        high, wide = front.mask_u8.shape
        x = int(random.uniform(left - 0.7 * width, left + 0.9 * width))
        y = int(random.uniform(top - 0.7 * height, top + 0.9 * height))
        if min(x, y) < 3 or x + wide > planted.mask_u8.shape[1] - 3 or y + high > planted.mask_u8.shape[0] - 3:
            continue
        mask = np.zeros_like(planted.mask_u8)
        mask[y : y + high, x : x + wide] = front.mask_u8
        covered = float(((mask > 0) & (planted.mask_u8 > 0)).sum()) / area
        if shares[0] <= covered <= shares[1]:
            photo = planted.photo_u8.copy()
            photo[mask > 0] = front.photo_u8[front.mask_u8 > 0]
            rest = np.where(mask > 0, 0, planted.mask_u8).astype(np.uint8)
            return Planted(photo, rest, mask), Planted(photo, mask, rest)
    raise DataError("the two objects do not fit before each other; take others.")


def _cropped(planted: Planted) -> Planted:
    """The object's box alone."""
    left, top, width, height = _box(planted)
    box = np.s_[top : top + height, left : left + width]
    return Planted(planted.photo_u8[box], planted.mask_u8[box], planted.others_u8[box])


def in_front(planted: Planted, random: Chance, other: Planted) -> Planted:
    """No defect: it stands before another photo's object, which is what the hidden ones must be told from."""
    return _overlaid(other, random, planted, (0.1, 0.5))[1]


def _fragmented(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Posts or branches before it that nobody annotated: two to four strips are missing from its mask."""
    left, top, width, height = _box(planted)
    mask = planted.mask_u8.copy()
    upright = random.uniform() < 0.5
    start, side = (left, width) if upright else (top, height)
    strips = int(random.integers(2, 5))
    for number in range(strips):
        at = start + side * (number + 1 + random.uniform(-0.2, 0.2)) / (strips + 1)
        half = max(1.0, random.uniform(0.015, 0.04) * side)
        band = np.s_[:, int(at - half) : int(at + half) + 1] if upright else np.s_[int(at - half) : int(at + half) + 1]
        mask[band] = 0
    return replace(planted, mask_u8=mask)


def _empty(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Burnt out or painted over: the inside is one colour with hardly a shade."""
    height, width = planted.mask_u8.shape
    slope = np.linspace(-1, 1, width)[None, :, None] * random.uniform(10, 25)
    colour = random.uniform(90, 215, 3) + slope + random.normal(0, 0.8, (height, width, 1))
    return replace(planted, photo_u8=np.clip(colour, 0, 255).astype(np.uint8))


def _overfull(planted: Planted, random: Chance, _: Planted) -> Planted:
    """A screen's dots or strong noise, as coarse as a hundredth of the object."""
    grain = max(1, round(_longest(planted) / random.uniform(55, 80)))
    height, width = planted.mask_u8.shape
    spots = random.normal(0, random.uniform(55, 90), (height // grain + 1, width // grain + 1, 1))
    large = np.kron(spots, np.ones((grain, grain, 1)))[:height, :width]
    return replace(planted, photo_u8=np.clip(planted.photo_u8 * 0.6 + 50 + large, 0, 255).astype(np.uint8))


def _duplicate(planted: Planted, random: Chance, _: Planted) -> Planted:
    """The same photo again: compressed anew, a little lighter or darker, a little smaller."""
    again = _resized(planted, *(2 * [random.uniform(0.75, 0.95)]))
    lit = np.clip(again.photo_u8 * random.uniform(0.9, 1.1) + random.uniform(-8, 8), 0, 255).astype(np.uint8)
    content = cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(40, 80))])[1]
    return replace(again, photo_u8=np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8))


def _aspect(planted: Planted, random: Chance, _: Planted) -> Planted:
    """Stretched or squeezed by 3 to 4.5, as by a careless resize."""
    stretch = random.uniform(3, 4.5)
    return _resized(planted, *((stretch, 1) if random.uniform() < 0.5 else (1, stretch)))


DEFECTS: dict[str, Callable[[Planted, Chance, Planted], Planted]] = {
    "frame": _frame, "small": _small, "dark": _dark, "flat": _flat, "blurred": _blurred, "hidden": _hidden,
    "fragmented": _fragmented, "empty": _empty, "overfull": _overfull, "duplicate": _duplicate, "aspect": _aspect,
}  # fmt: skip

# What a planted defect brings with it, and is therefore no false alarm: a small object is blurred when enlarged, what
# is flat has no lines, most of what is planted leaves the picture nearly the same as it was.
IMPLIED = {
    "frame": {"aspect", "small"},
    "small": {"blurred", "empty"},
    "dark": {"flat", "empty", "blurred", "overfull"},
    "flat": {"empty", "blurred", "dark"},
    "blurred": {"empty", "flat"},
    "hidden": {"fragmented", "aspect", "small"},
    "fragmented": set(),
    "empty": {"flat", "blurred", "overfull"},
    "overfull": {"blurred"},
    "duplicate": set(),
    "aspect": {"small", "blurred"},
    "in front": {"small", "blurred", "empty", "frame"},
}  # fmt: skip
