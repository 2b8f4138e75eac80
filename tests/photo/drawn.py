"""Photos made by code: a coloured animal-like thing before a noisy ground, with the mask that is true of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from edgegan_widget.base.units import U8

_WAYS = {"left": (0.08, 0.5), "middle": (0.5, 0.5), "right": (0.92, 0.5)}


def photo(seed: int = 0, width_px: int = 240, height_px: int = 200, at: tuple[str, ...] = ("middle",)) -> tuple[U8, U8]:
    """A photo uint8 [H, W, 3] of a thing at each place, and the mask of them uint8 [H, W], 255 inside."""
    random = np.random.default_rng(seed)
    mask = np.zeros((height_px, width_px), np.uint8)
    for place in at:
        _draw(mask, _WAYS[place], 0.16 if len(at) > 1 else 0.24)
    ground, thing = _ground(random, height_px, width_px), _thing(random, height_px, width_px)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.7)[..., None] / 255
    return np.round(soft * thing + (1 - soft) * ground).astype(np.uint8), mask


def _draw(mask: U8, place: tuple[float, float], size: float) -> None:
    height, width = mask.shape
    across, down, side = place[0] * width, place[1] * height, size * min(height, width)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(across + x * side), round(down + y * side)

    cv2.ellipse(mask, at(0, 0), (round(1.3 * side), round(0.7 * side)), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, at(1.3, -0.8), (round(0.55 * side), round(0.4 * side)), -30, 0, 360, 255, -1)
    for x in (-0.9, -0.5, 0.5, 0.9):
        cv2.line(mask, at(x, 0.3), at(x, 1.6), 255, max(2, round(0.25 * side)))


def _ground(random: np.random.Generator, height_px: int, width_px: int) -> U8:
    fade = np.linspace(0, 1, height_px)[:, None, None]
    colours = np.array([150, 190, 225]) * (1 - fade) + np.array([105, 150, 80]) * fade
    noise = cv2.GaussianBlur(random.normal(0, 40, (height_px, width_px, 3)), (0, 0), 1.5)
    return np.clip(colours + noise, 0, 255).astype(np.uint8)


def _thing(random: np.random.Generator, height_px: int, width_px: int) -> U8:
    colour = np.array([random.integers(110, 170), random.integers(40, 80), random.integers(10, 40)])
    noise = cv2.GaussianBlur(random.normal(0, 60, (height_px, width_px, 1)), (0, 0), 2)
    return np.clip(colour + (noise[..., None] if noise.ndim == 2 else noise), 0, 255).astype(np.uint8)


def write_pairs(folder: Path, count: int, side_px: int = 96) -> Path:
    """Photos NAME.jpg with masks NAME.png, as ``train-cutout`` takes them."""
    folder.mkdir(parents=True)
    for number in range(count):
        pixels, mask = photo(number, side_px, side_px, (("left", "middle", "right")[number % 3],))
        Image.fromarray(pixels).save(folder / f"{number:03}.jpg", quality=95)
        Image.fromarray(mask).convert("1").save(folder / f"{number:03}.png")
    return folder


def overlap(found: np.ndarray, mask_u8: U8) -> float:
    """Intersection over union of an alpha and a mask."""
    one, other = found >= 0.5, mask_u8 >= 128
    return float((one & other).sum() / (one | other).sum())
