"""Real pictures like the drawing, in a real browser: found while one draws, laid under the pad, drawn with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgegan_widget.retrieval.index import Index
from tests.browser.conftest import SHOE, Desk
from tests.test_retrieval import star

pytestmark = pytest.mark.browser

STRIP = ".eg-nearest-pictures .eg-thumb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen pictures with their index; "sneaker" is what the page draws first."""
    root = tmp_path_factory.mktemp("nearest")
    (root / "sneaker").mkdir()
    for number in range(14):
        star(number).save(root / "sneaker" / f"{number}.png")
    Index.build(root, workers=1)
    return root


def unfold(desk: Desk) -> None:
    desk.page.get_by_text("Real pictures like this").click()
    desk.page.wait_for_selector(".eg-nearest-folder input", state="visible")


@pytest.mark.parametrize(("size", "theme"), [((1280, 800), "dark"), ((390, 844), "light")])
def test_a_real_picture_is_found_traced_and_drawn_with(
    desk_of: Callable[..., Desk], folder: Path, size: tuple[int, int], theme: str
) -> None:
    desk = desk_of(f"&theme={theme}", viewport={"width": size[0], "height": size[1]})
    page = desk.page
    desk.draw(SHOE)
    unfold(desk)
    page.locator(".eg-nearest-folder input").fill(str(folder))
    page.keyboard.press("Enter")
    desk.until(lambda: page.locator(STRIP).count() == 12, "twelve pictures are shown")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(f"{STRIP} button").first.click()
    desk.until(lambda: page.locator(".eg-underlay").is_visible(), "a picture lies under the pad")
    ink = desk.ink()
    page.locator(f"{STRIP} .eg-take").nth(3).click()
    desk.until(lambda: desk.ink() != ink, "its lines are drawn")
    assert desk.problems == []


def test_the_folder_is_there_again_after_a_reload(desk_of: Callable[..., Desk], folder: Path) -> None:
    desk = desk_of()
    page = desk.page
    desk.draw(SHOE)
    unfold(desk)
    page.locator(".eg-nearest-folder input").fill(str(folder))
    page.keyboard.press("Enter")
    desk.until(lambda: page.locator(STRIP).count() == 12, "twelve pictures are shown")
    page.reload()
    page.wait_for_selector(".eg-main img")
    page.wait_for_function("document.querySelector('.eg-line')?.textContent.includes('Ready')")
    unfold(desk)
    desk.until(
        lambda: page.locator(".eg-nearest-folder input").input_value() == str(folder), "the folder is remembered"
    )
    desk.until(lambda: page.locator(STRIP).count() == 12, "and looked up in again")
