"""Copies without seams: pixels with the differences of what is copied, which meet the photo at the rim of the hole.

Perez, Gangnet and Blake, "Poisson image editing" (SIGGRAPH 2003, equations 3 and 7), solved by conjugate gradients over
the hole's pixels alone; from level to level the solution is carried up, so that a few rounds do. Where there is nothing
to copy, colours spread from the rim, along the lines of the photo more than across them (Weickert, "Anisotropic
diffusion in image processing", 1998; here upright and level ones only).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8
from edgegan_widget.photo.pixels import resized

__all__ = ["Copied", "Mesh", "carried", "ease", "smooth_part"]

Bools = np.ndarray
_SIDES = ((0, 1), (1, 0), (0, -1), (-1, 0))  # of each the opposite is two further
_SLOW_SHARE = 0.06  # of the square root of the hole's area
_SMALL = 2.5e-4
_LINES_SHARES = (0.05, 0.15)  # of the square root of the hole's area: from how far lines reach into it
_FAR = 0.01  # what the farther ones count: only where there are no near ones
_LEAST_PX = 0.8
_LEAST_SLOPE = 0.05  # squared, of 255 a pixel: noise


@dataclass(frozen=True, eq=False)
class Copied:
    """What is copied into the hole's N pixels.

    Attributes
    ----------
    start
        float32 [N, 3] in 0..255, the copies; the mean of the rim where nothing is copied.
    steps
        float32 [N, 3], the sum of the differences to the four neighbours that each pixel should have.
    """

    start: F32
    steps: F32


class Mesh:
    """The N pixels of a hole and how they hang together.

    Parameters
    ----------
    inside
        bool [H, W].
    """

    def __init__(self, inside: Bools) -> None:
        self.inside = inside
        self.rows, self.columns = (each.astype(np.int32) for each in np.nonzero(inside))
        number = np.full(inside.shape, -1, np.int32)
        number[inside] = np.arange(len(self.rows), dtype=np.int32)
        self._near = []  # of each side: numbers of neighbours, N where there is none in the hole; whether one is known
        height, width = inside.shape
        for row, column in _SIDES:
            rows, columns = self.rows + row, self.columns + column
            there = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            numbers = number[rows.clip(0, height - 1), columns.clip(0, width - 1)]
            within = there & (numbers >= 0)
            self._near.append((np.where(within, numbers, len(self.rows)), there & ~within))
        self._degree = sum((near < len(self.rows)).astype(np.float32) + known for near, known in self._near)[:, None]

    def __len__(self) -> int:
        return len(self.rows)

    def copied(self, photo_u8: U8, shifts: np.ndarray) -> Copied:
        """What shifts int32 [H, W, 2] bring into the hole."""
        own = shifts[self.rows, self.columns]
        start, known = self._read(photo_u8, own, (0, 0))
        beside = [self._read(photo_u8, own, side) for side in _SIDES]
        ahead = [np.where((known & ok)[:, None], start - found, 0) for found, ok in beside]
        steps = np.zeros_like(start)
        for side, (near, outside) in enumerate(self._near):
            theirs = -_at(ahead[(side + 2) % 4], near)  # the same difference as the neighbour's copy has it
            both = (near < len(self))[:, None]
            steps += np.where(both, (ahead[side] + theirs) / 2, 0) + ahead[side] * outside[:, None]
        start[~known] = start[known].mean(0) if known.any() else photo_u8[~self.inside].mean(0)
        return Copied(start, steps)

    def _read(self, photo_u8: U8, own: np.ndarray, side: tuple[int, int]) -> tuple[F32, Bools]:
        """The photo beside where pixels are copied from, [N, 3], and whether it is known there."""
        height, width = self.inside.shape
        rows, columns = self.rows + own[:, 0] + side[0], self.columns + own[:, 1] + side[1]
        in_rows, in_columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
        known = (rows == in_rows) & (columns == in_columns) & ~self.inside[in_rows, in_columns]
        return photo_u8[in_rows, in_columns].astype(np.float32), known

    def solve(self, photo_u8: U8, copied: Copied, detail: Any, guess: F32, rounds: int) -> F32:
        """The hole's pixels, float32 [N, 3], with ``detail`` (0..1, or float32 [N, 1]) of the copies'
        differences; ``guess`` float32 [N, 3] is where the conjugate gradients begin.
        """
        return self._solved(detail * copied.steps + self._rim(photo_u8), guess, rounds)

    def spread(self, photo_u8: U8, ease: F32, guess: F32, rounds: int) -> F32:
        """Colours that spread from the rim into the hole, float32 [N, 3].

        ``ease`` float32 [H, W, 2] is how easily they pass to the right and down from each pixel.
        """
        towards = []
        for row, column in _SIDES:
            rows, columns = self.rows + min(row, 0), self.columns + min(column, 0)  # the upper or left of each pair
            towards.append(ease[rows.clip(0), columns.clip(0), abs(row)][:, None])
        return self._solved(self._rim(photo_u8, towards), guess, rounds, towards)

    def _solved(self, wanted: F32, guess: F32, rounds: int, towards: list[F32] | None = None) -> F32:
        """Conjugate gradients, with the diagonal as preconditioner where colours spread unevenly."""
        degree = self._degree if towards is None else self._weighted_degree(towards)
        found = guess.astype(np.float32, copy=True)
        left = wanted - self._apply(found, degree, towards)
        way = left / degree
        size = (left * way).sum(0)
        for _ in range(rounds):
            if float(size.max()) <= _SMALL * len(self):
                break
            turned = self._apply(way, degree, towards)
            length = size / np.maximum((way * turned).sum(0), 1e-9)
            found += length * way
            left = left - length * turned
            eased = left / degree
            size, before = (left * eased).sum(0), size
            way = eased + size / np.maximum(before, 1e-9) * way
        return found

    def _weighted_degree(self, towards: list[F32]) -> F32:
        there = ((near < len(self)) | known for near, known in self._near)
        return np.asarray(sum(passes * each[:, None] for passes, each in zip(towards, there)), np.float32)

    def _rim(self, photo_u8: U8, towards: list[F32] | None = None) -> F32:
        total = np.zeros((len(self), 3), np.float32)
        for side, ((row, column), (_, known)) in enumerate(zip(_SIDES, self._near)):
            beside = photo_u8[self.rows[known] + row, self.columns[known] + column]
            total[known] += beside if towards is None else towards[side][known] * beside
        return total

    def _apply(self, values: F32, degree: F32, towards: list[F32] | None) -> F32:
        result = degree * values
        for side, (near, _) in enumerate(self._near):
            result -= _at(values, near) if towards is None else towards[side] * _at(values, near)
        return np.asarray(result, np.float32)

    def plane(self, values: F32) -> F32:
        """Values [N, C] where they are in the photo, float32 [H, W, C], 0 elsewhere."""
        found = np.zeros((*self.inside.shape, values.shape[1]), np.float32)
        found[self.rows, self.columns] = values
        return found

    def painted(self, photo_u8: U8, values: F32) -> U8:
        """The photo with values [N, 3] in 0..255 in the hole."""
        result: U8 = photo_u8.copy()
        result[self.rows, self.columns] = np.round(values).clip(0, 255).astype(np.uint8)
        return result


def _at(values: F32, numbers: np.ndarray) -> F32:
    """Rows of values; 0 for the number after the last."""
    return np.asarray(np.concatenate([values, np.zeros_like(values[:1])])[numbers], np.float32)


def carried(values: F32, before: Mesh, mesh: Mesh) -> F32:
    """Values of the mesh before, [M, C], at a larger one's pixels, [N, C]; between pixels they change evenly."""
    size = mesh.inside.shape[1::-1]
    spread = resized(before.plane(np.concatenate([values, np.ones((len(values), 1), np.float32)], 1)), size)
    found = spread[mesh.rows, mesh.columns]
    return np.asarray(found[:, :-1] / np.maximum(found[:, -1:], 1e-3), np.float32)


def ease(photo_u8: U8, inside: Bools) -> F32:
    """How easily colours pass to the right and down from each pixel, float32 [H, W, 2], the larger one 1.

    It is the less, the more the known pixels nearby differ in that direction: the likeliest surface where differences
    are normally distributed with their measured variances.
    """
    photo = photo_u8.astype(np.float32)
    known = (cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0).astype(np.float32)
    slopes = [cv2.Sobel(photo, cv2.CV_32F, 1 - down, down, ksize=3, scale=1 / 8) for down in (0, 1)]
    planes = np.dstack([(slope**2).mean(2) * known for slope in slopes] + [known])
    sigmas = [max(_LEAST_PX, share * float(inside.sum()) ** 0.5) for share in _LINES_SHARES]
    near, far = (cv2.GaussianBlur(planes, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) for sigma in sigmas)
    near += _FAR * far
    variances = near[..., :2] / np.maximum(near[..., 2:], 1e-9) + _LEAST_SLOPE
    return np.asarray(variances.min(2, keepdims=True) / variances, np.float32)


def smooth_part(values: F32, mesh: Mesh) -> F32:
    """What of values [N, 3] changes slowly, down to nothing at the rim."""
    sigma = max(1.0, _SLOW_SHARE * len(mesh) ** 0.5)
    spread = cv2.GaussianBlur(mesh.plane(values), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(mesh.inside.astype(np.uint8), cv2.DIST_L2, 5)
    near = np.minimum(1, depth / (2 * sigma)).astype(np.float32)[..., None]
    return np.asarray((spread * near)[mesh.rows, mesh.columns], np.float32)
