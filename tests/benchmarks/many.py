"""What a page for one person costs with each runner, in one run: its kernel's memory, and how soon it draws; and many.

Runners take turns, so that what else the machine does falls on both. Told are the least memory and time of a page, to
which others' work only ever adds, the median of a picture, and their ratios.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.runners import ON_TORCH
from tests.benchmarks import crowd
from tests.benchmarks.crowd import PEOPLE
from tests.benchmarks.drawing import machine
from tests.benchmarks.page import DashboardServer, chromium, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["run"]

LIGHT, HEAVY = "onnx", ON_TORCH["cpu"]
BLOCK = 12  # calls in a row, since a person draws in a row too; the first two find the caches warm from the other's
BLOCKS = 10
SETTLE_SECONDS = 2.0

Figures = dict[str, Any]
# What is measured of a page: unit, and what onnxruntime's may be at most, by itself and as a share of PyTorch's.
MEASURED: dict[str, tuple[str, float | None, float | None]] = {
    "memory of a drawing kernel (resident)": ("MB", 160, None),
    "memory of a drawing kernel (its own alone)": ("MB", None, None),
    "page ready to draw, cold": ("ms", None, 0.8),
    "first picture after opening, cold": ("ms", None, 0.7),
    "engine F: one sketch, both outputs": ("ms", None, 0.7),
}


def run(model: str = "default", rounds: int = 3, people: int = PEOPLE) -> Figures:
    """Open the page ``rounds`` times with each runner, and time the engines: rows of each, and of their ratios.

    Then ``people`` draw at the same time with one engine, see :mod:`tests.benchmarks.crowd`; either is left out with 0.
    """
    rows, modes = _of_runners(model, rounds) if rounds else ([], {})
    rows += crowd.rows(model, people) if people else []
    return {"machine": machine("CPU") | {"rounds": rounds, "people": people} | modes, "rows": rows}


def _of_runners(model: str, rounds: int) -> tuple[list[Figures], dict[str, str]]:
    found: dict[str, list[dict[str, float]]] = {LIGHT: [], HEAVY: []}
    with chromium() as browser:
        for turn in range(rounds):
            for runner in (LIGHT, HEAVY)[:: 1 if turn % 2 == 0 else -1]:
                found[runner].append(_of_a_page(browser, model, runner))
    engines = {runner: EdgeGAN.from_pretrained(model, "cpu", runner) for runner in (LIGHT, HEAVY)}
    forward = _forwards(engines)
    rows = []
    for name, (unit, most, share) in MEASURED.items():
        light, heavy = (
            min(one[name] for one in found[runner]) if name in found[runner][0] else forward[runner]
            for runner in (LIGHT, HEAVY)
        )
        rows += [
            {"name": f"{name}: {LIGHT}", "value": light, "unit": unit, "bar": most},
            {"name": f"{name}: {HEAVY}", "value": heavy, "unit": unit, "bar": None},
            {"name": f"{name}: ratio", "value": light / heavy, "unit": "times", "bar": share},
        ]
    return rows, {runner: engine.mode for runner, engine in engines.items()}


def _of_a_page(browser: Browser, model: str, runner: str) -> dict[str, float]:
    with DashboardServer(model, "cpu", preheat=False, runner=runner) as server:
        page, ready_seconds, first_seconds = opened(browser, server)
        time.sleep(SETTLE_SECONDS)
        (kernel,) = server.kernels()
        memory = _memory_mb(kernel)
        page.close()
    names = list(MEASURED)
    return dict(zip(names, (*memory, ready_seconds * 1e3, first_seconds * 1e3)))


def _memory_mb(process: int) -> tuple[float, float]:
    """Resident memory, and what no other process shares."""
    told = dict(re.findall(r"(\w+):\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text()))
    return int(told["Rss"]) / 1e3, (int(told["Private_Clean"]) + int(told["Private_Dirty"])) / 1e3


def _forwards(engines: dict[str, EdgeGAN]) -> dict[str, float]:
    """Milliseconds of a picture by runner, in turns."""
    times: dict[str, list[float]] = {runner: [] for runner in engines}
    side = engines[LIGHT].sketch_px
    sketch = np.full((side, side), 255, np.uint8)
    sketch[20:44, 12:52:6] = 0
    for _ in range(BLOCKS):
        for runner, engine in engines.items():
            block = [engine.generate(sketch, 0).milliseconds for _ in range(BLOCK)]
            times[runner] += block[2:]
    return {runner: median(each) for runner, each in times.items()}
