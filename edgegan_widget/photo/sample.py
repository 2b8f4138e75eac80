"""A photo made by code, to try everything with: a brown horse on a meadow before hills, the same each time."""

from __future__ import annotations

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8

__all__ = ["sample_photo"]

_SIZE = (640, 960)  # height, width
_SEED = 7
_FINER = 8  # polygons are drawn with coordinates in eighths of a pixel
_HORIZON = 0.52  # of the height
_FEET = 0.86
_COAT, _DARK = (138, 88, 52), (62, 40, 28)

# A horse from its left side, in units of its height at the withers; y grows downwards, the hooves stand at 0.
_TRUNK = [
    (-0.66, -0.90), (-0.55, -1.00), (-0.35, -0.98), (-0.10, -0.93), (0.15, -0.95), (0.34, -1.03), (0.55, -0.90),
    (0.60, -0.70), (0.50, -0.52), (0.25, -0.44), (-0.10, -0.42), (-0.40, -0.48), (-0.62, -0.58), (-0.70, -0.75),
]  # fmt: skip
_NECK = [
    (0.26, -1.00), (0.50, -1.30), (0.70, -1.50), (0.80, -1.60), (0.83, -1.50), (0.92, -1.44), (1.02, -1.24),
    (1.10, -1.12), (1.07, -1.04), (0.97, -1.05), (0.88, -1.16), (0.78, -1.22), (0.66, -1.02), (0.60, -0.72),
    (0.40, -0.7),
]  # fmt: skip
_LEGS = [
    [(-0.68, -0.72), (-0.72, -0.44), (-0.66, -0.36), (-0.69, -0.06), (-0.72, 0.0), (-0.57, 0.0), (-0.58, -0.08),
     (-0.55, -0.36), (-0.48, -0.48), (-0.40, -0.60)],
    [(0.30, -0.62), (0.37, -0.32), (0.36, -0.06), (0.33, 0.0), (0.48, 0.0), (0.46, -0.08), (0.48, -0.34),
     (0.52, -0.66)],
]  # fmt: skip
_TAIL = [(-0.64, -0.94), (-0.78, -0.90), (-0.86, -0.66), (-0.88, -0.36), (-0.80, -0.30), (-0.76, -0.52), (-0.70, -0.78)]
_MANE = [(0.28, -1.03), (0.44, -1.32), (0.66, -1.54), (0.80, -1.62), (0.72, -1.48), (0.58, -1.28), (0.44, -1.02)]


def sample_photo() -> U8:
    """The sample photo, uint8 [640, 960, 3]."""
    random = np.random.default_rng(_SEED)
    picture = _sky_and_hills(random)
    _grow_grass(picture, random)
    scale, middle = 0.25 * _SIZE[0], (0.40 * _SIZE[1], _FEET * _SIZE[0])
    _shade(picture, scale, middle)
    for points, light in ((_shifted(_LEGS, 0.11), 0.62), (_LEGS, 0.9)):
        for leg in points:
            _paint(picture, leg, _COAT, light, scale, middle, random)
        if light < 0.9:
            _paint(picture, _TAIL, _DARK, 1, scale, middle, random)
            _paint(picture, _TRUNK, _COAT, 1, scale, middle, random)
            _paint(picture, _NECK, _COAT, 1, scale, middle, random)
            _paint(picture, _MANE, _DARK, 1, scale, middle, random)
    _add_eye_and_nostril(picture, scale, middle)
    noise = random.normal(0, 2.5, picture.shape).astype(np.float32)
    return np.asarray((picture + noise).clip(0, 255), np.uint8)


def _sky_and_hills(random: np.random.Generator) -> F32:
    height, width = _SIZE
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.array([118, 164, 214], np.float32) + down * np.array([170, 110, 40], np.float32)
    picture = np.broadcast_to(sky, (height, width, 3)).copy()
    clouds = (
        _smooth_noise(random, (190, 60)) + 0.5 * _smooth_noise(random, (70, 24)) + 0.2 * _smooth_noise(random, (20, 9))
    )
    picture += np.clip(clouds[..., None] + 0.1, 0, 1.6) * 34
    across = np.linspace(0, 2 * np.pi, width)
    for number, colour in enumerate(((122, 146, 158), (98, 128, 104))):
        waves = np.sum([np.sin(across * rate + random.uniform(0, 6)) / rate for rate in (1, 2, 3, 5)], axis=0)
        top = (_HORIZON - 0.10 + 0.06 * number + 0.03 * waves) * height
        below = np.arange(height)[:, None] > top[None]
        texture = _smooth_noise(random, (9, 5)) * 14
        picture[below] = np.array(colour, np.float32) + texture[below][:, None]
    return np.asarray(picture, np.float32)


def _grow_grass(picture: F32, random: np.random.Generator) -> None:
    height, width = _SIZE
    first = round(_HORIZON * height)
    near = np.linspace(0, 1, height - first, dtype=np.float32)[:, None, None]
    patches = (_smooth_noise(random, (40, 14)) * 22 + _smooth_noise(random, (3, 2)) * 12)[first:, :, None]
    picture[first:] = np.array([128, 156, 78], np.float32) - near * np.array([46, 40, 36], np.float32) + patches
    for _ in range(9000):
        depth = random.uniform(0, 1) ** 0.6
        x, y = random.uniform(0, width), first + depth * (height - first)
        length, lean = 2 + 11 * depth, random.normal(0, 2)
        colour = (np.array([112, 146, 62]) - 40 * depth + random.normal(0, 20, 3)).tolist()
        cv2.line(picture, (int(x), int(y)), (int(x + lean), int(y - length)), colour, 1, cv2.LINE_AA)


def _shade(picture: F32, scale: float, middle: tuple[float, float]) -> None:
    """The shadow on the ground."""
    dark = np.zeros(picture.shape[:2], np.float32)
    centre = (round(middle[0] - 0.02 * scale), round(middle[1] + 0.01 * scale))
    cv2.ellipse(dark, centre, (round(0.85 * scale), round(0.10 * scale)), 0, 0, 360, 1, cv2.FILLED)
    picture *= 1 - 0.3 * cv2.GaussianBlur(dark, (0, 0), 7)[..., None]


def _paint(
    picture: F32, points: list[tuple[float, float]], colour: tuple[int, int, int], light: float, scale: float,
    middle: tuple[float, float], random: np.random.Generator,
) -> None:  # fmt: skip
    """A rounded, lit part of the animal."""
    cover = np.zeros(picture.shape[:2], np.float32)
    corners = np.round((np.array(points) * scale + middle) * _FINER).astype(np.int32)
    cv2.fillPoly(cover, [corners], 1, cv2.LINE_AA, round(np.log2(_FINER)))
    cover = np.clip((cv2.GaussianBlur(cover, (0, 0), 3.5) - 0.5) * 3 + 0.5, 0, 1)  # corners become round
    above = cv2.GaussianBlur(np.roll(cover, 16, 0) * cover, (0, 0), 9) / np.maximum(
        cv2.GaussianBlur(cover, (0, 0), 9), 0.1
    )
    lit = light * (1.18 - 0.38 * above.clip(0, 1)) + _smooth_noise(random, (2, 3)) * 0.05
    shown = np.array(colour, np.float32) * lit[..., None]
    picture += cover[..., None] * (shown - picture)


def _add_eye_and_nostril(picture: F32, scale: float, middle: tuple[float, float]) -> None:
    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * scale + middle[0]), round(y * scale + middle[1])

    cv2.circle(picture, at(0.90, -1.34), 3, (20, 14, 12), cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, at(1.06, -1.11), 2, (40, 26, 20), cv2.FILLED, cv2.LINE_AA)


def _shifted(parts: list[list[tuple[float, float]]], by: float) -> list[list[tuple[float, float]]]:
    """The legs of the other side, a little to the right and higher."""
    return [[(x + by, y - 0.03) for x, y in part] for part in parts]


def _smooth_noise(random: np.random.Generator, grain: tuple[int, int]) -> F32:
    """Noise of deviation 1 whose grains are so many pixels wide and high."""
    height, width = _SIZE
    coarse = random.normal(0, 1, (height // grain[1] + 2, width // grain[0] + 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
