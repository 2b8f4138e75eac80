"""Cutting out: the network's scores on photos it has not seen, its speed, the reader's, and what three strokes mend;
and what taking away costs, see :mod:`tests.benchmarks.erasing`.

The photos are those of a folder as ``train-cutout`` takes it, of which the last 500 by name were kept for testing.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgegan_widget.base.units import F32, U8
from edgegan_widget.data.readers.photos import PhotoOptions, cut_all
from edgegan_widget.photo import cut_out, mend
from edgegan_widget.photo.finders import load_finder
from edgegan_widget.photo.refine import refine
from edgegan_widget.training.cutout.pairs import Pair, find_pairs
from edgegan_widget.training.cutout.scores import score_masks
from tests.benchmarks import drawing, erasing

Figures = dict[str, Any]
Bools = np.ndarray
KEPT = 500
STROKES = 3
READ = 100  # photos that the reader is timed with
_BRUSH = 0.6  # of what fits where the stroke is widest
_LEAST_BRUSH_PX = 1


def run(pairs: Path | None, most: int, model: str | None, images: Path | None, annotations: Path | None) -> Figures:
    """All figures, those of cutting out on at most ``most`` of the kept pairs, evenly spread; what lacks its photos is
    skipped.
    """
    if pairs is None:
        cutting = [drawing.skipped("cutting out", "give photos with masks with --pairs")]
    else:
        cutting = _cutting_rows(pairs, most, model)
    rows = [*cutting, *erasing.rows(images, annotations)]
    return {"machine": drawing.machine("CPU; the network on one thread"), "rows": rows}


def _cutting_rows(folder: Path, most: int, model: str | None) -> list[Figures]:
    _, kept = find_pairs(folder, KEPT)
    pairs = kept[:: max(1, len(kept) // most)]
    finder = load_finder(model)
    likely = [finder(pair.read()[0]) for pair in pairs]
    return [*_scores(pairs, likely), *_times(pairs, finder, model), _reader(pairs, model), *_mended(pairs, likely)]


def _row(name: str, value: float, unit: str, bar: float | None = None) -> Figures:
    return {"name": name, "value": value, "unit": unit, "bar": bar}


def _scores(pairs: Sequence[Pair], likely: Sequence[F32]) -> list[Figures]:
    rows = []
    ways: dict[str, Callable[[U8, F32], F32]] = {"network": lambda _, found: found, "refined": refine}
    for name, way in ways.items():
        score = score_masks((way(photo, found), mask) for (photo, mask), found in zip(map(Pair.read, pairs), likely))
        rows += [
            _row(f"{name}: mean absolute error, {score.count} photos", score.mae, "", 0.06),
            _row(f"{name}: max F (beta squared 0.3)", score.max_f, "", 0.86),
            _row(f"{name}: IoU at 0.5", score.iou, ""),
        ]
    return rows


def _times(pairs: Sequence[Pair], finder: Callable[[U8], F32], model: str | None) -> list[Figures]:
    photos = [pair.read()[0] for pair in pairs[:60]]
    large = cv2.resize(photos[0], (4000, 3000), interpolation=cv2.INTER_CUBIC)
    return [
        _row("network alone, a photo", _milliseconds(finder, photos), "ms", 60),
        _row("cut_out, a photo of 192 pixels", _milliseconds(lambda photo: cut_out(photo, model=model), photos), "ms"),
        _row("cut_out, 12 megapixels", _milliseconds(lambda photo: cut_out(photo, model=model), [large] * 3), "ms"),
    ]


def _milliseconds(work: Callable[[U8], object], photos: Sequence[U8]) -> float:
    times = []
    for photo in photos:
        began = time.perf_counter()
        work(photo)
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times)


def _reader(pairs: Sequence[Pair], model: str | None) -> Figures:
    with tempfile.TemporaryDirectory() as root:
        photos = Path(root, "photos", "thing")
        photos.mkdir(parents=True)
        for pair in pairs[:READ]:
            shutil.copy(pair.photo, photos)
        options = PhotoOptions(folder=str(photos.parent), cutout=model or "")
        began = time.perf_counter()
        count = len(list(cut_all(options, Path(root, "data"))))
        return _row("reader, photos a second", count / (time.perf_counter() - began), "/s", 10)


def _mended(pairs: Sequence[Pair], likely: Sequence[F32]) -> list[Figures]:
    """IoU with the true mask before and after each stroke."""
    overlaps: list[list[float]] = [[] for _ in range(STROKES + 1)]
    times = []
    for pair, found in zip(pairs, likely):
        photo, mask = pair.read()
        inside, alpha = mask >= 128, refine(photo, found)
        for strokes in range(STROKES + 1):
            overlaps[strokes].append(overlap(alpha >= 0.5, inside))
            drawn = person_strokes(alpha >= 0.5, inside)
            if drawn is None or strokes == STROKES:
                continue
            began = time.perf_counter()
            alpha = mend(photo, alpha, **drawn)
            times.append(1e3 * (time.perf_counter() - began))
    rows = [
        _row(f"IoU after {strokes} strokes, mean", float(np.mean(found)), "", 0.9 if strokes == STROKES else None)
        for strokes, found in enumerate(overlaps)
    ]
    share = float(np.mean(np.array(overlaps[-1]) > 0.9))
    return [*rows, _row("share of photos above 0.9 then", share, ""), _row("a mending", statistics.median(times), "ms")]


def overlap(found: Bools, inside: Bools) -> float:
    """Intersection over union."""
    return float((found & inside).sum() / max(1, (found | inside).sum()))


def person_strokes(found: Bools, inside: Bools) -> dict[str, Bools] | None:
    """One stroke, as a person draws who sees the largest wrong part: along its middle, with a brush that fits in.

    Returns
    -------
    ``{"keep": bool [H, W]}`` or ``{"take_away": ...}``, as :func:`edgegan_widget.photo.mend` takes it; None where
    nothing is wrong.
    """
    missing, extra = _largest(inside & ~found), _largest(found & ~inside)
    wrong, name = (missing, "keep") if missing.sum() >= extra.sum() else (extra, "take_away")
    if wrong.sum() < 4:
        return None
    depth = cv2.distanceTransform(np.pad(wrong, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    brush = max(_LEAST_BRUSH_PX, round(_BRUSH * float(depth.max())))
    path = np.array(_way(wrong, depth), np.int32)[:, None, ::-1]
    canvas = cv2.polylines(np.zeros(found.shape, np.uint8), [path], False, 1, 2 * brush - 1)
    return {name: (canvas > 0) & (wrong | (depth > 0))}


def _largest(parts: Bools) -> Bools:
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(parts.astype(np.uint8), connectivity=8)
    return numbers == 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA])) if count > 1 else np.zeros_like(parts)


def _way(wrong: Bools, depth: F32) -> list[tuple[int, int]]:
    """Through the middle of a part from one end to the other: the way of least cost, which is low where it is wide."""
    from skimage.graph import MCP_Geometric

    cost = np.where(wrong, 1 / (0.5 + depth), -1.0)
    start = np.unravel_index(int(depth.argmax()), depth.shape)
    ends = []
    for _ in range(2):  # the farthest from anywhere is an end; the farthest from that is the other
        walk = MCP_Geometric(cost)
        far, _ = walk.find_costs([start])
        start = np.unravel_index(int(np.where(np.isfinite(far) & wrong, far, -1).argmax()), far.shape)
        ends.append(walk)
    return [(int(y), int(x)) for y, x in ends[1].traceback(start)]
