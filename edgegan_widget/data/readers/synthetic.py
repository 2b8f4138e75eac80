"""A sample data set drawn by code, to try everything with before there is any photo. SYNTHETIC: no picture is real.

Five classes with inner parts, texture, light from one side, poses and colours; the same for the same seed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.settings import setting
from edgegan_widget.base.units import F32, U8
from edgegan_widget.data.readers import ReaderKind, register
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.sources import Source

__all__ = ["SYNTHETIC_CLASSES", "SyntheticReader", "draw_photos", "draw_synthetic"]

Points = npt.NDArray[np.float64]  # [N, 2], x and y, the picture being from -1 to 1

SIDE_PX = 256
LICENCE = "synthetic: drawn by edgegan-widget's own code, free to use"
_DRAWN_AT_PX = 2 * SIDE_PX
_MOST_COUNT = 100_000
_DRAWN_AT_ONCE = 10  # pictures of each class


class _Canvas:
    """Parts of an object, painted one over the other, each lit as if it were round."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.colour = np.zeros((_DRAWN_AT_PX, _DRAWN_AT_PX, 3), np.float32)
        self.alpha = np.zeros((_DRAWN_AT_PX, _DRAWN_AT_PX), np.float32)

    def fill(self, points: Points, colour: npt.ArrayLike, pattern: F32 | None = None) -> None:
        """Paint an area; ``pattern`` [H, W] darkens it."""
        mask = np.zeros(self.alpha.shape, np.uint8)
        cv2.fillPoly(mask, [_pixels(points)], 255, cv2.LINE_AA, 4)
        self._paint(mask, colour, pattern)

    def line(self, points: Points, colour: npt.ArrayLike, width: float) -> None:
        """Paint a line ``width`` wide."""
        mask = np.zeros(self.alpha.shape, np.uint8)
        cv2.polylines(mask, [_pixels(points)], False, 255, max(1, round(width * _DRAWN_AT_PX / 2)), cv2.LINE_AA, 4)
        self._paint(mask, colour, None)

    def _paint(self, mask: U8, colour: npt.ArrayLike, pattern: F32 | None) -> None:
        left, top, wide, high = cv2.boundingRect(mask)
        box = np.s_[top : top + high, left : left + wide]
        mask = np.pad(mask[box], 1)  # the rim of the part is its foot
        height = cv2.GaussianBlur(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3), (0, 0), 5)
        height = np.sqrt(np.maximum(height, 0) * 25)
        slopes = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
        light = np.clip(0.85 + 0.09 * slopes, 0.45, 1.15)[1:-1, 1:-1]
        light *= self.random.normal(1, 0.025, light.shape).astype(np.float32)  # grain
        painted = np.asarray(colour, np.float32) * (light * (1 if pattern is None else pattern[box]))[..., None]
        weight = mask[1:-1, 1:-1] / np.float32(255)
        self.colour[box] += (painted - self.colour[box]) * weight[..., None]
        self.alpha[box] = np.maximum(self.alpha[box], weight)

    def posed(self) -> U8:
        """Turned, scaled, mirrored and sheared a little; uint8 [SIDE_PX, SIDE_PX, 4], RGB and alpha."""
        random = self.random
        turn, shear = random.normal(0, 0.18), random.normal(0, 0.08)
        scale = random.uniform(0.75, 0.95)
        mirror = random.choice((-1.0, 1.0))
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        pose = scale * turned @ np.array([[mirror, shear], [0, random.uniform(0.85, 1.1)]])
        centre = np.full(2, _DRAWN_AT_PX / 2)
        matrix = np.column_stack([pose, centre - pose @ centre])
        layers = np.dstack([np.clip(self.colour, 0, 255), self.alpha * 255]).astype(np.float32)
        moved = cv2.warpAffine(layers, matrix, (_DRAWN_AT_PX, _DRAWN_AT_PX))
        return np.asarray(cv2.resize(moved, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).round(), np.uint8)


def _pixels(points: Points) -> npt.NDArray[np.int32]:
    """In sixteenths of a pixel, as OpenCV wants them."""
    return np.asarray(np.round((points + 1) / 2 * _DRAWN_AT_PX * 16), np.int32)


def _curve(*corners: tuple[float, float], closed: bool = True) -> Points:
    """A smooth line through the corners (Catmull and Rom)."""
    points = np.array(corners, np.float64)
    padded = (
        np.concatenate([points[-1:], points, points[:2]])
        if closed
        else np.concatenate([points[:1], points, points[-1:]])
    )
    t = np.linspace(0, 1, 16, endpoint=False)[:, None]
    pieces = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:]):
        pieces.append(
            0.5 * (2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
                   + (3 * start - before - 3 * end + after) * t**3)
        )  # fmt: skip
    return np.concatenate([*pieces, points[-1:]])


def _oval(x: float, y: float, wide: float, high: float) -> Points:
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.column_stack([x + wide * np.cos(turn), y + high * np.sin(turn)])


@functools.cache
def _grid() -> tuple[F32, F32]:
    side = np.linspace(-1, 1, _DRAWN_AT_PX, dtype=np.float32)
    x, y = np.meshgrid(side, side)
    return x, y


def _stripes(along: npt.NDArray[np.floating[Any]], period: float, depth: float) -> F32:
    return np.asarray(1 - depth * (np.sin(along * 2 * np.pi / period) > 0.2), np.float32)


def _colour(random: np.random.Generator, hue: tuple[float, float], light: tuple[float, float] = (150, 235)) -> Points:
    """A colour with a hue (0..1, may pass 1) and a value in these ranges."""
    shade = np.array([[[int(random.uniform(*hue) * 180) % 180, random.uniform(120, 220), random.uniform(*light)]]])
    return np.asarray(cv2.cvtColor(shade.astype(np.uint8), cv2.COLOR_HSV2RGB)[0, 0], np.float64)


def _fish(canvas: _Canvas) -> None:
    random, (x, y) = canvas.random, _grid()
    body, fin = _colour(random, (0.0, 1.0)), _colour(random, (0.0, 1.0))
    high = random.uniform(0.3, 0.48)
    fork = random.uniform(0.2, 0.4)
    canvas.fill(_curve((0.45, 0), (0.92, -fork), (0.8, 0), (0.92, fork)), fin, _stripes(y + 0.4 * x, 0.07, 0.18))
    canvas.fill(_curve((-0.35, -high + 0.1), (0.0, -high - 0.25), (0.35, -0.2)), fin, _stripes(x, 0.06, 0.2))
    canvas.fill(_curve((-0.1, high - 0.1), (0.15, high + 0.2), (0.25, high - 0.15)), fin, _stripes(x, 0.06, 0.2))
    coat = random.choice(3)
    scales = 1 - 0.22 * (np.sin(x * 55) * np.sin(y * 55) > 0.3)
    pattern = (_stripes(x + 0.15 * np.sin(5 * y), random.uniform(0.18, 0.3), 0.45), scales, _stripes(y, 0.2, 0.35))
    canvas.fill(_curve((-0.85, 0.02), (-0.35, -high), (0.3, -0.2), (0.55, 0), (0.3, 0.2), (-0.35, high)), body,
                np.asarray(pattern[coat], np.float32))  # fmt: skip
    canvas.line(_curve((-0.5, -high * 0.6), (-0.42, 0), (-0.5, high * 0.6), closed=False), body * 0.4, 0.025)
    canvas.fill(_oval(-0.63, -0.08, 0.07, 0.07), (245, 245, 240))
    canvas.fill(_oval(-0.64, -0.08, 0.035, 0.035), (20, 20, 25))
    canvas.line(_curve((-0.84, 0.08), (-0.74, 0.1), closed=False), body * 0.3, 0.02)


def _mushroom(canvas: _Canvas) -> None:
    random, (x, y) = canvas.random, _grid()
    cap, wide, tall = _colour(random, (0.95, 1.15)), random.uniform(0.55, 0.85), random.uniform(0.35, 0.7)
    stem = _colour(random, (0.08, 0.14), (200, 240)) * 0.5 + 110
    bend = random.normal(0, 0.1)
    canvas.fill(_curve((-0.16, -0.1), (0.16, -0.1), (0.15 + bend, 0.5), (0.26 + bend, 0.85), (-0.26 + bend, 0.85),
                       (-0.15 + bend, 0.5)), stem, _stripes(x + 0.03 * np.sin(9 * y), 0.06, 0.12))  # fmt: skip
    canvas.fill(_oval(0, -0.08, wide * 0.96, 0.16), stem * 0.85, _stripes(np.arctan2(y + 0.3, x), 0.1, 0.3))
    side, shoulder = wide * 0.7, -0.08 - tall * 0.8
    dome = _curve((-wide, -0.08), (-side, shoulder), (0, -0.08 - tall), (side, shoulder), (wide, -0.08), (0, -0.02))
    canvas.fill(dome, cap)
    for _ in range(random.integers(5, 12)):
        at = random.uniform(-0.7, 0.7) * wide
        top = (1 - (at / wide) ** 2) * tall
        size = random.uniform(0.03, 0.09)
        canvas.fill(_oval(at, -0.12 - random.uniform(0.1, 0.8) * top, size, size * 0.8), (245, 240, 225))
    canvas.fill(_curve((-0.2, 0.2), (0.2, 0.2), (0.28, 0.34), (-0.28, 0.34)), stem * 0.95, _stripes(x, 0.05, 0.2))


def _cactus(canvas: _Canvas) -> None:
    random, (x, y) = canvas.random, _grid()
    green, pot = _colour(random, (0.25, 0.42), (110, 200)), _colour(random, (0.0, 0.6))
    ribs = _stripes(x, 0.085, 0.28) * (1 - 0.25 * ((np.sin(x * 75) > 0.9) & (np.sin(y * 40) > 0.4)))
    wide = random.uniform(0.17, 0.26)
    for side in (-1, 1):
        if random.uniform() < 0.8:
            low, top, reach = random.uniform(-0.2, 0.15), random.uniform(-0.65, -0.3), random.uniform(0.42, 0.6)
            canvas.line(_curve((0, low), (side * reach * 0.8, low), (side * reach, top), closed=False), green, 0.2)
            canvas.line(_curve((side * reach * 0.85, low - 0.02), (side * reach, top), closed=False), green * 0.7, 0.03)
    canvas.fill(
        _curve((-wide, 0.4), (-wide, -0.5), (0, -0.85), (wide, -0.5), (wide, 0.4)), green, ribs.astype(np.float32)
    )
    if random.uniform() < 0.6:
        for turn in np.linspace(0, 2 * np.pi, 7):
            canvas.fill(
                _oval(0.09 * np.cos(turn), -0.85 + 0.07 * np.sin(turn), 0.07, 0.06), _colour(random, (0.85, 0.98))
            )
    band = 1 - 0.35 * ((np.abs(y - 0.65) < 0.07) & (np.sin(x * 30 + 12 * np.abs(y - 0.65) * 10) > 0))
    canvas.fill(_curve((-0.36, 0.38), (0.36, 0.38), (0.26, 0.9), (-0.26, 0.9)), pot, band.astype(np.float32))
    canvas.fill(_curve((-0.42, 0.34), (0.42, 0.34), (0.42, 0.46), (-0.42, 0.46)), pot * 0.9)


def _snail(canvas: _Canvas) -> None:
    random, (x, y) = canvas.random, _grid()
    body, shell = _colour(random, (0.05, 0.2), (130, 210)), _colour(random, (0.0, 1.0))
    for reach in (0.0, 0.13):
        tip = (-0.82 - reach + random.normal(0, 0.04), -0.38 + random.normal(0, 0.05))
        canvas.line(_curve((-0.68, 0.1), (-0.75, -0.1), tip, closed=False), body * 0.9, 0.04)
        canvas.fill(_oval(*tip, 0.045, 0.045), (30, 25, 25))
    speckles = 1 - 0.25 * ((np.sin(x * 43 + 4 * y) * np.sin(y * 51)) > 0.4)
    head, tail = ((-0.85, 0.15), (-0.65, 0.02), (-0.45, 0.35)), ((0.4, 0.45), (0.92, 0.62), (0.3, 0.68), (-0.7, 0.66))
    canvas.fill(_curve(*head, *tail), body, speckles.astype(np.float32))
    size = random.uniform(0.42, 0.55)
    centre = (0.1, 0.5 - size)
    far, turn = np.hypot(x - centre[0], y - centre[1]), np.arctan2(y - centre[1], x - centre[0])
    bands = _stripes(turn + 14 * far, random.uniform(0.25, 0.6), random.uniform(0.1, 0.3))
    canvas.fill(_oval(*centre, size, size * random.uniform(0.85, 1.0)), shell, bands)
    along = np.linspace(0.3, 3 * 2 * np.pi, 120)
    spiral = np.column_stack([np.cos(along), np.sin(along)]) * (size * along / along[-1])[:, None] * 0.97 + centre
    canvas.line(spiral, shell * 0.35, 0.03)


def _balloon(canvas: _Canvas) -> None:
    random, (x, y) = canvas.random, _grid()
    first, second, basket = _colour(random, (0, 1)), _colour(random, (0, 1)), _colour(random, (0.04, 0.1), (110, 170))
    wide = random.uniform(0.5, 0.68)
    for side in (-1, -0.35, 0.35, 1):
        canvas.line(np.array([[side * 0.3, 0.3], [side * 0.14, 0.72]]), (70, 60, 50), 0.02)
    outline = _curve((0, -0.92), (wide, -0.4), (0.32, 0.25), (0.1, 0.42), (-0.1, 0.42), (-0.32, 0.25), (-wide, -0.4))
    canvas.fill(outline, first, 1 - 0.12 * (np.abs(np.sin(y * 18)) > 0.97).astype(np.float32))
    for inner, outer in ((0.12, 0.36), (0.62, 0.86)):
        for side in (-1, 1):
            panel = [side * inner, side * outer]
            shape = outline[np.argsort(outline[:, 1])]
            edge = np.array([[0, -0.92], *(row for row in shape[::12] if -0.9 < row[1] < 0.4), [0.1, 0.42]])
            width = np.abs(edge[:, 0])
            ring = np.concatenate([np.column_stack([panel[0] * width, edge[:, 1]]),
                                   np.column_stack([panel[1] * width, edge[:, 1]])[::-1]])  # fmt: skip
            canvas.fill(ring, second)
    weave = 1 - 0.3 * ((np.sin(x * 90) > 0) ^ (np.sin(y * 90) > 0))
    canvas.fill(_curve((-0.17, 0.68), (0.17, 0.68), (0.14, 0.92), (-0.14, 0.92)), basket, weave.astype(np.float32))


_DRAWERS: dict[str, Callable[[_Canvas], None]] = {
    "balloon": _balloon, "cactus": _cactus, "fish": _fish, "mushroom": _mushroom, "snail": _snail,
}  # fmt: skip
SYNTHETIC_CLASSES = tuple(_DRAWERS)


def draw_synthetic(label: str, seed: int, number: int) -> U8:
    """Picture ``number`` of a class: uint8 [256, 256, 4], RGB and alpha, a function of its arguments only."""
    if label not in _DRAWERS:
        raise ConfigError(f"there is no synthetic class {label!r}; there are {', '.join(SYNTHETIC_CLASSES)}.")
    canvas = _Canvas(np.random.default_rng([seed, SYNTHETIC_CLASSES.index(label), number]))
    _DRAWERS[label](canvas)
    return canvas.posed()


def draw_photos(folder: Path, count: int, seed: int = 0) -> None:
    """Write ``count`` pictures of each class as ``<folder>/<class>/*.png``; those that are there stay."""
    if not 1 <= count <= _MOST_COUNT:
        raise ConfigError(f"count is {count}; it must be from 1 to {_MOST_COUNT:,}.")
    for label in SYNTHETIC_CLASSES:
        for number in range(count):
            path = folder / label / f"synthetic_{label}_{seed}_{number:05}.png"
            if not path.exists():
                picture = draw_synthetic(label, seed, number)
                _, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))
                write_bytes(path, bytes(content))


class SyntheticReader(FolderReader):
    """Sources of what :func:`draw_photos` wrote."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, licence=LICENCE)

    def __iter__(self) -> Iterator[Source]:
        return super().__iter__()


@dataclass(frozen=True)
class SyntheticOptions:
    """What is to be drawn."""

    count: int = setting(60, "of each of the five classes, drawn by code", label="Pictures")
    seed: int = setting(0, "another number draws other pictures")


def _drawn(data: Path) -> Path:
    return data / ".synthetic"


def _draw(options: SyntheticOptions, data: Path) -> Iterator[None]:
    for upto in [*range(_DRAWN_AT_ONCE, options.count, _DRAWN_AT_ONCE), options.count]:
        yield
        draw_photos(_drawn(data), upto, options.seed)


# Made to be tried with: what the audit would refuse is marked, and kept.
register(
    ReaderKind(
        "synthetic", "Synthetic sample", "sample",
        "draw a small data set by code: synthetic pictures to try everything with", SyntheticOptions,
        lambda options, data: SyntheticReader(_drawn(data)), before=_draw, keeps_refused=True,  # noqa: ARG005
        doing="Drawing the sample",
    )
)  # fmt: skip
