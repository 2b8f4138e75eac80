"""Record the animation at the top of the README from the real page in Chromium.

``python -m tests.record docs/draw.webp``: a drawing is made stroke by stroke and the picture follows; then another
colour, and a saved file.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

from PIL import Image

from edgegan_widget.panels.drawing.examples import example
from tests.benchmarks.page import DashboardServer, chromium
from tests.browser.conftest import Desk

SHOWN = ("handbag", "red"), ("horse", None)
VIEWPORT = {"width": 1120, "height": 900}
WIDE_PX = 800
FRAME_MS, REST_MS = 90, 1400
POINTS_A_FRAME = 6
MOST_BYTES = 3_000_000


class Film:
    """Frames of a page with their times."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.frames: list[Image.Image] = []
        self.times_ms: list[int] = []

    def take(self, milliseconds: int = FRAME_MS) -> None:
        shot = Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")
        high = round(shot.height * WIDE_PX / shot.width)
        self.frames.append(shot.resize((WIDE_PX, high), Image.Resampling.LANCZOS))
        self.times_ms.append(milliseconds)

    def save(self, path: Path) -> None:
        """Write it in the best quality that stays below the limit."""
        for quality in range(80, 20, -10):
            first, *others = self.frames
            first.save(path, save_all=True, append_images=others, duration=self.times_ms, loop=0, quality=quality)
            if path.stat().st_size < MOST_BYTES:
                return


def draw(desk: Desk, film: Film, label: str) -> None:
    drawing = example(label)
    assert drawing is not None
    mouse = desk.page.mouse
    for stroke in drawing.strokes:
        points = [(float(x), float(y)) for x, y in stroke.points[:, :2]]
        mouse.move(*desk.at(*points[0]))
        mouse.down()
        for number, point in enumerate(points[1:], 1):
            mouse.move(*desk.at(*point), steps=3)
            if number % POINTS_A_FRAME == 0:
                film.take()
        mouse.up()
        desk.page.wait_for_timeout(150)
        film.take()
    desk.settled()
    film.take(REST_MS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the README's animation.")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with DashboardServer(device="cpu") as server, chromium() as browser:
        desk = Desk(browser.new_context(viewport=VIEWPORT, accept_downloads=True).new_page()).open(server.url)
        film = Film(desk.page)
        for label, colour in SHOWN:
            desk.page.locator(".eg-class select").select_option(label)
            desk.press("usual")
            film.take()
            draw(desk, film, label)
            if colour is not None:
                desk.page.locator(".eg-colour input[type=text]").fill(colour)
                desk.page.keyboard.press("Enter")
            else:
                desk.press("dice")
            desk.settled()
            film.take(REST_MS)
            with desk.page.expect_download():
                desk.press("save")
            film.take()
            desk.press("clear")
            desk.settled()
    film.save(options.out)
    print(f"{options.out}: {len(film.frames)} frames, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
