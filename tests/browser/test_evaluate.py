"""Evaluating on the page: a real evaluation in a real process, its table, its pictures, and the pad beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import SHOE, Desk
from tests.fake_evaluations import fake_report, write_model

pytestmark = pytest.mark.browser

WIPED = "() => getComputedStyle(document.querySelector('.eg-wipe > img:nth-child(2)')).clipPath"
EDGE = "() => document.querySelector('.eg-wipe').style.getPropertyValue('--eg-at')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command is given, with two small models."""
    made = tmp_path_factory.mktemp("folder")
    for seed, name in enumerate(("first", "second")):
        write_model(made / name, seed)
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[DashboardServer]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        with DashboardServer(str(folder / "first"), device="cpu", preheat=False) as started:
            yield started
    finally:
        os.chdir(before)


@pytest.fixture
def desk_at(browser: Any, server: DashboardServer) -> Iterator[Callable[..., Desk]]:
    contexts = []

    def make(query: str = "", **options: Any) -> Desk:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options)))
        return Desk(contexts[-1].new_page()).open(server.url + query)

    yield make
    for context in contexts:
        context.close()


class Judge:
    """What a person does and sees on the Evaluate tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page = desk, desk.page

    def open(self, tab: str = "Evaluate") -> None:
        self.page.get_by_role("tab", name=tab).click()
        self.page.locator(".eg-evaluate .eg-headline" if tab == "Evaluate" else ".eg-frame").wait_for()

    def type(self, field: str, value: str) -> None:
        box = self.page.locator(f".eg-evaluate .eg-{field} input")
        box.fill(value)
        box.press("Enter")

    def choose_models(self, *names: str) -> None:
        while self.page.locator(".eg-model").count():
            self.page.locator(".eg-model button").first.click()
            self.page.wait_for_timeout(200)
        self.page.locator(".eg-evaluate .eg-start-from select").select_option(label="another: type its path")
        for number, name in enumerate(names, 1):
            self.type("start-path", name)
            self.page.get_by_text("compact, 64 px; draws ball, box").wait_for()
            self.desk.press("add-model")
            self.page.locator(".eg-model").nth(number - 1).wait_for()

    def set_up(self, data: Path, classifier_steps: int) -> None:
        self.type("data", str(data))
        self.page.get_by_text("6 held-out pictures, 2 classes").wait_for()
        self.page.locator(".eg-evaluate .jupyter-widget-Collapse-header").click()
        for field, value in (("robustness_per_class", "0"), ("classifier_steps", str(classifier_steps))):
            self.type(f"set-{field}", value)
        self.type("set-cache", "none")

    def start(self) -> None:
        self.page.locator(".eg-evaluate button.eg-start").click()

    def headline(self) -> str:
        return str(self.page.locator(".eg-evaluate .eg-headline").inner_text())

    def until(self, word: str) -> None:
        self.desk.until(lambda: word in self.headline(), f"the headline has {word}: {self.headline()}")

    def answers(self) -> list[int | None]:
        count = self.page.locator(".eg-answer img").count()
        return [self.desk.picture(f".eg-answer:nth-child({place + 1}) img") for place in range(count)]


def test_measure_look_slide_try_and_stop(desk_at: Callable[..., Desk], folder: Path, shapes: Path) -> None:
    desk = desk_at(has_touch=True)
    desk.draw(SHOE)
    desk.settled()
    judge = Judge(desk)
    judge.open()
    judge.choose_models("first", "second")
    judge.set_up(shapes, 2)
    judge.start()
    judge.until("finished")
    cells = desk.page.locator("button.eg-score")
    desk.until(lambda: desk.page.locator(".eg-names").count() == 2, "both models are in the table")

    look_into_numbers(desk, cells)
    slide(desk)

    before = judge.answers()
    desk.press("try")
    desk.until(lambda: judge.answers() != before, "the pad's drawing is tried")
    desk.until(lambda: len(set(judge.answers())) == 3, "by both models, who differ")
    assert desk.page.locator(".eg-answer").nth(2).inner_text().endswith(" ms")

    desk.press("save-report")
    desk.page.get_by_text("and the page beside it").wait_for()
    saved = sorted(path for path in (folder / "evaluations").iterdir() if path.is_file())
    assert [path.suffix for path in saved] == [".html", ".json"]
    assert len(json.loads(saved[1].read_text())["models"]) == 2

    judge.type("set-classifier_steps", "1000000")
    judge.start()
    judge.until("raining the classifier")
    judge.open("Draw")
    paper = desk.picture()
    desk.press("clear")
    desk.draw([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)])
    assert desk.settled() != paper, "the pad is live while models are measured"
    judge.open()
    desk.page.locator(".eg-evaluation button.eg-stop").click()
    judge.until("stopped")
    desk.choose("open-report", saved[1])
    judge.until("A saved report")
    assert cells.count() > 0
    assert desk.page.get_by_role("alert").count() == 0
    assert desk.problems == []


def look_into_numbers(desk: Desk, cells: Any) -> None:
    """With the pointer and with the keyboard."""
    lines = desk.page.locator("button.eg-score[title*='F-score']")
    lines.first.click()
    desk.page.locator("figure.eg-tile").first.wait_for()
    assert desk.page.locator(".eg-gallery").get_by_text("first, F-score").is_visible()
    classes = desk.page.locator("button.eg-score[title*='right class']").nth(1)
    classes.focus()
    desk.page.keyboard.press("Enter")
    desk.page.locator("table.eg-matrix").wait_for()
    assert desk.page.locator(".eg-gallery").get_by_text("second, right class").is_visible()
    desk.press("close")
    desk.until(lambda: desk.page.locator("figure.eg-tile").count() == 0, "the pictures are gone")
    assert cells.count() > 0


def slide(desk: Desk) -> None:
    """With the keyboard, the pointer and a finger; the picture follows without the kernel."""
    desk.page.locator(".eg-source-set select").select_option(index=0)
    desk.page.locator(".eg-answer img").nth(2).wait_for()
    desk.page.wait_for_timeout(500)  # the times of the answers may still come in and draw them anew
    slider = desk.page.locator(".eg-wipe input")
    slider.focus()
    middle = desk.page.evaluate(WIPED)
    for _ in range(10):
        desk.page.keyboard.press("ArrowRight")
    assert desk.page.evaluate(EDGE) == "60"
    assert desk.page.evaluate(WIPED) != middle
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    desk.page.mouse.move(box["x"] + 0.8 * box["width"], y)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + 0.2 * box["width"], y, steps=5)
    desk.page.mouse.up()
    assert abs(int(desk.page.evaluate(EDGE)) - 20) <= 2
    desk.page.touchscreen.tap(box["x"] + 0.7 * box["width"], y)
    desk.until(lambda: abs(int(desk.page.evaluate(EDGE)) - 70) <= 2, "the edge is where the finger was")


@pytest.mark.parametrize(("size", "theme"), [((1280, 800), "dark"), ((390, 844), "light")])
def test_a_report_fits_the_page(
    desk_at: Callable[..., Desk], tmp_path: Path, size: tuple[int, int], theme: str
) -> None:
    (tmp_path / "report.json").write_text(json.dumps(fake_report()))
    desk = desk_at(f"&theme={theme}", viewport={"width": size[0], "height": size[1]})
    judge = Judge(desk)
    judge.open()
    desk.choose("open-report", tmp_path / "report.json")
    judge.until("A saved report")  # until then the table of an evaluation that was there before may stand here
    desk.page.locator("button.eg-score").first.click()
    desk.page.locator(".eg-gallery").get_by_text("not on this machine").wait_for()
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    wide = desk.page.locator(".eg-gallery").bounding_box()
    assert wide["x"] + wide["width"] <= size[0]
    desk.page.locator(".eg-go:visible .eg-why").get_by_text("No data is named").wait_for()
    assert desk.page.locator(".eg-evaluate button.eg-start").is_disabled()
    assert desk.problems == []
