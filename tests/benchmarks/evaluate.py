"""Figures of the evaluation: 10,000 pictures drawn and measured, its processor time and memory, and the cache.

Pictures are drawn by the model from synthetic objects' edge maps, so that every machine can measure; the classifier is
trained on as many pictures as a small data set has.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from edgegan_widget.base.files import write_bytes
from edgegan_widget.data.readers.synthetic import SYNTHETIC_CLASSES, draw_synthetic
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.drawn import Drawn, InputSet, draw, sketch_side
from edgegan_widget.evaluation.evaluate import evaluate
from edgegan_widget.networks.engine import EdgeGAN
from tests.benchmarks.drawing import machine

__all__ = ["run", "write_data"]

_PICTURES = 10_000
_TRAIN, _HELD_OUT = 250, 36  # of a class
_DRAWN_ALONE = 192  # drawings on which the two ways to draw are compared
_BAR_SECONDS = 180.0
_BAR_MB = 2000.0

Figures = dict[str, Any]


def run(model: str = "default", device: str = "auto", pictures: int = _PICTURES) -> Figures:
    """Measure and return ``{"machine": {...}, "rows": [{name, value, unit, bar}, ...]}``; no bar is None."""
    engine = EdgeGAN.from_pretrained(model, device)
    classes = engine.classes[: len(SYNTHETIC_CLASSES)]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        write_data(data, classes, engine.size_px)
        variations = max(1, pictures // (_HELD_OUT * len(classes)))
        # One set and nothing beside it.
        left_out: Figures = {"robustness_per_class": 0, "swapped_per_class": 0, "colour_seeds": 0}
        config = EvaluationConfig(variations=variations, cache=str(Path(folder, "cache")), **left_out)
        rows = list(_whole(engine, data, config))
    return {"machine": machine(engine.device_name) | {"engine": engine.mode, "torch threads": torch.get_num_threads()},
            "rows": [*rows, *_drawing(engine, classes)]}  # fmt: skip


def _whole(engine: EdgeGAN, data: Path, config: EvaluationConfig) -> Iterator[dict[str, Any]]:
    """The same evaluation twice: without and with everything in the cache."""
    first = _seconds(engine, data, config)
    drawn = first.pop("pictures")
    yield _row(f"{drawn:.0f} pictures: classifier, drawing, all numbers of the set", first["wall"], "s", _BAR_SECONDS)
    yield _row("the same, processor time of all cores", first["processor"], "s")
    yield _row("memory of the process, most", _most_mb(), "MB", _BAR_MB)
    again = _seconds(engine, data, config)
    yield _row("again, features and classifier on disk", again["wall"], "s")
    yield _row("again, processor time", again["processor"], "s")
    yield _row("processor time, first over again", first["processor"] / again["processor"], "times")


def _seconds(engine: EdgeGAN, data: Path, config: EvaluationConfig) -> dict[str, float]:
    wall, processor, pictures = time.perf_counter(), time.process_time(), 0
    for step in evaluate([engine], data, config=config):
        if step.evaluation is not None:
            pictures = step.evaluation.report["models"][0]["sets"][0]["pictures"]
    return {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor, "pictures": pictures}


def _drawing(engine: EdgeGAN, classes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Drawing alone: one by one, and many at once."""
    side, count = sketch_side(engine), _DRAWN_ALONE
    sketches = np.full((count, side, side), 255, np.uint8)
    sketches[:, side // 4 : side // 2, side // 4 : -side // 4 : 6] = 0
    inputs = InputSet("bench", "bench", sketches, np.arange(count) % len(classes), ("",) * count)
    engine.generate_many(sketches[:1], [0])
    began = time.process_time()
    drawn = [one for one in draw(engine, inputs, classes, timed=0) if isinstance(one, Drawn)]
    together = 1e3 * (time.process_time() - began) / len(drawn[0].inputs)
    began = time.process_time()
    for sketch, label in zip(sketches, inputs.labels):
        engine.generate(sketch, label)
    alone = 1e3 * (time.process_time() - began) / count
    yield _row("a picture drawn among many, processor time", together, "ms")
    yield _row("a picture drawn alone, processor time", alone, "ms")
    yield _row("alone over among many", alone / together, "times")


def write_data(folder: Path, classes: tuple[str, ...], size_px: int) -> None:
    """Synthetic cut-outs under the model's class names: no two alike, but drawn by code and easy to tell apart."""
    for split, count, seed in (("train", _TRAIN, 0), ("val", _HELD_OUT, 1)):
        for name, kind in zip(classes, SYNTHETIC_CLASSES):
            for number in range(count):
                sprite = cv2.resize(draw_synthetic(kind, seed, number), (2 * size_px,) * 2)
                weight = sprite[..., 3:] / 255
                picture = (sprite[..., 2::-1] * weight + 255 * (1 - weight)).astype(np.uint8)
                write_bytes(folder / split / name / f"{number:04}.png", cv2.imencode(".png", picture)[1].tobytes())


def _most_mb() -> float:
    """Of this process since it began; Linux counts in kilobytes, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar}
