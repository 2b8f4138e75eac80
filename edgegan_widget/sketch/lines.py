"""Shapes of lines: corners that are left of one, the curve through them, and what stands for it.

Lines are float32 [points, 2], x and y; a closed one ends where it begins.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import F32

__all__ = ["box", "in_box", "one_way", "ring", "rounded", "simplified", "swept", "turns"]

_SAMPLES = 8  # points of a curve between two corners


def box(lines: list[F32]) -> tuple[F32, F32]:
    """The least and greatest x and y of all lines."""
    every = np.concatenate(lines)
    return every.min(axis=0), every.max(axis=0)


def in_box(line: F32, middle: F32, side: float) -> F32:
    """From -0.5 to 0.5 along the longer side of a box that is ``side`` long."""
    return np.asarray((line - middle) / side, np.float32)


def one_way(line: F32) -> F32:
    """One way of a line that :func:`~edgegan_widget.sketch.contours.lines_apart` goes there and back."""
    points = line[:-1] if len(line) > 1 else line
    if len(points) < 3:
        return points
    away = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
    one = int(away.argmax())
    other = int(((points - points[one]) ** 2).sum(axis=1).argmax())
    first, last = min(one, other), max(one, other)
    there, back = points[first : last + 1], np.concatenate([points[last:], points[: first + 1]])
    return there if len(there) <= len(back) else back


def rounded(line: F32, reach: float, closed: bool) -> F32:
    """What is narrower than ``reach`` is lost, as one loses it who draws a shape in few sweeps."""
    step = float(np.hypot(*np.diff(line, axis=0).T).mean())
    sigma = reach / max(step, 1e-6)
    if sigma < 0.5 or len(line) < 8:
        return line
    body = line[:-1] if closed else line
    wide = min(int(3 * sigma), len(body) - 1)
    around = ((wide, wide), (0, 0))
    padded = np.pad(body, around, "wrap") if closed else np.pad(body, around, "reflect", reflect_type="odd")
    smooth = cv2.GaussianBlur(padded, (1, 0), sigmaX=0.01, sigmaY=sigma)[wide : wide + len(body)]
    return np.asarray(np.concatenate([smooth, smooth[:1]]) if closed else smooth, np.float32)


def simplified(line: F32, tolerance: float) -> F32:
    """The corners that are left of a line after Douglas and Peucker; a closed one still ends where it began."""
    if tolerance < 1e-4 or len(line) < 3:
        return line
    return np.asarray(cv2.approxPolyDP(line[:, None], tolerance, False)[:, 0], np.float32)


def ring(line: F32) -> F32:
    """An ellipse in place of what is round."""
    low, high = line.min(axis=0), line.max(axis=0)
    angle = np.linspace(0, 2 * np.pi, 9)
    ellipse = (low + high) / 2 + np.stack([np.cos(angle), np.sin(angle)], axis=1) * (high - low) / 2
    return np.asarray(ellipse, np.float32)


def turns(corners: F32, closed: bool) -> npt.NDArray[np.float64]:
    """Cosine of the turn at each corner, -1 where the line goes back; 1 at open ends."""
    steps = np.diff(corners.astype(np.float64), axis=0, append=corners[:1])
    steps /= np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-6)[:, None]
    cosines = (steps * np.roll(steps, 1, axis=0)).sum(axis=1)
    if not closed:
        cosines[[0, -1]] = 1
    return np.asarray(cosines, np.float64)


def swept(corners: F32, corner: float) -> F32:
    """Hermite curves through corners, each half at a sharp corner leaving straight."""
    count = len(corners)
    if count == 2:
        return corners
    steps = np.diff(corners, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-6)
    units = steps / lengths[:, None]
    middle = units[:-1] + units[1:]
    middle /= np.maximum(np.hypot(middle[:, 0], middle[:, 1]), 1e-6)[:, None]
    closed = bool(np.hypot(*(corners[0] - corners[-1])) < 1e-3) and corner <= -1
    seam = units[-1:] + units[:1]
    ends = (seam / max(float(np.hypot(*seam[0])), 1e-6),) * 2 if closed else (units[:1], units[-1:])
    leaving, arriving = np.concatenate([ends[0], middle]), np.concatenate([middle, ends[1]])
    sharp = (units[:-1] * units[1:]).sum(axis=1) < corner
    if sharp.any():
        leaving[1:][sharp], arriving[:-1][sharp] = units[1:][sharp], units[:-1][sharp]
    t = np.linspace(0, 1, _SAMPLES, endpoint=False)[None, :, None]
    start, end = corners[:-1, None], corners[1:, None]
    out, into = (direction[:, None] * lengths[:, None, None] for direction in (leaving, arriving))
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * start + (t**3 - 2 * t**2 + t) * out
        + (3 * t**2 - 2 * t**3) * end + (t**3 - t**2) * into
    )  # fmt: skip
    return np.concatenate([curve.reshape(-1, 2), corners[-1:]]).astype(np.float32)
