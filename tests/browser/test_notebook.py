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


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
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
    deadline = time.monotonic() + 90
    while True:
        assert process.poll() is None, (tmp_path / "lab.log").read_text()
        assert time.monotonic() < deadline, "JupyterLab never answered"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    yield url
    process.terminate()
    process.wait(30)


def test_the_pad_works_in_a_cell(browser: Any, lab: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    desk = Desk(context.new_page())
    desk.page.goto(lab)
    desk.page.wait_for_function("window.jupyterapp?.shell", timeout=60_000)
    desk.page.evaluate(RUN_FIRST)
    desk.page.wait_for_selector(".eg-main img", timeout=60_000)
    desk.page.wait_for_function("document.querySelector('.eg-line')?.textContent.includes('Ready')", timeout=60_000)
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
    context.close()
