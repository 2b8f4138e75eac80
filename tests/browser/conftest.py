"""A real Chromium on a real dashboard: real pointer events in, what is on screen out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import DependencyError
from tests.benchmarks.page import DashboardServer, chromium

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: no browser tests")

SHOE = [(0.08, 0.65), (0.08, 0.4), (0.25, 0.36), (0.35, 0.44), (0.6, 0.55), (0.92, 0.58), (0.95, 0.66), (0.08, 0.66)]
WAIT_MS = 120_000  # a machine that does other work beside is no fault of the page
FIRST_SECONDS = 30.0

# The pixels of the picture on screen, as one number that differs where they differ.
PICTURE = """
selector => {
  const image = document.querySelector(selector);
  if (!image?.complete || !image.naturalWidth) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  let hash = 7;
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  for (const value of pixels) hash = (hash * 31 + value) % 2147483647;
  return hash;
}
"""
# The same, seen from afar: 16 x 16 grey values. Two kernels may draw with different ways of the same networks.
FROM_AFAR = """
selector => {
  const image = document.querySelector(selector);
  if (!image?.complete || !image.naturalWidth) return [];
  const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, 16, 16);
  return [...context.getImageData(0, 0, 16, 16).data].filter((_, place) => place % 4 === 1);
}
"""
MOST_APART = 12  # of 255
INK = """
() => {
  const canvas = document.querySelector("canvas.eg-ink");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 3; i < pixels.length; i += 4) count += pixels[i] > 128;
  return count;
}
"""


class Desk:
    """One page and what a person does on it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.first: int | None = None  # what is shown before anything was drawn
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, url: str) -> Desk:
        self.page.goto(url)
        return self.ready()

    def ready(self) -> Desk:
        """Wait until the model is there."""
        self.page.wait_for_selector(".eg-main img")
        self.page.wait_for_function("document.querySelector('.eg-line')?.textContent.includes('Ready')")
        self.first = self.picture()
        return self

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place on the pad, in fractions of it, as a place on the page."""
        box = self.page.locator(".eg-frame").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def draw(self, points: list[tuple[float, float]]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=4)
        mouse.up()

    def picture(self, selector: str = ".eg-main img") -> int | None:
        return self.page.evaluate(PICTURE, selector)

    def from_afar(self, selector: str = ".eg-main img") -> list[int]:
        """What the picture looks like, to be compared by :meth:`shows`."""
        return self.page.evaluate(FROM_AFAR, selector)

    def shows(self, looks: list[int]) -> bool:
        """Whether the picture looks as it did."""
        now = self.from_afar()
        return len(now) == len(looks) and all(abs(one - other) <= MOST_APART for one, other in zip(now, looks))

    def ink(self) -> int:
        return self.page.evaluate(INK)

    def press(self, name: str) -> None:
        self.page.locator(f"button.eg-{name}").first.click()

    def choose(self, name: str, path: Path) -> None:
        """Pick a file in the dialogue that a button opens."""
        with self.page.expect_file_chooser() as chooser:
            self.press(name)
        chooser.value.set_files(path)

    def until(self, holds: Callable[[], bool], what: str, wait_ms: int = WAIT_MS) -> None:
        deadline = time.monotonic() + wait_ms / 1000
        while not holds():
            assert time.monotonic() < deadline, f"never came true: {what}"
            self.page.wait_for_timeout(50)

    def settled(self) -> int | None:
        """The picture once it has stopped changing; the first may take a while, as another kernel is warmed up."""
        deadline = time.monotonic() + FIRST_SECONDS
        while self.picture() == self.first and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        self.first = None
        last = self.picture()
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 1.2:
            self.page.wait_for_timeout(100)
            now = self.picture()
            if now != last:
                last, quiet_since = now, time.monotonic()
        return last


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        with chromium() as started:
            yield started
    except DependencyError as error:
        pytest.skip(f"no browser tests: {error}")


@pytest.fixture(scope="session")
def dashboard() -> Iterator[DashboardServer]:
    with DashboardServer(device="cpu") as server:
        yield server


@pytest.fixture
def desk_of(browser: Any, dashboard: DashboardServer) -> Iterator[Callable[..., Desk]]:
    """Opens the dashboard; keyword arguments are those of a Playwright context."""
    contexts = []

    def make(query: str = "", **options: Any) -> Desk:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        contexts.append(context)
        return Desk(context.new_page()).open(dashboard.url + query)

    yield make
    for context in contexts:
        context.close()
