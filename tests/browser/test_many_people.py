"""A dashboard for more people than it holds at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.networks.engine import EdgeGAN
from tests.benchmarks.page import DashboardServer
from tests.browser.conftest import SHOE, Desk
from tests.certificate import certificate
from tests.wire_server import WireServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def for_one() -> Iterator[DashboardServer]:
    with DashboardServer(device="cpu", preheat=False, options=["--most-pages", "1"]) as server:
        yield server


def visitor(browser: Any, **options: Any) -> Any:
    """A page of a browser of its own."""
    page = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options)).new_page()
    page.set_default_timeout(120_000)
    return page


def leave(page: Any) -> None:
    """Close a page as a person does, which tells the server."""
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    page.context.close()


def test_who_waits_sees_the_place_and_gets_the_page_when_it_is_free(browser: Any, for_one: DashboardServer) -> None:
    first = Desk(visitor(browser)).open(for_one.url)
    second, third = visitor(browser), visitor(browser)
    for place, page in enumerate((second, third), start=1):
        page.goto(for_one.url)
        assert page.get_by_role("heading").inner_text() == "All places are taken"
        assert page.get_by_role("status").inner_text().split() == [
            *["Your", "place", "in", "the", "queue:"],
            str(place),
        ]
    first.page.reload()
    first.ready()
    assert second.locator("#place").inner_text() == "1", "a page that is loaded anew keeps its place"
    leave(first.page)
    desk = Desk(second).ready()
    desk.draw(SHOE)
    desk.until(lambda: desk.picture() != desk.first, "a picture of what is drawn")
    third.wait_for_function("document.getElementById('place').textContent === '1'")
    assert len(for_one.kernels()) == 1
    leave(second)
    Desk(third).ready()
    third.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_waiting_page_fits_and_is_readable(browser: Any, for_one: DashboardServer, theme: str) -> None:
    holder, page = visitor(browser), visitor(browser, color_scheme=theme)
    holder.goto(for_one.url)
    page.goto(for_one.url)
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.get_by_text("Keep this page open").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme
    page.context.close()
    holder.context.close()


def test_a_public_dashboard_is_encrypted_and_asks_for_its_token(browser: Any, tmp_path: Path) -> None:
    certificate(tmp_path / "own")
    options = ["--public", "--certfile", str(tmp_path / "own.cert"), "--keyfile", str(tmp_path / "own.key")]
    with DashboardServer(device="cpu", preheat=False, options=options, scheme="https") as server:
        stranger = visitor(browser, ignore_https_errors=True)
        stranger.goto(server.url.partition("?")[0])
        assert stranger.get_by_role("heading").inner_text() == "This page needs its token"
        desk = Desk(visitor(browser, ignore_https_errors=True)).open(server.url)
        desk.draw(SHOE)
        desk.until(lambda: desk.picture() != desk.first, "a picture of what is drawn")
        assert desk.problems == []
        assert re.search(r"Voilà is running at:\nhttps://", server.log())
        secure = {each["name"]: each["secure"] for each in desk.page.context.cookies()}
        assert secure["edgegan-visitor"], "and is sent through TLS only"
        stranger.context.close()
        desk.page.context.close()


def test_pictures_come_from_an_engine_and_are_caught_up_with(browser: Any) -> None:
    with (
        WireServer(EdgeGAN.from_pretrained("default", "cpu")) as engine,
        DashboardServer(device="cpu", preheat=False, options=["--engine", engine.url]) as server,
    ):
        desk = Desk(visitor(browser)).open(server.url)
        assert f"at 127.0.0.1:{engine.port}" in desk.page.locator(".eg-line").inner_text()
        desk.draw(SHOE)
        shoe = desk.settled()
        assert shoe != desk.first
        engine.stop()
        desk.draw([(0.3, 0.5), (0.7, 0.6)])
        ink = desk.ink()
        alert = desk.page.get_by_role("alert")
        alert.wait_for()
        assert "draw on, the picture follows by itself once it answers" in alert.inner_text()
        assert desk.picture() == shoe
        desk.draw([(0.3, 0.2), (0.7, 0.2)])
        desk.until(lambda: desk.ink() > ink, "the pad takes ink")
        engine.start()
        desk.until(lambda: desk.picture() != shoe and alert.count() == 0, "the picture, without a click")
        assert desk.problems == []
        desk.page.context.close()


def test_a_page_that_takes_too_much_is_ended_and_told(browser: Any) -> None:
    with DashboardServer(device="cpu", preheat=False, options=["--page-mb", "300"]) as server:
        desk = Desk(visitor(browser)).open(server.url)
        desk.draw(SHOE)
        with desk.page.expect_navigation():
            desk.page.locator(".eg-closeness .noUi-handle").press("End")  # which loads PyTorch, and that is too much
            told = desk.page.get_by_text("is what it may take")
            told.wait_for()
            said = told.inner_text()
        assert re.search(r"This page took \d+ MB of memory, and 300 MB is what it may take\.", said)
        assert "What you draw is kept; a new kernel is started" in said
        desk.page.wait_for_selector("canvas.eg-ink")
        desk.page.context.close()
