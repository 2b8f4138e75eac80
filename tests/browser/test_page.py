"""The page as a whole: whom it lets in, its colours and sizes, and what it tells those who do not see it."""

from __future__ import annotations

import importlib.util
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.words import spoken
from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import SHOE, Desk

pytestmark = pytest.mark.browser

TABS = ("Draw", "Photo", "Data", "Train", "Fine-tune", "Evaluate")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def axe_source() -> str:
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("axe-playwright-python is not installed: accessibility is not checked")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text("utf-8")


def violations(page: Any) -> list[str]:
    """What axe finds against WCAG's levels A and AA, with the element."""
    report = page.evaluate("levels => axe.run(document, { runOnly: levels })", LEVELS)
    return [
        f"{rule['id']}: {node['html'][:160]} {(node['any'] or node['all'] or node['none'])[0]['message']}"
        for rule in report["violations"]
        for node in rule["nodes"]
    ]


def show(desk: Desk, name: str) -> None:
    """Open a tab and wait until its panel is there."""
    desk.page.get_by_role("tab", name=name, exact=True).click()
    opening = "[...document.querySelectorAll('.eg-opening')].some(part => part.checkVisibility())"
    desk.page.wait_for_function(f"!{opening}")


def at_work(desk: Desk, broken: Path) -> None:
    """A drawing with variations, one of them kept, the history, and an error."""
    desk.page.get_by_role("combobox", name="Variations").select_option("4")
    desk.draw(SHOE)
    desk.page.get_by_title("Keep variation 2").click()
    desk.page.locator(".eg-look").first.wait_for()
    broken.write_text("nothing")
    desk.choose("open", broken)
    desk.page.get_by_role("alert").wait_for()


@pytest.fixture(scope="module")
def desk(browser: Any, dashboard: DashboardServer) -> Iterator[Desk]:
    """One page for all that leaves it as it was."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    desk = Desk(context.new_page()).open(dashboard.url)
    desk.page.evaluate(axe_source())
    yield desk
    context.close()


def paint(desk: Desk, theme: str) -> None:
    """Have the system prefer this theme."""
    desk.page.emulate_media(color_scheme=theme)
    desk.page.locator(f"body.theme-{theme}").wait_for()
    desk.page.wait_for_timeout(300)  # some colours change slowly


def resize(desk: Desk, width: int, height: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": height})
    desk.page.wait_for_timeout(200)


WATCH = """
() => {
  const parts = () => [...document.querySelectorAll(".eg-opening, .eg-evaluate")];
  const look = (tell) => {
    const seen = parts().find((part) => part.checkVisibility());
    if (seen) tell(seen.className);
    else requestAnimationFrame(() => look(tell));
  };
  window.egShown = new Promise((tell) =>
    document.addEventListener("pointerdown", () => look(tell), { capture: true, once: true }));
}
"""


def test_a_tab_shows_something_at_once(desk: Desk) -> None:
    desk.page.evaluate(WATCH)
    desk.page.get_by_role("tab", name="Evaluate").click()
    assert "eg-opening" in desk.page.evaluate("window.egShown"), "before its kernel has made the tab"
    desk.page.locator(".eg-evaluate").wait_for()
    assert desk.page.get_by_text("Opening Evaluate").count() == 0


def test_classes_are_written_as_people_write_them(desk: Desk) -> None:
    classes = desk.page.locator(".eg-class option").all_inner_texts()
    names = [text.replace("\xa0", " ") for text in classes]
    assert {"T-shirt", "flip-flop", "formal shoe"} <= set(names)
    assert spoken("tshirt") in names
    assert not any("_" in name for name in names)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_those_who_see_little(desk: Desk, theme: str) -> None:
    paint(desk, theme)
    found = []
    for name in TABS:
        show(desk, name)
        found += [f"{name}: {problem}" for problem in violations(desk.page)]
    assert found == []


def test_everything_has_a_name(desk: Desk) -> None:
    page = desk.page
    show(desk, "Draw")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("main").count() == page.get_by_role("heading", level=1).count() == 1
    for kind, name in (
        ("button", "Open sketch…"), ("button", "Photo to trace…"), ("slider", "Brush"), ("img", "The picture"),
        ("spinbutton", "Seed: number of the look"), ("combobox", "Variations"), ("heading", "Style"),
    ):  # fmt: skip
        assert page.get_by_role(kind, name=name, exact=True).count() == 1, name
    pressed = [page.locator(f"button.eg-{name}").get_attribute("aria-pressed") for name in ("pen", "eraser")]
    assert pressed == ["true", "false"]
    page.keyboard.press("e")
    page.locator("button.eg-eraser[aria-pressed=true]").wait_for()
    assert page.locator("button.eg-pen").get_attribute("aria-pressed") == "false"
    assert page.locator(".eg-line").get_attribute("aria-live") == "polite"
    page.keyboard.press("p")
    focus_is_seen(page)


def focus_is_seen(page: Any) -> None:
    """Everything that Tab reaches on the first tab shows that it has the focus."""
    page.locator(".eg-class select:visible").focus()
    for _ in range(25):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { let node = document.activeElement; const own = getComputedStyle(node);
                 return [node.outerHTML.slice(0, 120), own.outlineStyle !== "none" || own.boxShadow !== "none"]; }"""
        )
        assert seen[1], seen[0]


def test_chosen_buttons_stay_readable_under_the_pointer(desk: Desk) -> None:
    for tab, button in (
        ("Draw", "button.eg-pen"),
        ("Fine-tune", ".eg-source button.mod-active"),
        ("Train", ".eg-start"),
    ):
        show(desk, tab)
        desk.page.locator(button).locator("visible=true").first.hover()
        desk.page.wait_for_timeout(300)
        found = desk.page.evaluate("axe.run(document, { runOnly: ['color-contrast'] }).then(r => r.violations.length)")
        assert found == 0, button


def test_the_pad_grows_with_the_window(desk: Desk) -> None:
    show(desk, "Draw")
    sides = []
    for width, height in ((1280, 800), (1920, 1080), (3000, 1600)):
        resize(desk, width, height)
        pad, picture = (desk.page.locator(name).bounding_box() for name in (".eg-frame", ".eg-main"))
        assert pad["y"] == picture["y"], "side by side"
        assert pad["width"] == picture["width"] == pytest.approx(pad["height"], abs=1)
        assert desk.page.locator(".eg-tools").bounding_box()["y"] < height - 34, "the tools are in sight"
        sides.append(pad["width"])
    assert 550 < sides[0] < sides[1] < sides[2] == 1024


@pytest.mark.parametrize("size", [(844, 390), (667, 375)])
def test_a_phone_on_its_side_shows_pad_and_picture(desk: Desk, size: tuple[int, int]) -> None:
    show(desk, "Draw")
    resize(desk, *size)
    boxes = [desk.page.locator(name).bounding_box() for name in (".eg-frame", ".eg-main")]
    assert boxes[0]["y"] == boxes[1]["y"]
    tools = desk.page.locator(".eg-tools").bounding_box()
    for box in (*boxes, tools):
        assert box["y"] + box["height"] <= size[1]
        assert 0 <= box["x"] <= box["x"] + box["width"] <= size[0]
    assert boxes[0]["width"] > 200
    assert desk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    resize(desk, 1280, 800)


def test_nothing_is_in_the_way_at_work_either(desk: Desk, tmp_path: Path) -> None:
    show(desk, "Draw")
    paint(desk, "light")
    at_work(desk, tmp_path / "broken.png")
    assert violations(desk.page) == []
    variations = [desk.page.get_by_label(f"Make variation {number} the picture") for number in (1, 2)]
    assert [button.get_attribute("aria-pressed") for button in variations] == ["true", "false"]
    assert desk.page.get_by_role("region", name="History").is_visible()
    paint(desk, "dark")
    assert violations(desk.page) == []


def colours(page: Any) -> tuple[str, str]:
    """Of the page behind the panels as browsers paint it: its theme, and its background's name."""
    dark = page.evaluate("document.body.classList.contains('theme-dark')")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return ("dark" if dark else "light"), ("black" if sum(map(int, back[4:-1].split(","))) < 200 else "white")


def test_colours_follow_the_system_or_what_was_chosen(desk: Desk, dashboard: DashboardServer) -> None:
    page = desk.page
    assert page.title() == "EdgeGAN: draw and see"
    page.emulate_media(color_scheme="dark")
    desk.until(lambda: colours(page) == ("dark", "black"), "dark as the system")
    page.emulate_media(color_scheme="light")
    desk.until(lambda: colours(page) == ("light", "white"), "light as the system")
    switch = page.get_by_label("Colours")
    assert switch.input_value() == "system"
    switch.select_option("dark")
    assert colours(page) == ("dark", "black")
    desk.open(dashboard.url)
    assert colours(page) == ("dark", "black"), "it is remembered"
    assert page.get_by_label("Colours").input_value() == "dark"


@pytest.fixture
def stranger(browser: Any) -> Iterator[Any]:
    """A page of a browser that has not been here before."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_who_has_no_token_is_told_where_it_is(stranger: Any, dashboard: DashboardServer) -> None:
    address = dashboard.url.partition("?")[0]
    stranger.goto(address)
    assert stranger.title() == "EdgeGAN: token needed"
    assert "stands in the terminal" in stranger.get_by_role("main").inner_text()
    field = stranger.get_by_label("Token, or the whole address")
    field.fill("guessed")
    field.press("Enter")
    assert "not this server's token" in stranger.get_by_role("alert").inner_text()
    stranger.evaluate(axe_source())
    assert violations(stranger) == []
    field.fill(f"{address}?token={dashboard.token}")
    with stranger.expect_navigation(wait_until="commit"):
        stranger.get_by_role("button", name="Open the page").click()
    assert urllib.parse.urlsplit(stranger.url).path == "/"
    assert stranger.title() == "EdgeGAN: draw and see"


@pytest.mark.usefixtures("desk")
def test_the_log_alarms_nobody(dashboard: DashboardServer) -> None:
    told = dashboard.log()
    assert "running at" in told
    alarming = [line for line in told.splitlines() if "WARN" in line or "ERROR" in line or "ping_timeout" in line]
    assert alarming == []
