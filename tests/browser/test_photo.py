"""The Photo tab in a real browser: a horse is taken out of a photo and something else drawn in its place."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.conftest import WAIT_MS, Desk

pytestmark = pytest.mark.browser

SIZE = (960, 640)  # of the sample photo
SHOE = [(260, 420), (260, 340), (310, 330), (340, 355), (420, 385), (540, 400), (550, 440), (260, 445), (260, 420)]
# The mean colour of a part of the picture, in the photo's pixels.
MEAN = """
([x, y, width, height]) => {
  const canvas = document.querySelector(".eg-photo-picture");
  const { data } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(x, y, width, height);
  const sums = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sums[c] += data[i + c];
  return sums.map((sum) => sum / (data.length / 4));
}
"""
TRUNK, HEAD = (330, 405, 90, 50), (495, 330, 20, 20)  # of the horse


class Photo:
    """The Photo tab and what a person does on it; places are in the photo's pixels."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page = desk, desk.page
        self.open()

    def open(self) -> None:
        self.page.get_by_role("tab", name="Photo").click()
        self.page.wait_for_selector(".eg-photo-stage")

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator(".eg-photo-overlay").bounding_box()
        return box["x"] + x / SIZE[0] * box["width"], box["y"] + y / SIZE[1] * box["height"]

    def press(self, name: str) -> None:
        self.page.locator(f".eg-act-{name}:not([disabled])").click()

    def drag(self, points: list[tuple[float, float]]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=5)
        mouse.up()

    def mean(self, part: tuple[int, int, int, int]) -> np.ndarray:
        return np.array(self.page.evaluate(MEAN, list(part)))

    def redness(self, part: tuple[int, int, int, int]) -> float:
        """Of a brown horse it is above 0, of grass below."""
        red, green, _ = self.mean(part)
        return float(red - green)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        self.desk.until(lambda: bool(holds()), what)

    def idle(self) -> None:
        """Nothing is done any more."""
        self.page.wait_for_function("document.querySelector('.eg-photo-busy').hidden")

    def objects(self) -> list[str]:
        found = self.page.locator(".eg-layer-list option").all_text_contents()
        return [words.replace("\xa0", " ") for words in found]

    def settled(self, part: tuple[int, int, int, int]) -> np.ndarray:
        """A part once it has stopped changing."""
        before, quiet = self.mean(part), 0
        while quiet < 6:
            self.page.wait_for_timeout(100)
            now = self.mean(part)
            quiet = quiet + 1 if np.array_equal(now, before) else 0
            before = now
        return before


def test_a_horse_is_replaced_from_opening_to_saving(desk_of: Callable[..., Desk]) -> None:
    photo = Photo(desk_of())
    page = photo.page
    photo.press("sample")
    photo.until(lambda: photo.redness(TRUNK) > 20, "the sample photo is there")

    page.mouse.click(*photo.at(380, 420))
    page.wait_for_selector(".eg-act-take-away:not([disabled])", timeout=WAIT_MS)
    photo.press("take-away")
    photo.until(lambda: photo.redness(TRUNK) < 0 and photo.redness(HEAD) < 0, "the horse is gone")
    photo.idle()
    empty = photo.settled(TRUNK)

    page.locator(".eg-photo-side .eg-class select").select_option("sneaker")
    photo.press("pen")
    photo.drag(SHOE)
    photo.until(lambda: photo.objects() == ["1 · sneaker"], "the stroke is an object")
    photo.until(lambda: np.abs(photo.mean(TRUNK) - empty).max() > 10, "its picture is in place")
    sneaker = photo.settled(TRUNK)
    page.locator(".eg-photo-side .eg-class select").select_option("handbag")
    photo.until(lambda: photo.objects() == ["1 · handbag"], "another class")
    photo.until(lambda: np.abs(photo.mean(TRUNK) - sneaker).max() > 1, "the same lines, another picture")

    photo.press("move")
    photo.drag([(400, 390), (500, 420), (640, 430)])
    photo.until(
        lambda: np.abs(photo.mean((600, 400, 80, 60)) - photo.mean((840, 400, 80, 60))).max() > 10, "it has moved"
    )
    page.keyboard.press("m")
    moved = photo.settled(TRUNK)
    assert np.abs(moved - empty).max() < 10, "where it was, grass is again"

    with page.expect_download() as download:
        page.locator(".eg-photo-save").click()
    saved = np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())))
    assert download.value.suggested_filename == "meadow_changed.png"
    assert saved.shape == (SIZE[1], SIZE[0], 3)
    x, y, width, height = TRUNK
    assert np.abs(saved[y : y + height, x : x + width].mean((0, 1)) - moved).max() < 6

    steps = 0
    while not page.locator(".eg-act-undo").is_disabled():
        page.keyboard.press("Control+z")
        page.wait_for_timeout(150)
        steps += 1
        assert steps < 12
    assert steps == 7, "photo, choice, taking away, stroke, class, place, mirroring"
    assert page.locator(".eg-photo-empty").is_visible()
    for _ in range(steps):
        page.keyboard.press("Control+Shift+Z")
        page.wait_for_timeout(150)
    photo.until(lambda: photo.objects() == ["1 · handbag"], "all is there again")
    again = photo.settled(TRUNK)
    assert np.abs(again - moved).max() < 3
    page.wait_for_timeout(600)  # it is stored a moment later

    page.reload()
    photo.desk.ready()
    photo.open()
    photo.until(lambda: photo.objects() == ["1 · handbag"], "the object has come back")
    photo.until(lambda: np.abs(photo.mean(TRUNK) - moved).max() < 6, "and the hole is filled again")
    assert not [problem for problem in photo.desk.problems if "WebSocket" not in problem]
