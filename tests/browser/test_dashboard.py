from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.sketch.strokes import Drawing
from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import SHOE, Desk

pytestmark = pytest.mark.browser


def test_draw_and_see(desk_of: Callable[..., Desk], dashboard: DashboardServer) -> None:
    desk = desk_of()
    paper = desk.picture()
    desk.draw(SHOE)
    shoe = desk.settled()
    assert shoe != paper, "a stroke shows a picture"
    assert desk.ink() > 5000, "the ink is on the canvas"
    assert desk.picture(".eg-edge img") is not None

    desk.draw([(0.3, 0.5), (0.5, 0.62), (0.7, 0.6)])
    assert desk.settled() != shoe, "another line, another picture"
    desk.press("undo")
    assert desk.settled() == shoe, "undo restores the picture"
    desk.press("redo")
    assert desk.settled() != shoe
    desk.press("undo")

    desk.page.locator(".eg-class select").select_option("watch")
    assert desk.settled() != shoe, "another class, another picture"
    desk.page.locator(".eg-class select").select_option("sneaker")
    assert desk.settled() == shoe

    desk.press("dice")
    assert desk.settled() != shoe, "another seed, another look"
    desk.press("clear")
    assert desk.settled() == paper
    assert desk.ink() == 0
    assert desk.problems == []
    here = f"http://127.0.0.1:{dashboard.port}/"
    outside = [url for url in desk.requests if not url.startswith((here, here.replace("http", "ws"), "data:", "blob:"))]
    assert outside == [], "nothing leaves the machine"


def test_the_button_released_outside_ends_the_stroke(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    desk.page.mouse.move(*desk.at(0.5, 0.5))
    desk.page.mouse.down()
    desk.page.mouse.move(*desk.at(0.8, 0.5), steps=4)
    desk.page.mouse.move(*desk.at(1.2, 0.5), steps=4)
    desk.page.mouse.up()
    desk.settled()
    ink = desk.ink()
    desk.page.mouse.move(*desk.at(0.3, 0.2), steps=4)  # hovers back over the pad
    desk.page.mouse.move(*desk.at(0.7, 0.8), steps=4)
    desk.settled()
    assert desk.ink() == ink
    assert desk.problems == []


def test_touch_and_a_sharp_screen(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2)
    paper = desk.picture()
    touch = desk.page.context.new_cdp_session(desk.page)
    places = [desk.at(x, y) for x, y in SHOE]
    for kind, place in [("touchStart", places[0]), *(("touchMove", place) for place in places[1:]), ("touchEnd", None)]:
        points = [] if place is None else [{"x": place[0], "y": place[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert desk.settled() != paper
    x, y = SHOE[1]
    painted = desk.page.evaluate(
        "([x, y]) => { const c = document.querySelector('canvas.eg-ink');"
        "return c.getContext('2d').getImageData(x * c.width - 3, y * c.height - 3, 6, 6).data.at(3); }",
        [x, y],
    )
    assert painted > 128, "the ink lies where the finger was"
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        "nothing sticks out sideways"
    )
    assert desk.problems == []


def test_keys(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    desk.draw(SHOE)
    shoe = desk.settled()
    desk.page.locator("canvas.eg-ink").focus()
    desk.page.keyboard.press("Control+z")
    assert desk.settled() != shoe
    desk.page.keyboard.press("Control+Shift+Z")
    assert desk.settled() == shoe
    desk.page.keyboard.press("e")
    desk.until(lambda: "eg-on" in desk.page.locator("button.eg-eraser").get_attribute("class"), "the eraser is chosen")
    desk.page.keyboard.press("]")
    desk.until(lambda: desk.page.locator(".widget-readout").first.inner_text() == "15", "a wider brush")
    desk.page.keyboard.press("Delete")
    desk.until(lambda: desk.ink() == 0, "the pad is empty")
    desk.page.keyboard.press("Tab")
    focused = desk.page.evaluate("document.activeElement.tagName")
    assert focused != "CANVAS", "Tab leaves the pad"
    assert desk.page.locator("canvas.eg-ink").get_attribute("aria-label")


def test_saving_opening_and_errors(desk_of: Callable[..., Desk], tmp_path: Path) -> None:
    desk = desk_of()
    desk.draw(SHOE)
    shoe = desk.settled()
    saved = {}
    for kind, words in (("png", "Picture"), ("json", "Drawing (JSON)")):
        desk.page.locator(".eg-save-what select").select_option(label=words)
        with desk.page.expect_download() as download:
            desk.press("save")
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    with Image.open(saved["png"]) as picture:
        assert picture.size == (128, 128)
        assert np.asarray(picture).std() > 5
    assert len(Drawing.from_json(saved["json"].read_bytes())) == 1

    desk.press("clear")
    desk.choose("open", saved["json"])
    assert desk.settled() == shoe, "the saved drawing is back"

    (tmp_path / "broken.png").write_text("nothing")
    desk.choose("open", tmp_path / "broken.png")
    alert = desk.page.get_by_role("alert")
    alert.wait_for()
    assert "broken.png cannot be read as a picture" in alert.inner_text().lower()
    assert desk.picture() == shoe, "nothing drawn is lost"
    desk.draw([(0.3, 0.5), (0.7, 0.6)])
    desk.until(lambda: alert.count() == 0, "the error goes once things go well")


def test_a_very_fast_pen_leaves_no_queue(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    desk.page.evaluate(
        "window.pictures = 0; document.querySelector('.eg-main img').addEventListener('load', () => window.pictures++)"
    )
    turns = np.linspace(0, 30, 300)
    desk.page.mouse.move(*desk.at(0.5, 0.5))
    desk.page.mouse.down()
    for turn in turns:
        desk.page.mouse.move(*desk.at(0.5 + 0.012 * turn * np.cos(turn), 0.5 + 0.012 * turn * np.sin(turn)))
    desk.page.mouse.up()
    desk.settled()
    assert 1 < desk.page.evaluate("window.pictures") <= len(turns) + 2
    before = desk.page.evaluate("window.pictures")
    desk.page.wait_for_timeout(1500)
    assert desk.page.evaluate("window.pictures") == before, "no pictures come after the last"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_and_is_readable(desk_of: Callable[..., Desk], theme: str) -> None:
    desk = desk_of(f"&theme={theme}")
    for width, height in ((1280, 800), (390, 844)):
        desk.page.set_viewport_size({"width": width, "height": height})
        desk.page.wait_for_timeout(200)
        it_fits(desk, width, height)
    contrast = desk.page.evaluate(
        """() => { const light = colour => { const [r, g, b] = colour.match(/[0-9.]+/g).map(Number)
             .map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
             return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
           const button = getComputedStyle(document.querySelector("button.eg-undo, button.eg-dice"));
           const pair = [light(button.color), light(button.backgroundColor)].sort((a, b) => b - a);
           return (pair[0] + 0.05) / (pair[1] + 0.05); }"""
    )
    assert contrast > 4.5


def it_fits(desk: Desk, width: int, height: int) -> None:
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for selector in (".eg-frame", ".eg-main"):
        box = desk.page.locator(selector).bounding_box()
        assert box["width"] == pytest.approx(box["height"], abs=1)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height + 20, "pad and picture are seen without scrolling"


def test_nothing_is_served_without_the_token_nor_beside_the_page(dashboard: DashboardServer) -> None:
    def status(path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{dashboard.port}{path}", timeout=20) as answer:
                return 403 if "login" in answer.url else answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert status("/") == 403
    assert status("/api/kernels") in (403, 404)
    with_token = f"?token={dashboard.token}"
    for path in ("draw.ipynb", "dashboard.ipynb", "../setup.cfg", "../edgegan_widget/panels/drawing/sketchpad.py"):
        assert status(f"/voila/files/{path}{with_token}") in (403, 404), path
    assert status(f"/api/contents{with_token}") in (403, 404)


def test_json_of_a_page_error_is_not_a_traceback(dashboard: DashboardServer) -> None:
    url = f"http://127.0.0.1:{dashboard.port}/voila/render/none.ipynb?token={dashboard.token}"
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode()
    assert "Traceback" not in text
    assert json.dumps(text)
