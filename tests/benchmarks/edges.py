"""Figures of edge maps and sketches on this machine: pictures a second by source, on one core."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from edgegan_widget.sketch.edges import draw
from edgegan_widget.sketch.hands.hand import distort
from edgegan_widget.sketch.photosketch import SIZE_PX, PhotoSketch, PhotoSketchNet
from edgegan_widget.sketch.sources import names, takes_file
from edgegan_widget.sketch.sources.trained import edge_styles

__all__ = ["rows"]

U8 = npt.NDArray[np.uint8]

SIZES_PX = ((128, 128), (480, 640))
PHOTOSKETCH_BAR = 1.3  # times the bare network's time
_SECONDS = 0.4


def rows() -> list[dict[str, Any]]:
    """Measure; each row is ``{name, value, unit, bar}``, as :func:`tests.benchmarks.drawing.table` shows them."""
    threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        return [*_source_rows(), *_photosketch_rows()]
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])


def _source_rows() -> list[dict[str, Any]]:
    found = []
    for height, width in SIZES_PX:
        image = _object(height, width)
        actions: dict[str, Callable[[], object]] = {
            f"edges {source}": functools.partial(draw, image, source) for source in names() if not takes_file(source)
        }
        actions["edges, the four that training sees"] = functools.partial(edge_styles, image, height // 2)
        actions["sketch distorted"] = functools.partial(distort, draw(image, "contour"), 0)
        found += [
            _row(f"{name}, {width}x{height}", 1 / _seconds(action), "pictures/s") for name, action in actions.items()
        ]
    return found


def _photosketch_rows(rounds: int = 5) -> list[dict[str, Any]]:
    """A call against the bare network, in turns, so that both see the same load; weights do not change speed."""
    photosketch = PhotoSketch(PhotoSketchNet())
    smaller = PhotoSketch(photosketch.network, size_px=128)
    image = _object(*SIZES_PX[1])
    tensor = torch.zeros(1, 3, SIZE_PX, SIZE_PX)
    times: dict[str, list[float]] = {"call": [], "bare": []}
    for number in range(rounds + 1):
        began = time.perf_counter()
        photosketch(image)
        called = time.perf_counter()
        with torch.inference_mode():
            photosketch.network(tensor)
        ended = time.perf_counter()
        if number:  # the first round only warms up
            times["call"].append(called - began)
            times["bare"].append(ended - called)
    call, bare = (statistics.median(times[name]) for name in ("call", "bare"))
    half = _seconds(functools.partial(smaller, _object(*SIZES_PX[0])))
    return [
        _row("edges photosketch, 640x480", 1 / call, "pictures/s"),
        _row("edges photosketch128, 128x128", 1 / half, "pictures/s"),
        _row("edges photosketch, time against the bare network", call / bare, "times", PHOTOSKETCH_BAR),
    ]


def _seconds(action: Callable[[], object]) -> float:
    """Median time of one call."""
    action()
    times: list[float] = []
    while sum(times) < _SECONDS:
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _object(height: int, width: int) -> U8:
    """A cut-out with parts and texture."""
    image = np.full((height, width, 3), 255, np.uint8)
    centre, axes = (width // 2, height // 2), (width * 2 // 5, height // 3)
    cv2.ellipse(image, centre, axes, 15, 0, 360, (150, 90, 60), -1)
    cv2.circle(image, centre, height // 5, (40, 60, 150), -1)
    noise = np.random.Generator(np.random.PCG64(0)).normal(0, 12, image.shape)
    return np.where(image < 255, np.clip(image + noise, 0, 240), 255).astype(np.uint8)


def _row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar}
