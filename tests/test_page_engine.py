"""A page whose pictures are drawn on a server: what it shows, and what it does while the server is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.app.dashboard import page
from edgegan_widget.app.dashboard.handed import Handed
from edgegan_widget.app.dashboard.server import serve
from edgegan_widget.base.errors import ServerError
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.panels.drawing.sketchpad import SketchPad
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.pad_desk import Plain, complaint, draw
from tests.screen import find, said, styled
from tests.wire_server import WireServer

LINE = ((0.2, 0.5), (0.5, 0.4), (0.8, 0.5))


@pytest.fixture
def server(engine: Plain) -> Iterator[WireServer]:
    with WireServer(engine) as started:
        yield started


@pytest.fixture
def remote_pad(server: WireServer) -> Iterator[SketchPad]:
    made = SketchPad(EdgeGAN.connect(server.url, patience_seconds=0.5))
    assert made.wait(20)
    yield made
    made.close()


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.02)


def test_it_says_where_it_draws(remote_pad: SketchPad, server: WireServer) -> None:
    assert f"Ready on test device at 127.0.0.1:{server.port}" in said(remote_pad)
    draw(remote_pad, *LINE)
    assert remote_pad.image.shape == (64, 64, 3)
    assert f"at 127.0.0.1:{server.port} · " in said(remote_pad)
    assert remote_pad.look.model == "default", "so that a look is not drawn with another one later"


def test_the_server_s_other_models_are_offered_and_draw_there() -> None:
    other = Plain()
    other.classes = ("hat", "shoe")
    with WireServer(Plain(), other=other) as server:
        pad = SketchPad(EdgeGAN.connect(server.url, patience_seconds=0.5))
        draw(pad, *LINE)
        chooser = styled(pad, "eg-drawing-model")[0]
        assert [value for _, value in chooser.options][:2] == ["default", "other"]
        chooser.value = "other"
        assert pad.wait(20)
        assert (pad.label, pad.look.model) == ("hat", "other")
        assert f"at 127.0.0.1:{server.port}" in said(pad)
        find(pad, "Back to default").click()
        assert pad.wait(20)
        assert pad.look.model == "default"
        pad.close()


def test_what_is_drawn_while_it_is_gone_is_caught_up_with(remote_pad: SketchPad, server: WireServer) -> None:
    draw(remote_pad, *LINE)
    first = remote_pad.image.copy()
    server.stop()
    for number in range(3):
        draw_without_waiting(remote_pad, 0.6 + number / 10)
    until(lambda: complaint(remote_pad), "a sentence")
    assert "draw on, the picture follows by itself once it answers." in complaint(remote_pad)
    assert f"127.0.0.1:{server.port}" in complaint(remote_pad)
    assert len(remote_pad.drawing) == 4, "the ink stays"
    assert np.array_equal(remote_pad.image, first), "and the last picture"

    server.start()
    assert remote_pad.wait(60), "without a click"
    assert complaint(remote_pad) == ""
    alone = Plain().generate(remote_pad.sketch, remote_pad.label)
    assert np.array_equal(remote_pad.image, alone.image), "the picture of the newest drawing"


def draw_without_waiting(pad: SketchPad, y: float) -> None:
    pad.drawing = pad.drawing.add(Stroke.make([(0.2, y), (0.8, y)], width=0.02))


def test_a_pad_that_was_cleared_meanwhile_forgets_the_trouble(remote_pad: SketchPad, server: WireServer) -> None:
    draw(remote_pad, *LINE)
    server.stop()
    draw_without_waiting(remote_pad, 0.8)
    until(lambda: complaint(remote_pad), "a sentence")
    remote_pad.drawing = Drawing()
    server.start()
    assert remote_pad.wait(60)
    until(lambda: not complaint(remote_pad), "the sentence is gone")
    assert remote_pad.image is None


def test_a_page_that_is_opened_while_it_is_gone_opens_later(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (("MODEL", "default"), ("FOLDER", ""), ("RUNS", str(tmp_path)), ("ENGINE", server.url)):
        monkeypatch.setenv(f"EDGEGAN_WIDGET_{name}", value)
    server.stop()
    shown = page.page()
    assert "the page opens by itself once it answers." in said(shown)
    server.start()
    until(lambda: "Ready on test device" in said(shown), "the page")
    (workbench,) = shown.children
    workbench.close()
    shown.close()


def test_a_dashboard_without_its_engine_does_not_begin() -> None:
    with pytest.raises(ServerError, match=r"http://127.0.0.1:9 cannot be reached"):
        serve(Handed(engine="http://127.0.0.1:9"), open_browser=False)


def test_a_page_loads_neither_torch_nor_onnxruntime(server: WireServer, tmp_path: Path) -> None:
    code = f"""
import sys
from edgegan_widget.app.dashboard.page import page
from edgegan_widget.sketch.strokes import Drawing, Stroke
shown = page()
shown.pad.drawing = Drawing().add(Stroke.make({LINE}, width=0.02))
assert shown.pad.wait(60) and shown.pad.image.shape == (64, 64, 3)
print([name for name in ("torch", "onnxruntime", "ray", "matplotlib", "scipy") if name in sys.modules])
shown.close()
"""
    environment = os.environ | {"EDGEGAN_WIDGET_ENGINE": server.url, "EDGEGAN_WIDGET_RUNS": str(tmp_path)}
    command, root = [sys.executable, "-c", code], Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "[]\n"
