"""Figures of the preparation: objects a second from photos of 640x480 to audited cut-outs, and memory.

The photos are put together from synthetic objects, so that every machine can measure, with the size, the compression
and the number of objects that COCO's photos have (7.3 on average).
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from edgegan_widget.data.preparing.build import Options, build
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers.coco import CocoReader
from edgegan_widget.data.readers.synthetic import SYNTHETIC_CLASSES, draw_synthetic

__all__ = ["run", "write_photos"]

_WIDTH_PX, _HEIGHT_PX = 640, 480
_SPRITES = 4  # of each class
_BAR_PER_SECOND = 150.0
_BAR_MB = 1000.0
_LOOK_SECONDS = 0.25  # at memory: each look costs some milliseconds a process

Figures = dict[str, Any]


def run(workers: int = 2, photos: int = 300) -> Figures:
    """Measure and return ``{"machine": {...}, "rows": [{name, value, unit, bar}, ...]}``; no bar is None."""
    rows = []
    for objects in (7, 1):
        count = photos if objects > 1 else 2 * photos
        with tempfile.TemporaryDirectory() as folder:
            write_photos(Path(folder, "photos"), count, objects)
            rows += _measured(Path(folder), objects, workers)
    machine = {
        "cores": os.cpu_count(),
        "workers": workers,
        "platform": platform.platform(),
        "load": os.getloadavg()[0],
    }
    return {"machine": machine, "rows": rows}


def _measured(folder: Path, objects: int, workers: int) -> list[dict[str, Any]]:
    reader = CocoReader(folder / "photos", folder / "photos" / "instances.json")
    about = f"photos of {_WIDTH_PX}x{_HEIGHT_PX} with {objects} object{'s' * (objects > 1)}"
    began, first, seconds, done = 0.0, 0, 0.0, 0
    with _Memory() as memory:
        for progress in build(folder / "data", "bench", reader, Options(where=Where(workers))):
            if not began:  # from the first result on: starting the processes is paid once
                began, first = time.perf_counter(), progress.objects
            if progress.summary is None:
                seconds, done = time.perf_counter() - began, progress.objects - first
        whole = time.perf_counter() - began
    bar = _BAR_PER_SECOND if workers == 2 else None
    return [
        _row(f"{about}: cut-out, edge map, audit", done / seconds, "objects/s", bar),
        _row(f"{about}: the same, manifest and report included", done / whole, "objects/s"),
        _row(f"{about}: processor time of an object", 1e3 * memory.processor_seconds / (done + first), "ms"),
        _row(f"{about}: memory of all processes, most", memory.most_bytes / 1e6, "MB", _BAR_MB),
    ]


def _row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar}


class _Memory:
    """Watches this process and its children: most memory (shared pages counted once), processor time."""

    def __enter__(self) -> _Memory:
        self.most_bytes, self._times, self._stop = 0, dict[int, float](), threading.Event()
        self._start = self._own_seconds()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @staticmethod
    def _own_seconds() -> float:
        times = psutil.Process().cpu_times()
        return float(times.user + times.system)

    @property
    def processor_seconds(self) -> float:
        return self._own_seconds() - self._start + sum(self._times.values())

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._stop.wait(_LOOK_SECONDS):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    facts = process.memory_full_info()
                    total += getattr(facts, "pss", 0) or facts.uss
                    if process.pid != own.pid:
                        times = process.cpu_times()
                        self._times[process.pid] = times.user + times.system
                except psutil.Error:
                    continue
            self.most_bytes = max(self.most_bytes, total)


def write_photos(folder: Path, count: int, objects: int, seed: int = 0) -> None:
    """Write ``count`` JPEG photos with ``objects`` each, and ``instances.json`` with their polygons."""
    random = np.random.default_rng(seed)
    sprites = [
        (number, draw_synthetic(name, seed, each))
        for number, name in enumerate(SYNTHETIC_CLASSES)
        for each in range(_SPRITES)
    ]
    folder.mkdir(parents=True)
    images, annotations = [], list[dict[str, Any]]()
    for number in range(count):
        grain = cv2.resize(random.normal(128, 40, (60, 80, 3)), (_WIDTH_PX, _HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
        photo = np.clip(grain + random.normal(0, 6, grain.shape), 0, 255).astype(np.uint8)
        for _ in range(objects):
            label, sprite = sprites[int(random.integers(len(sprites)))]
            polygons = _paste(photo, sprite, random, large=objects == 1)
            annotations.append({"id": len(annotations), "image_id": number, "category_id": label, "iscrowd": 0,
                                "segmentation": polygons})  # fmt: skip
        name = f"{number:012}.jpg"
        cv2.imwrite(str(folder / name), photo, [cv2.IMWRITE_JPEG_QUALITY, 90])
        images.append({"id": number, "file_name": name, "width": _WIDTH_PX, "height": _HEIGHT_PX})
    categories = [{"id": number, "name": name} for number, name in enumerate(SYNTHETIC_CLASSES)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content), "utf-8")


def _paste(photo: Any, sprite: Any, random: np.random.Generator, large: bool) -> list[list[float]]:
    """Put an object into the photo; its outline as polygons."""
    side = int(random.uniform(220, 420) if large else random.uniform(80, 240))
    small = cv2.resize(sprite, (side, side), interpolation=cv2.INTER_AREA)
    x, y = int(random.integers(_WIDTH_PX - side)), int(random.integers(_HEIGHT_PX - side))
    there, weight = photo[y : y + side, x : x + side], small[..., 3:] / 255
    there[:] = (small[..., 2::-1] * weight + there * (1 - weight)).astype(np.uint8)
    mask = (small[..., 3] > 127).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    shifted = [(outline[:, 0] + (x, y)).astype(float).ravel().tolist() for outline in outlines]
    return [polygon for polygon in shifted if len(polygon) >= 6]
