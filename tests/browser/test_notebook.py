"""The pad in a notebook cell of JupyterLab."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import SHOE, Desk

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
RESTART = """
async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.sessionContext.session.kernel.restart();
}
"""
RUN_AGAIN = """
async () => {
  const app = window.jupyterapp;
  const panel = app.shell.currentWidget;
  await panel.sessionContext.session.kernel.info;
  panel.content.activeCellIndex = 1;
  await app.commands.execute("notebook:run-cell");
}
"""
RUN_FIRST = """
async () => {
  const app = window.jupyterapp;
  await app.restored;
  await app.commands.execute("docmanager:open", { path: "draw.ipynb" });
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  panel.content.activeCellIndex = 1;
  await app.commands.execute("notebook:run-cell");
}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tmp_path = tmp_path_factory.mktemp("lab")
    shutil.copy(NOTEBOOKS / "draw.ipynb", tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={tmp_path}"]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    own = {
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "w"),
    }
    with (tmp_path / "lab.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | own)
    url = f"http://127.0.0.1:{port}/lab"
    try:
        wait_until_open(process, url, tmp_path / "lab.log")
        yield url
    finally:
        process.terminate()
        process.wait(60)


def wait_until_open(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "JupyterLab never answered"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


@pytest.fixture
def desk(browser: Any, lab: str) -> Iterator[Desk]:
    """The pad in a cell that was run just now."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    desk = Desk(context.new_page())
    desk.page.goto(lab)
    desk.page.wait_for_function("window.jupyterapp?.shell")
    desk.page.evaluate(RUN_FIRST)
    yield desk.ready()
    context.close()


def test_the_pad_works_in_a_cell(desk: Desk) -> None:
    paper = desk.picture()
    desk.page.locator(".eg-frame").scroll_into_view_if_needed()
    desk.draw(SHOE)
    shoe = desk.settled()
    assert shoe != paper
    ink = desk.ink()
    assert ink > 3000
    desk.page.keyboard.press("Control+z")
    desk.until(lambda: desk.ink() == 0, "undo takes the ink away, and the notebook keeps its cells")
    desk.page.keyboard.press("Control+Shift+Z")
    desk.until(lambda: desk.ink() > 3000, "redo brings it back")
    desk.press("dice")
    look = desk.settled()
    looks = desk.page.locator(".eg-look")
    desk.until(lambda: looks.count() == 2, "both looks are in the history")

    desk.page.evaluate(RESTART)
    desk.page.wait_for_function("document.querySelector('.eg-banner')?.textContent.includes('Run this cell again')")
    desk.draw([(0.3, 0.2), (0.5, 0.25), (0.7, 0.2)])
    desk.page.wait_for_timeout(400)  # it is stored a moment later
    desk.page.evaluate(RUN_AGAIN)
    desk.page.wait_for_function("document.querySelector('.eg-line')?.textContent.includes('Ready')")
    desk.until(lambda: desk.ink() > ink, "drawing and the stroke that no kernel saw are there again")
    desk.until(lambda: looks.count() == 2, "and so is the history")
    desk.press("undo")
    desk.until(lambda: desk.picture() == look or desk.ink() == 0, "and what was drawn before is one step back")


def test_every_look_can_be_kept_in_a_cell_too(desk: Desk) -> None:
    page = desk.page
    page.locator(".eg-frame").scroll_into_view_if_needed()
    desk.draw(SHOE)
    desk.settled()
    page.get_by_role("combobox", name="Variations").select_option("2")
    page.get_by_label("Make variation 2 the picture").click()
    page.locator(".eg-variations .eg-thumb:nth-child(2).eg-on").wait_for()
    page.get_by_title("Keep variation 2").click()
    page.locator(".eg-look.eg-starred").wait_for()
    page.get_by_role("combobox", name="Variations").select_option("1")

    before = desk.settled()
    page.locator(".eg-colour input[type=text]").fill("#2040c0")
    page.keyboard.press("Enter")
    desk.until(lambda: desk.picture() != before, "another colour, another picture")
    page.get_by_label("Guess what it is").check()
    desk.until(lambda: "%" in page.locator(".eg-guessed").inner_text(), "it is told what it may be")
    page.get_by_label("Guess what it is").uncheck()

    page.locator(".eg-look .eg-to").first.click()
    page.locator(".eg-morph-movie img:visible").wait_for()
    with page.expect_download() as download:
        desk.press("save")
    assert download.value.suggested_filename.endswith(".png")
    offered = page.locator(".eg-drawing-model option").all_inner_texts()
    assert offered[0].startswith("default")
    assert len(offered) > 1, "and folders"
    desk.press("show-me")
    desk.until(lambda: not sees_shoe(desk), "an example takes the place of the shoe")
    desk.settled()


def sees_shoe(desk: Desk) -> bool:
    x, y = SHOE[1]
    return desk.page.evaluate(
        "([x, y]) => { const c = document.querySelector('canvas.eg-ink');"
        "return c.getContext('2d').getImageData(x * c.width - 2, y * c.height - 2, 4, 4).data.some(v => v > 128); }",
        [x, y],
    )
