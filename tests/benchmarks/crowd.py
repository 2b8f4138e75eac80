"""One engine and many people who draw at the same time: how long each waits for a picture, and what all of it takes.

A few are browsers, whose pages are drawn on with a pen; as many more have a page each, without a browser to look at it,
and draw through the same client as a page's kernel does: one request at a time, of those that wait the newest.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.needs import check_ray
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.benchmarks.page import RECORDER, DashboardServer, chromium, latencies, opened
from tests.serving.server import TOKEN, RunningServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["PEOPLE", "crowd", "rows"]

PEOPLE = 20
BROWSERS = 2  # that two cores carry beside all else
MOVES_A_SECOND = 15
DRAW_SECONDS = 8.0
CROWDS = (1, 2, 5, 10, 20, 40)  # in which the throughput is sought at which waiting doubles
MOST_WAIT_SECONDS = 60.0
TORCH_KERNEL_MB, AIM_KERNEL_MB = 357, 90
START_SECONDS = 240

Figures = dict[str, Any]


@dataclass
class Seen:
    """What one who draws has seen: when the pen moved, and when which move was on the picture."""

    moves: list[float] = field(default_factory=list)
    pictures: list[tuple[int, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def waits_ms(self) -> list[float]:
        """From each move to the first picture that shows it, or a later one."""
        waits = []
        for number, moved in enumerate(self.moves):
            shown = min((at for newest, at in self.pictures if newest >= number), default=float("inf"))
            waits.append((shown - moved) * 1e3)
        return waits


def rows(model: str = "default", people: int = PEOPLE) -> list[Figures]:
    """Rows of all that is measured with so many people; the server is started here.

    Raises
    ------
    DependencyError
        Ray, a browser or Playwright is not installed.
    """
    check_ray("a crowd with one engine")
    with RunningServer("--model", model, "--rate", "10000", replicas="1") as server:
        before_mb = _proportional_mb(server)
        alone = crowd(server.url, 1)
        found = [_row("pen to picture, one who draws: median", median(waits(alone)), "ms")]
        found += _doubling(server.url, alone)
        options = ["--engine", server.url, "--engine-token", TOKEN]
        with DashboardServer(model, "cpu", preheat=False, options=options) as dashboard:
            found += _with_pages(server.url, dashboard, people)
            kernels = [psutil.Process(kernel).memory_full_info() for kernel in dashboard.kernels()]
        found += _memory(kernels, before_mb, _proportional_mb(server))
    return found


def crowd(url: str, count: int, seconds: float = DRAW_SECONDS) -> list[Seen]:
    """So many who draw at the same time, in a process of their own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        return executor.submit(_draw_together, url, count, seconds).result()


def waits(seen: Sequence[Seen]) -> list[float]:
    """Milliseconds that each move of anybody took to be on a picture."""
    return [wait for one in seen for wait in one.waits_ms()]


def pictures_a_second(seen: Sequence[Seen]) -> float:
    began = min(one.moves[0] for one in seen)
    ended = max(at for one in seen for _, at in one.pictures)
    return sum(len(one.pictures) for one in seen) / (ended - began)


def _proportional_mb(server: RunningServer) -> float:
    """Memory of the server and of Ray, what they share once."""
    return sum(float(process.memory_full_info().pss) for process in server.processes()) / 1e6


# Who draws ---------------------------------------------------------------------------------------------------------


def _draw_together(url: str, count: int, seconds: float) -> list[Seen]:
    everyone = [Seen() for _ in range(count)]
    engines = [EdgeGAN.connect(url, token=TOKEN, patience_seconds=MOST_WAIT_SECONDS) for _ in everyone]
    sketches = _growing(engines[0].sketch_px, round(seconds * MOVES_A_SECOND))
    begin = time.perf_counter() + 0.5
    threads = [
        threading.Thread(target=_draw, args=(engine, seen, sketches, begin + number / MOVES_A_SECOND / count))
        for number, (engine, seen) in enumerate(zip(engines, everyone))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.close()
    return everyone


def _draw(engine: Any, seen: Seen, sketches: list[Any], begin: float) -> None:
    """One who draws, as a page's kernel does: what waits gives way to what is newer."""

    def work(number: int) -> int:
        engine.generate(sketches[number], 0)
        return number

    worker = NewestWins[int, int](
        work,
        lambda number: seen.pictures.append((number, time.perf_counter())),
        lambda error: seen.errors.append(str(error)),
    )
    for number in range(len(sketches)):
        time.sleep(max(0.0, begin + number / MOVES_A_SECOND - time.perf_counter()))
        seen.moves.append(time.perf_counter())
        worker.submit(number)
    worker.wait_idle(MOST_WAIT_SECONDS)
    worker.close()


def _growing(side_px: int, count: int) -> list[Any]:
    """Sketches of a line that grows, as a pen leaves it."""
    turns = np.linspace(0, 2 * np.pi, count + 1)
    points = [(0.5 + 0.4 * np.cos(turn), 0.5 + 0.25 * np.sin(turn)) for turn in turns]
    return [
        rasterize(Drawing().add(Stroke.make(points[: number + 2], width=0.02)), side_px, fit=True)
        for number in range(count)
    ]


# What is measured --------------------------------------------------------------------------------------------------


def _doubling(url: str, alone: list[Seen]) -> list[Figures]:
    """More and more people, until a picture takes twice as long as for one."""
    found, first_ms = [], _p95(waits(alone))
    for count in CROWDS:
        seen = alone if count == 1 else crowd(url, count)
        p95_ms, throughput = _p95(waits(seen)), pictures_a_second(seen)
        found.append(_row(f"pen to picture, {count} who draw: 95th percentile", p95_ms, "ms"))
        found.append(_row(f"pictures drawn for {count} who draw", throughput, "a second"))
        if p95_ms >= 2 * first_ms:
            found.append(_row("pictures a second where the 95th percentile has doubled", throughput, "a second"))
            break
    return found


def _with_pages(url: str, dashboard: DashboardServer, people: int) -> list[Figures]:
    """All of them at once: a few browsers, and as many more as there are to be."""
    with chromium() as browser, ExitStack() as stack:
        pages = [opened(browser, dashboard)[0] for _ in range(min(BROWSERS, people))]
        others = people - len(pages)
        for _ in range(others):  # a page as a browser would open it: its kernel runs, connected to the engine
            stack.enter_context(urllib.request.urlopen(dashboard.url, timeout=START_SECONDS)).read()
        executor = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        drawing = executor.submit(_draw_together, url, others, DRAW_SECONDS + 4)
        time.sleep(3)  # until they have begun
        seen_by_browsers = _draw_on(pages)
        seen = drawing.result()
    last = [one.pictures[-1][0] == len(one.moves) - 1 if one.pictures else False for one in seen]
    return [
        _row(f"{people} pages at {MOVES_A_SECOND} moves/s: pen to picture, median", median(waits(seen)), "ms"),
        _row("same, 95th percentile", _p95(waits(seen)), "ms"),
        _row("same, longest", max(waits(seen)), "ms"),
        _row(f"same, 95th percentile in {len(pages)} browsers", _p95(seen_by_browsers), "ms"),
        _row("pictures drawn for them", pictures_a_second(seen), "a second"),
        _row("of them those whose last picture is that of the last move", sum(last), f"of {others}", others),
        _row("errors that anybody saw", sum(len(one.errors) for one in seen), "", 0),
    ]


def _draw_on(pages: list[Page]) -> list[float]:
    """Draw a line on each page at once; milliseconds to the next picture of each move."""
    frames = []
    for page in pages:
        page.evaluate(RECORDER)
        frames.append(page.locator(".eg-frame").bounding_box() or {})
    for number, turn in enumerate(np.linspace(0, 6, round(DRAW_SECONDS * MOVES_A_SECOND))):
        due = time.perf_counter() + 1 / MOVES_A_SECOND
        for page, frame in zip(pages, frames):
            x = frame["x"] + frame["width"] * (0.5 + 0.3 * np.cos(turn))
            page.mouse.move(x, frame["y"] + frame["height"] * (0.5 + 0.2 * np.sin(turn)))
            if number == 0:
                page.mouse.down()
        pages[0].wait_for_timeout(max(0.0, due - time.perf_counter()) * 1e3)
    for page in pages:
        page.mouse.up()
    pages[0].wait_for_timeout(1500)
    return [wait for page in pages for wait in latencies(page.evaluate("window.egSeen")) if wait < float("inf")]


def _memory(kernels: list[Any], server_before_mb: float, server_mb: float) -> list[Figures]:
    resident, own = ([float(getattr(one, kind)) / 1e6 for one in kernels] for kind in ("rss", "uss"))
    count, total_mb = len(kernels), sum(resident) + server_mb
    aim_mb = count * AIM_KERNEL_MB + server_mb
    return [
        _row("memory of a page's kernel with an engine elsewhere (resident): median", median(resident), "MB"),
        _row("same, its own alone", median(own), "MB"),
        _row("memory of engine and Ray, before anybody draws", server_before_mb, "MB"),
        _row("memory of engine and Ray, after all have drawn", server_mb, "MB"),
        _row(f"memory of {count} kernels (resident), engine and Ray", total_mb, "MB", aim_mb),
        _row(f"memory of {count} kernels (their own alone), engine and Ray", sum(own) + server_mb, "MB", aim_mb),
        _row(f"resident, as a share of {count} kernels with PyTorch", total_mb / (count * TORCH_KERNEL_MB), "times"),
    ]


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def _row(name: str, value: float, unit: str, bar: float | None = None) -> Figures:
    return {"name": name, "value": value, "unit": unit, "bar": bar}
