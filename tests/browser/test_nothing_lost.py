"""Reload, a second page, a kernel and a server that die in the middle of a stroke: nothing drawn is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import Desk

pytestmark = pytest.mark.browser

LINES = [[(0.2, 0.2 + 0.2 * number), (0.5, 0.25 + 0.2 * number), (0.8, 0.2 + 0.2 * number)] for number in range(3)]
# Dark points of the pad as a person sees it: the kernel's ink and the browser's own above it.
SEEN = """
() => {
  const frame = document.querySelector(".eg-frame");
  const whole = Object.assign(document.createElement("canvas"), { width: 256, height: 256 });
  const context = whole.getContext("2d", { willReadFrequently: true });
  for (const canvas of frame.querySelectorAll("canvas")) context.drawImage(canvas, 0, 0, 256, 256);
  return (points) => points.map(([x, y]) => context.getImageData(x * 256 - 1, y * 256 - 1, 3, 3).data
    .some((value, place) => place % 4 === 3 && value > 128));
}
"""


def sees(desk: Desk, *lines: list[tuple[float, float]]) -> bool:
    """Whether ink is seen at the middle of each line."""
    middles = [list(line[1]) for line in lines]
    return all(desk.page.evaluate(f"(points) => ({SEEN})()(points)", middles))


def banner(desk: Desk) -> str:
    return desk.page.evaluate("document.querySelector('.eg-banner')?.textContent ?? ''")


def ready(desk: Desk) -> None:
    desk.page.wait_for_selector(".eg-main img")
    desk.page.wait_for_function("document.querySelector('.eg-line')?.textContent.includes('Ready')")


def looks(desk: Desk) -> int:
    return desk.page.locator(".eg-look").count()


def test_a_reload_brings_drawing_choices_and_history_back(desk_of: Callable[..., Desk]) -> None:
    desk = desk_of()
    desk.page.locator(".eg-class select").select_option("watch")
    desk.draw(LINES[0])
    desk.settled()
    desk.press("dice")
    desk.settled()
    seed = desk.page.locator(".eg-controls input[type=number]").first.input_value()
    desk.draw(LINES[1])
    desk.settled()
    desk.until(lambda: looks(desk) == 2, "the look that was asked for, and the one before")
    desk.settled()
    before = desk.from_afar()
    desk.page.locator(".eg-look .eg-star").first.click()
    desk.page.wait_for_selector(".eg-look.eg-starred")
    desk.page.wait_for_timeout(400)  # it is stored a moment later
    desk.page.reload()
    ready(desk)
    desk.until(lambda: desk.shows(before), "the same picture")
    assert sees(desk, *LINES[:2])
    assert desk.page.locator(".eg-class select").input_value() == "watch"
    assert desk.page.locator(".eg-controls input[type=number]").first.input_value() == seed
    assert looks(desk) == 2
    assert desk.page.locator(".eg-look.eg-starred").count() == 1

    context, url = desk.page.context, desk.page.url
    second = Desk(context.new_page()).open(url)
    assert looks(second) == 0, "the first page is open and keeps what is its own"
    second.draw(LINES[2])
    second.settled()
    second.page.close()
    desk.page.reload()
    ready(desk)
    desk.until(lambda: desk.shows(before), "the second page overwrote nothing")
    assert not sees(desk, LINES[2])

    desk.page.wait_for_timeout(400)  # stored, so that this page's record is the newest
    desk.page.close()
    third = Desk(context.new_page()).open(url)
    third.until(lambda: sees(third, *LINES[:2]), "what was drawn last on a page that is closed now")
    for _ in range(2):
        third.page.locator(".eg-forget").click()
    third.until(lambda: third.ink() == 0 and looks(third) == 0, "all is forgotten")
    third.page.wait_for_timeout(400)
    third.page.reload()
    ready(third)
    assert (third.ink(), looks(third)) == (0, 0)
    assert desk.problems == second.problems == third.problems == []


def test_a_kernel_that_dies_in_the_middle_of_a_stroke(desk_of: Callable[..., Desk], own: DashboardServer) -> None:
    desk = page_of(desk_of, own)
    desk.draw(LINES[0])
    desk.settled()
    begin(desk, LINES[1])
    own.kill_kernels(desk.page.evaluate("window.edgegan.sides[0].pulse.kernel.id"))
    end(desk, LINES[1])
    desk.draw(LINES[2])
    assert sees(desk, *LINES), "what is drawn meanwhile is seen"
    desk.page.wait_for_function("document.querySelector('.eg-banner')?.textContent")
    ready_again(desk)
    assert sees(desk, *LINES), "every stroke is there again"
    assert len(desk.page.locator(".eg-main img").all()) == 1


def test_a_server_that_dies_in_the_middle_of_a_stroke(desk_of: Callable[..., Desk], own: DashboardServer) -> None:
    desk = page_of(desk_of, own)
    desk.draw(LINES[0])
    desk.settled()
    begin(desk, LINES[1])
    own.kill()
    end(desk, LINES[1])
    desk.page.wait_for_function("document.querySelector('.eg-banner')?.textContent")
    desk.draw(LINES[2])
    assert "server does not answer" in banner(desk)
    assert sees(desk, *LINES)
    own.start()
    ready_again(desk)
    assert sees(desk, *LINES), "every stroke is there again"


@pytest.fixture(scope="module")
def own() -> Iterator[DashboardServer]:
    """A server that only these tests have, since it is killed."""
    with DashboardServer(device="cpu") as server:
        yield server


def page_of(desk_of: Callable[..., Desk], server: DashboardServer) -> Desk:
    desk = desk_of()
    desk.page.goto("about:blank")
    return desk.open(server.url)


def begin(desk: Desk, line: list[tuple[float, float]]) -> None:
    desk.page.mouse.move(*desk.at(*line[0]))
    desk.page.mouse.down()
    desk.page.mouse.move(*desk.at(*line[1]), steps=6)


def end(desk: Desk, line: list[tuple[float, float]]) -> None:
    desk.page.mouse.move(*desk.at(*line[2]), steps=6)
    desk.page.mouse.up()


def ready_again(desk: Desk) -> None:
    """The page has loaded itself anew and shows the drawing's picture."""
    desk.until(lambda: _ink(desk) > 0, "the page comes back by itself")
    ready(desk)
    desk.until(lambda: banner(desk) == "", "nothing is wrong any more")
    desk.until(lambda: desk.picture() is not None, "a picture")


def _ink(desk: Desk) -> int:
    try:
        loaded: Any = desk.page.evaluate("!document.querySelector('.eg-banner')?.textContent")
        return desk.ink() if loaded else 0
    except Exception:  # between two pages
        return 0
