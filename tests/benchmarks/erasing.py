"""Taking away: how near a filled hole comes to what was there, and what that costs in time and memory.

Holes have the outlines of objects of other photos, cover 5 to 25 % of the photo, and lie where only background is.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.base.units import U8
from edgegan_widget.photo import erase
from tests.benchmarks import drawing

Figures = dict[str, Any]
Bools = np.ndarray
HOLES = 30
SHARES = (0.05, 0.07, 0.09, 0.12, 0.15, 0.18, 0.21, 0.24)
_PLACES = 40  # that are tried for each hole
_APART_PX = 3  # from objects
_TIMED = ((640, 480, 3.0, None), (4000, 3000, 15.0, 1500.0))  # width, height, and the bars in seconds and MB


def rows(images: Path | None, annotations: Path | None) -> list[Figures]:
    """All figures; without photos only what drawn ones tell."""
    found = []
    if images is None or annotations is None:
        found.append(drawing.skipped("nearer than telea", "give photos of COCO with --images and --annotations"))
    else:
        found += _nearness(images, annotations)
    for width, height, most_s, most_mb in _TIMED:
        seconds, megabytes = _measured(width, height)
        size = f"{width}x{height}, a hole of 15 %"
        found.append({"name": f"erase, {size}", "value": seconds, "unit": "s", "bar": most_s})
        found.append({"name": f"its most memory, {size}", "value": megabytes, "unit": "MB", "bar": most_mb})
    return found


def _nearness(images: Path, annotations: Path) -> list[Figures]:
    gains: dict[str, list[float]] = {"shiftmap": [], "shiftmap, objects marked": [], "telea": []}
    for photo, hole, objects in holes(images, annotations):
        least = decibels(erase(photo, hole, "telea", grow_px=0), photo, hole)
        gains["telea"].append(least)
        for name, never in (("shiftmap", None), ("shiftmap, objects marked", objects)):
            gains[name].append(decibels(erase(photo, hole, grow_px=0, never=never), photo, hole) - least)
    count = len(gains.pop("telea")) if gains["telea"] else 0
    return [
        {"name": f"{name}: nearer than telea, {count} holes", "value": float(np.mean(each)), "unit": "dB", "bar": 1.0}
        for name, each in gains.items()
    ]


def decibels(filled: U8, photo: U8, hole: Bools) -> float:
    """The peak signal-to-noise ratio in the hole."""
    error = float(((filled[hole].astype(float) - photo[hole]) ** 2).mean())
    return 10 * float(np.log10(255**2 / max(1e-9, error)))


def holes(images: Path, annotations: Path, most: int = HOLES, seed: int = 0) -> Iterator[tuple[U8, Bools, Bools]]:
    """Photos, each with a hole in its background and its objects."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(annotations))
    random, names = np.random.default_rng(seed), sorted(coco.imgs)
    count = 0
    for name in random.permutation(names):
        objects = _objects(coco, name)
        near = cv2.dilate(objects.astype(np.uint8), np.ones((2 * _APART_PX + 1,) * 2, np.uint8)) > 0
        hole = _hole(coco, names, near, random)
        if hole is not None and count < most:
            count += 1
            yield picture_rgb_u8(images / coco.imgs[name]["file_name"]), hole, near & ~hole


def _objects(coco: Any, name: Any) -> Bools:
    told = coco.imgs[name]
    masks = [coco.annToMask(each) > 0 for each in coco.loadAnns(coco.getAnnIds(imgIds=[name]))]
    return np.any([np.zeros((told["height"], told["width"]), bool), *masks], axis=0)


def _hole(coco: Any, names: list[Any], taken: Bools, random: np.random.Generator) -> Bools | None:
    height, width = taken.shape
    for share in random.permutation(SHARES):
        outline = _objects(coco, random.choice(names))
        if not outline.any():
            continue
        rows, columns = np.nonzero(outline)
        cut = outline[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.uint8)
        scale = float(np.sqrt(share * taken.size / cut.sum()))
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST) > 0
        if cut.shape[0] >= height - 4 or cut.shape[1] >= width - 4:
            continue
        for _ in range(_PLACES):
            top, left = random.integers(2, height - cut.shape[0] - 1), random.integers(2, width - cut.shape[1] - 1)
            hole = np.zeros_like(taken)
            hole[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
            if not (hole & taken).any():
                return hole
    return None


def _measured(width: int, height: int) -> tuple[float, float]:
    """Seconds and megabytes in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (width, height))


def _measure(width: int, height: int) -> tuple[float, float]:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    photo = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, height // 2), (round(0.2523 * width), round(0.1893 * height)), 0, 0, 360, 255, -1)
    began = time.perf_counter()
    erase(photo, mask)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
