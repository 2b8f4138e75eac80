"""Figures of this machine: raster, engine and, in a real Chromium, the page. All in one run, so that ratios hold."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from edgegan_widget.networks.architectures.paper import PaperEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.sketch.raster import Rasterizer, rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke

__all__ = ["machine", "run", "table"]

FULL_WIDTH_CLASSES = 14

Figures = dict[str, Any]


def run(model: str = "default", device: str = "auto", browser: bool = False) -> Figures:
    """Measure and return ``{"machine": {...}, "rows": [{name, value, unit, bar}, ...]}``; no bar is None."""
    began = time.perf_counter()
    engine = EdgeGAN.from_pretrained(model, device)
    loaded_seconds = time.perf_counter() - began
    rows = [*_raster_rows(), _row("model loaded and warm", loaded_seconds * 1e3, "ms")]
    forward = _engine_rows(engine, device)
    rows += forward
    if browser:
        from tests.benchmarks.page import page_rows

        rows += page_rows(model, device, forward_ms=float(forward[0]["value"]))
    return {"machine": machine(engine.device_name) | {"engine": engine.mode}, "rows": rows}


def machine(device: str) -> Figures:
    """What the figures depend on."""
    return {
        "device": device,
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "load": os.getloadavg()[0],
    }


def table(figures: Figures) -> str:
    """The figures as text."""
    lines = [f"{key}: {value}" for key, value in figures["machine"].items()]
    width = max(len(row["name"]) for row in figures["rows"])
    for row in figures["rows"]:
        if row["value"] is None:
            lines.append(f"{row['name']:<{width}}  skipped: {row['skipped']}")
            continue
        bar = "" if row["bar"] is None else f"   bar {row['bar']:g} {row['unit']}"
        lines.append(f"{row['name']:<{width}}  {row['value']:>10.3f} {row['unit']}{bar}")
    return "\n".join(lines)


def skipped(name: str, reason: str) -> dict[str, Any]:
    """A row of what was not measured, and why."""
    return {"name": name, "value": None, "unit": "", "bar": None, "skipped": reason}


def _row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar}


def _raster_rows() -> list[dict[str, Any]]:
    random = np.random.Generator(np.random.PCG64(0))
    walk = 0.5 + 0.35 * np.sin(np.cumsum(random.normal(0, 0.08, (4000, 2)), axis=0))
    stroke = Stroke.make(walk, 13 / 512)
    segment = Stroke.make(walk[:2], 13 / 512)
    if stroke is None or segment is None:
        raise RuntimeError("the benchmark's own stroke is empty")
    raster = Rasterizer()
    drawing = Drawing().add(stroke)

    def add_segment() -> None:
        raster.draw(segment)
        raster.sketch()

    return [
        _row("raster: one added segment, sketch included", _median_ms(add_segment, 300), "ms", 1.0),
        _row("raster: redraw of 4,000 points", _median_ms(lambda: rasterize(drawing), 30), "ms", 10.0),
    ]


def _engine_rows(engine: EdgeGAN, device: str) -> list[dict[str, Any]]:
    sketch = np.full((engine.sketch_px,) * 2, 255, np.uint8)
    sketch[20:44, 12:52:6] = 0
    default = _times_ms(lambda: engine.generate(sketch, 0), 60)
    config = ModelConfig(tuple(f"class_{number}" for number in range(FULL_WIDTH_CLASSES)), "paper")
    full = EdgeGAN(PaperEdgeGAN(config), device)
    wide = _times_ms(lambda: full.generate(sketch[:64, :64], 0), 40)
    bar = 1.0 if engine.device_name != "CPU" else 25.0
    forward = float(np.median(default))
    return [
        _row("engine F: one sketch, both outputs, median", forward, "ms"),
        _row("engine: same, 95th percentile", float(np.percentile(default, 95)), "ms"),
        _row(f"engine: full-width network, median ({full.mode})", float(np.median(wide)), "ms", bar),
    ]


def _median_ms(action: Callable[[], object], count: int) -> float:
    return float(np.median(_times_ms(action, count)))


def _times_ms(action: Callable[[], object], count: int) -> list[float]:
    for _ in range(5):
        action()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1e3)
    return times
