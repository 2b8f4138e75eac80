"""The dashboard in a real Chromium, measured from the pointer to the pixels."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from edgegan_widget.base.errors import DependencyError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["RECORDER", "DashboardServer", "chromium", "latencies", "latencies_ms", "opened", "page_rows"]

CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
START_SECONDS = 180
MOVES = 80
LOOKS = 300  # that the history's memory is measured with
ORIGINAL_COLD_SECONDS = 5.4  # one cold run of the original's test program a sketch, the fastest of those measured

# Notes when the pointer moved, when ink could be seen, and when a new picture was on screen.
RECORDER = """
() => {
  const seen = (window.egSeen = { moves: [], inks: [], pictures: [], forwards: [] });
  const afterPaint = (list, from) =>
    requestAnimationFrame(() => requestAnimationFrame((now) => list.push([from, now])));
  document.addEventListener("pointermove", (event) => {
    if (!(event.buttons & 1)) return;
    seen.moves.push(event.timeStamp);
    afterPaint(seen.inks, event.timeStamp);
  }, true);
  document.querySelector(".eg-main img").addEventListener("load", () =>
    requestAnimationFrame((now) => seen.pictures.push(now)));
  const status = document.querySelector(".eg-line .widget-html-content");
  new MutationObserver(() => seen.forwards.push(parseFloat(/([0-9.]+) ms/.exec(status.textContent)?.[1])))
    .observe(status, { childList: true, subtree: true, characterData: true });
}
"""

INKED = """
() => {
  const canvas = document.querySelector("canvas.eg-ink");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value, place) => place % 4 === 3 && value > 128);
}
"""


class DashboardServer:
    """``edgegan-widget dashboard`` in a process of its own, on a free port of this machine.

    Used as a context manager; :attr:`url` is the page's address. ``options`` are more of the command's.
    """

    def __init__(
        self,
        model: str = "default",
        device: str = "auto",
        preheat: bool = True,
        base_url: str = "/",
        runner: str = "auto",
        options: Sequence[str] = (),
        scheme: str = "http",
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.token = "measured"
        self.url = f"{scheme}://127.0.0.1:{self.port}{base_url}?token={self.token}"
        self.preheat = preheat
        self._command = [
            sys.executable, "-m", "edgegan_widget", "dashboard", "--no-browser", "--port", str(self.port),
            "--token", self.token, "--model", model, "--device", device, "--runner", runner,
            "--base-url", base_url, *([] if preheat else ["--no-preheat"]), *options,
        ]  # fmt: skip

    def __enter__(self) -> DashboardServer:
        self.start()
        return self

    def start(self) -> None:
        """Serve, again after :meth:`kill` at the same address."""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the server, which is its context
        self._process = subprocess.Popen(
            self._command, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            self._wait_until_open()
        except BaseException:
            self.kill()
            raise

    def log(self) -> str:
        """What it has told since it was started."""
        file = self._log.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def kill(self) -> None:
        """End the server and its kernels at once, as a crash does."""
        self.kill_kernels()
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def kill_kernels(self, kernel_id: str = "") -> None:
        """End the kernel of this id, or all of them, at once, as a crash does."""
        for process in _children(self._process.pid):
            if "ipykernel" in _command(process) and kernel_id in _command(process):
                os.kill(process, signal.SIGKILL)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log.close()

    def kernel_megabytes(self) -> list[float]:
        """Memory of each kernel, in MB; empty where the system has no /proc."""
        return [_resident_mb(process) for process in self.kernels()]

    def kernels(self) -> list[int]:
        """Its kernels' processes."""
        return [process for process in _children(self._process.pid) if "ipykernel" in _command(process)]

    def _wait_until_open(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the dashboard ended at once:\n{self.log()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"the dashboard did not open within {START_SECONDS} s")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium driven by Playwright.

    Raises
    ------
    DependencyError
        Playwright or Chromium is not installed; the message says how to install it.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise DependencyError("no Chromium found; run: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise DependencyError("Playwright is not installed; run: pip install 'edgegan-widget[test]'") from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def page_rows(model: str, device: str, forward_ms: float) -> list[dict[str, Any]]:
    """Open the page cold and preheated, draw on it, and compare with the forward pass F."""
    rows = []
    with chromium() as browser:
        with DashboardServer(model, device, preheat=False) as server:
            cold_seconds, first_picture_seconds = opened(browser, server)[1:]
            rows.append(_row("page ready to draw, cold", cold_seconds * 1e3, "ms", 5000))
            rows.append(_row("first picture after opening, cold", first_picture_seconds * 1e3, "ms", 8000))
        with DashboardServer(model, device) as server:
            time.sleep(10)  # until the waiting kernel has loaded its model
            page, ready_seconds, _ = opened(browser, server)
            rows.append(_row("page ready to draw, preheated", ready_seconds * 1e3, "ms", 3000))
            rows += _drawing_rows(page, forward_ms)
            rows.append(_row("memory of the largest kernel", max(server.kernel_megabytes(), default=0), "MB", 400))
            rows += _history_rows(page, server)
            rows.append(_row("drawing back after a reload, beyond page ready", _restored_ms(page), "ms", 1000))
    return rows


def opened(browser: Browser, server: DashboardServer) -> tuple[Page, float, float]:
    """The page; seconds until it can be drawn on, and until a first dot has its picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    began = time.perf_counter()
    page.goto(server.url)
    page.wait_for_selector(".eg-main img", timeout=60_000)
    page.wait_for_function("document.querySelector('canvas.eg-ink')?.width > 0")
    ready = time.perf_counter() - began
    before = page.locator(".eg-main img").get_attribute("src")
    frame = page.locator(".eg-frame").bounding_box()
    if frame is None:
        raise RuntimeError("the pad is not on the page")
    page.mouse.click(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.wait_for_function(
        "before => document.querySelector('.eg-main img').src !== before", arg=before, timeout=60_000
    )
    return page, ready, time.perf_counter() - began


def _drawing_rows(page: Page, forward_ms: float) -> list[dict[str, Any]]:
    frame = _draw_slowly(page)
    seen = page.evaluate("window.egSeen")
    waits = latencies(seen)
    inks = [painted - moved for moved, painted in seen["inks"]]
    last_ms = _flood_ms(page, frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2, frame["width"])
    median_ms, forward_here_ms = float(np.median(waits)), float(np.median(seen["forwards"]))
    return [
        _row("F on the page, which shares the cores with the browser", forward_here_ms, "ms"),
        _row("stroke to picture on screen, median", median_ms, "ms"),
        _row("same, less F on the page", median_ms - forward_here_ms, "ms", 25),
        _row("same, less F alone", median_ms - forward_ms, "ms", 25),
        _row("95th percentile, less F on the page", _percentile(waits) - forward_here_ms, "ms", 40),
        _row("95th percentile, less F alone", _percentile(waits) - forward_ms, "ms", 40),
        _row("pen to picture: original's cold run over ours", ORIGINAL_COLD_SECONDS * 1e3 / median_ms, "times", 60),
        _row("ink on screen after the pointer, median", float(np.median(inks)), "ms", 25),
        _row("last picture after pen-up in a flood", last_ms, "ms", 2 * forward_ms + 50),
    ]


def _history_rows(page: Page, server: DashboardServer) -> list[dict[str, Any]]:
    """What a long history costs, in the kernel and in the page."""
    before = max(server.kernel_megabytes(), default=0.0), _heap_mb(page)
    for _ in range(LOOKS):
        count = page.locator(".eg-look").count()
        page.locator("button.eg-dice").click()
        page.wait_for_function("count => document.querySelectorAll('.eg-look').length > count", arg=count)
    after = max(server.kernel_megabytes(), default=0.0), _heap_mb(page)
    return [
        _row(f"{LOOKS} looks in the history: memory of the {place}", after[number] - before[number], "MB", 20)
        for number, place in enumerate(("kernel", "page"))
    ]


def _heap_mb(page: Page) -> float:
    """JavaScript's memory once it was cleaned up."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    size = float(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return size / 1e6


def _restored_ms(page: Page) -> float:
    """From the pad being there to the ink that was stored being on it."""
    page.reload()
    page.wait_for_function("document.querySelector('canvas.eg-ink')?.width > 0")
    ready = time.perf_counter()
    page.wait_for_function(INKED, polling=20)
    return (time.perf_counter() - ready) * 1e3


def latencies_ms(model: str = "default") -> list[float]:
    """Milliseconds from each move of a slow pen to the picture that shows it, on a page of its own."""
    with chromium() as browser, DashboardServer(model, "cpu", preheat=False) as server:
        page = opened(browser, server)[0]
        page.wait_for_timeout(2000)
        _draw_slowly(page)
        return latencies(page.evaluate("window.egSeen"))


def latencies(seen: dict[str, Any]) -> list[float]:
    """Milliseconds from each move to the next picture, as the recorder noted them."""
    return [_first_after(seen["pictures"], moved) - moved for moved in seen["moves"]]


def _draw_slowly(page: Page) -> dict[str, float]:
    """Draw a line of single moves, each of which gets its own picture; where the pad is on the page."""
    page.evaluate(RECORDER)
    frame = page.locator(".eg-frame").bounding_box()
    if frame is None:
        raise RuntimeError("the pad is not on the page")
    at = [(0.5 + 0.3 * np.cos(turn), 0.5 + 0.2 * np.sin(turn)) for turn in np.linspace(0, 6, MOVES)]
    places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in at]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
        page.wait_for_timeout(120)  # slower than a picture, so that each move has its own
    page.mouse.up()
    page.wait_for_timeout(800)
    return {side: float(length) for side, length in frame.items()}  # type: ignore[arg-type]


def _flood_ms(page: Page, x: float, y: float, side: float) -> float:
    """Milliseconds from lifting a very fast pen to the last new picture; the pen winds outwards around (x, y)."""
    page.locator(".eg-clear").click()
    page.mouse.move(x, y)
    page.mouse.down()
    for turn in np.linspace(0, 30, 240):
        reach = side * (0.05 + 0.4 * turn / 30)
        page.mouse.move(x + reach * float(np.cos(turn)), y + reach * float(np.sin(turn)))
    page.evaluate("document.addEventListener('pointerup', (event) => (window.egUp = event.timeStamp), true)")
    page.mouse.up()
    page.wait_for_timeout(3000)
    return float(page.evaluate("Math.max(0, ...window.egSeen.pictures) - window.egUp"))


def _first_after(times: list[float], moment: float) -> float:
    return min((time_ms for time_ms in times if time_ms > moment), default=float("inf"))


def _percentile(values: list[float]) -> float:
    return float(np.percentile(values, 95))


def _row(name: str, value: float, unit: str, bar: float | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "bar": bar}


def _children(process: int) -> list[int]:
    """Processes begun by this one or by its children."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == process:
            child = int(entry.parent.name)
            found += [child, *_children(child)]
    return found


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _resident_mb(process: int) -> float:
    try:
        pages = int(re.split(r"\s+", Path(f"/proc/{process}/statm").read_text())[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
