"""Training on the page: a real run in a real process, watched, stopped, found again, resumed and drawn with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.training.runs.jobs import Run
from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import SHOE, Desk
from tests.fake_runs import write_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command is given; its runs are listed on the page."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[DashboardServer]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        with DashboardServer(device="cpu", preheat=False) as started:
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


class Trainer:
    """What a person does and sees on the Train tab."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.page = desk, desk.page

    def open(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab).click()
        self.page.locator(".eg-run .eg-headline:visible" if tab != "Draw" else ".eg-frame").first.wait_for()

    def type(self, field: str, value: str) -> None:
        box = self.page.locator(f".eg-{field} input:visible")
        box.fill(value)
        box.press("Enter")

    def line(self) -> str:
        return self.page.locator(".eg-headline:visible").inner_text()

    def until_line_has(self, *parts: str) -> None:
        self.desk.until(lambda: all(part in self.line() for part in parts), f"the run's line has {', '.join(parts)}")

    def step(self) -> int:
        words = self.line().replace(",", "").split()
        return int(words[words.index("step") + 1]) if "step" in words else 0


def test_train_watch_stop_reload_resume_and_use(
    desk_at: Callable[..., Desk], server: DashboardServer, folder: Path, shapes: Path, request: pytest.FixtureRequest
) -> None:
    desk = desk_at()
    panel = Trainer(desk)
    panel.open("Train")
    panel.type("data", str(shapes))
    desk.page.get_by_text("ball (8)").wait_for()
    desk.page.locator(".eg-preset select:visible").select_option("paper")
    desk.page.locator(".eg-people:visible").wait_for(state="hidden")
    desk.page.locator(".eg-preset select:visible").select_option("projected")
    desk.page.locator(".eg-people:visible").wait_for()
    for field, value in (("name", "first"), ("set-epochs", "100000"), ("set-batch_size", "4")):
        panel.type(field, value)
    desk.page.get_by_text("More settings").click()
    for field, value in (("set-width", "8"), ("set-save_every_seconds", "2")):
        panel.type(field, value)
    request.addfinalizer(lambda: Run(folder / "runs" / "first").stop())
    desk.press("start")
    panel.until_line_has("first", "running", "images/s", "left")
    desk.until(lambda: desk.picture(".eg-grid") is not None, "samples appear")
    desk.until(lambda: desk.picture(".eg-curves img") is not None, "curves appear")

    panel.open("Draw")
    paper = desk.picture()
    desk.draw(SHOE)
    assert desk.settled() != paper, "the pad is live while training runs"

    desk.page.reload()
    desk.page.wait_for_selector(".eg-main img")
    panel.open("Train")
    panel.until_line_has("first", "running")
    before = panel.step()
    desk.until(lambda: panel.step() > before, "the run is followed again")
    assert len(server.kernel_megabytes()) == 1, "the page that was left has ended its kernel"
    desk.press("stop")
    panel.until_line_has("stopped")
    stopped_at = panel.step()

    desk.press("resume")
    panel.until_line_has("running", "step")
    desk.until(lambda: panel.step() > stopped_at, "it goes on")
    desk.press("stop")
    panel.until_line_has("stopped")

    desk.press("use")
    desk.page.locator(".eg-frame").wait_for()
    status = desk.page.locator(".eg-line")
    desk.until(lambda: "model first (best)" in status.inner_text(), "the pad has the new model")
    assert desk.page.locator(".eg-class select").inner_text().split() == ["ball", "box"]
    desk.press("clear")  # the drawing came back with the reload
    desk.until(lambda: desk.ink() == 0, "the pad is empty")
    paper = desk.settled()
    desk.draw(SHOE)
    assert desk.settled() != paper
    assert desk.page.get_by_role("alert").count() == 0
    assert desk.problems == []


def across(part: Any) -> tuple[float, float]:
    """Where it begins and ends on the page, from the left."""
    box = part.bounding_box()
    return box["x"], box["x"] + box["width"]


@pytest.mark.parametrize(("size", "theme"), [((1280, 800), "dark"), ((390, 844), "light")])
def test_the_panels_fit_and_errors_are_seen(
    desk_at: Callable[..., Desk], folder: Path, size: tuple[int, int], theme: str
) -> None:
    write_run(folder / "runs", "earlier", done=1000)
    write_run(folder / "runs", "tuned", done=400, start_from="default")
    desk = desk_at(f"&theme={theme}", viewport={"width": size[0], "height": size[1]})
    panel = Trainer(desk)
    desk.draw(SHOE)
    desk.settled()
    assert all(0 <= at < end <= size[0] for at, end in map(across, desk.page.get_by_role("tab").all())), "all in sight"
    for tab in ("Train", "Fine-tune"):
        panel.open(tab)
        desk.page.locator(".eg-live:visible .eg-curves img").first.wait_for()
        assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), tab
        desk.page.locator("button.eg-start:visible").click()
        alert = desk.page.locator(".eg-go:visible [role=alert]")
        alert.wait_for()
        assert "No data is named" in alert.inner_text()
        box = alert.bounding_box()
        assert box["y"] + box["height"] <= size[1], "what went wrong is in sight"
    desk.page.get_by_text("My own drawings").click()
    desk.press("add-drawing")
    desk.page.get_by_text("1 of sneaker").wait_for()
    desk.page.locator("button.eg-remove").click()
    desk.page.get_by_text("None yet").wait_for()
    assert desk.problems == []


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_peoples_drawings_are_counted_on_the_page(
    desk_at: Callable[..., Desk], shapes: Path, people: Path, size: tuple[int, int]
) -> None:
    """The recipe that is offered first asks for them; a folder that is missing is told below the field."""
    desk = desk_at(viewport={"width": size[0], "height": size[1]})
    panel = Trainer(desk)
    panel.open("Train")
    panel.type("data", str(shapes))
    desk.page.get_by_text("ball (8)").wait_for()
    field = desk.page.locator(".eg-set-sketches textarea:visible")
    for typed, shown in ((str(people), "people/set/ball"), (f"{people}\n{people}/none", "There are no drawings at")):
        field.fill(typed)
        field.blur()
        desk.page.locator(".eg-people:visible").get_by_text(shown).wait_for()
        assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    desk.page.get_by_text("More settings").first.click()
    desk.page.locator(".eg-set-people_share:visible").wait_for()
    assert desk.page.locator(".eg-set-augment:visible").count() == 0, "that recipe does not read it"
    assert desk.problems == []


def test_keys_do_not_reach_the_pad_from_other_tabs(desk_at: Callable[..., Desk]) -> None:
    desk = desk_at()
    desk.draw(SHOE)
    desk.settled()
    ink = desk.ink()
    panel = Trainer(desk)
    panel.open("Train")
    desk.page.keyboard.press("Delete")
    desk.page.keyboard.press("Control+z")
    desk.page.get_by_role("tab", name="Train").focus()
    desk.page.keyboard.press("Delete")
    panel.open("Draw")
    desk.settled()
    assert desk.ink() == ink
    desk.page.keyboard.press("Control+z")
    desk.until(lambda: desk.ink() == 0, "on its own tab the pad listens")
