from __future__ import annotations

import dataclasses
import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import ipywidgets as widgets
import pytest
from ipycanvas import Canvas
from ipywidgets.widgets.widget import _instances

import edgegan_widget
from edgegan_widget.app.dashboard import page as shown
from edgegan_widget.app.launching import Launched, launch
from edgegan_widget.app.workbench import Workbench
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.panels.training.drawing_tray import DrawingTray
from edgegan_widget.panels.training.finetune import DRAWINGS
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.runs.jobs import Run
from tests.fake_runs import tell, write_run
from tests.pad_desk import Plain, draw
from tests.screen import find, options, part, parts, pictures, read, said, styled

LINE = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.8)], 0.02))


def ended(run: Launched) -> str:
    """How the run ended, once its process is gone as well."""
    state = run.wait(120).state
    assert run.run.process is not None
    run.run.process.wait(30)
    return state


def await_running(bench: Workbench, name: str) -> list[str]:
    """Titles of the tabs where something runs, once this is one of them."""
    deadline, running = time.monotonic() + 20, []
    while f"{name} (running)" not in running and time.monotonic() < deadline:
        time.sleep(0.02)
        running = [title for title in part(bench, widgets.Tab).titles if "running" in title]
    return running


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    made = Workbench(Plain(), device="cpu", runs=tmp_path / "runs")
    yield made
    made.close()


def test_a_page_that_is_closed_leaves_nothing_behind(tmp_path: Path) -> None:
    """ipywidgets keeps what is not closed, and with it the whole page and its pictures."""
    before = set(_instances)
    made = Workbench(Plain(), device="cpu", runs=tmp_path / "runs")
    for title in part(made, widgets.Tab).titles:
        made.show_tab(title)
    draw(made.pad, (0.2, 0.2), (0.7, 0.6))
    assert len(_instances) - len(before) > 1000
    canvases = [weakref.ref(canvas) for canvas in parts(made, Canvas)]
    made.close()
    assert [_instances[key] for key in set(_instances) - before] == []
    del made
    assert len(canvases) == 2, "the pad's and the masks', and with them all that listened"
    deadline = time.monotonic() + 20
    while any(canvas() is not None for canvas in canvases):
        assert time.monotonic() < deadline, "something holds the page"
        time.sleep(0.1)  # its threads are ending
        gc.collect()


def test_tabs_are_made_when_opened_and_once(bench: Workbench) -> None:
    tabs = part(bench, widgets.Tab)
    assert tabs.titles == ("Draw", "Photo", "Data", "Train", "Fine-tune", "Evaluate")
    assert tabs.children[0].children == (bench.pad,)
    assert [read(place.children[0]) for place in tabs.children[1:]] == [f"Opening {name}…" for name in tabs.titles[1:]]
    for name in tabs.titles:
        bench.show_tab(name)
    panels = [place.children for place in tabs.children]
    assert panels == [(bench.pad,), (bench.photo,), (bench.data,), (bench.train,), (bench.finetune,), (bench.evaluate,)]
    bench.show_tab("Train")
    assert [place.children for place in tabs.children] == panels


def test_a_model_that_gets_ready_makes_no_widgets(tmp_path: Path) -> None:
    """A page that is being opened misses those that are made after it asked which there are."""
    beside: list[widgets.Widget] = []
    page = threading.current_thread()
    widgets.Widget.on_widget_constructed(
        lambda widget: None if threading.current_thread() is page else beside.append(widget)
    )
    try:
        bench = Workbench("default", device="cpu", runs=tmp_path)
        assert bench.pad.wait(60)
    finally:
        widgets.Widget.on_widget_constructed(None)
    assert any("Style 1: #" in swatch.tooltip for swatch in styled(bench.pad, "eg-swatch"))
    assert beside == []
    bench.close()


def test_the_pads_drawing_is_collected(bench: Workbench) -> None:
    bench.pad.drawing = LINE
    bench.pad.label = "box"
    part(bench.finetune, widgets.ToggleButtons).value = DRAWINGS
    find(bench.finetune, "Add the drawing on the pad").click()
    ((drawing, label),) = part(bench.finetune, DrawingTray).drawings
    assert (drawing.strokes, label) == (LINE.strokes, "box")


def test_a_tab_tells_that_something_is_trained(tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running")
    bench = Workbench(Plain(), runs=tmp_path)
    assert await_running(bench, "Train") == ["Train (running)"]
    tell(run.folder, "finished", 1000)
    write_run(tmp_path, "second", "running", start_from="default")
    assert await_running(bench, "Fine-tune") == ["Fine-tune (running)"]
    bench.close()


def test_using_a_model_goes_back_to_the_pad(bench: Workbench) -> None:
    bench.show_tab("Train")
    bench.use_model("default")
    assert part(bench, widgets.Tab).selected_index == 0
    assert "sneaker" in options(find(bench.pad, "Draw a"))


def test_the_page_gets_runs_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGEGAN_WIDGET_RUNS", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("EDGEGAN_WIDGET_FOLDER", str(tmp_path / "work"))
    write_run(tmp_path / "elsewhere", "first")
    page = shown.page()
    assert page.train.view.run == Run(tmp_path / "elsewhere" / "first")
    assert Path.cwd() == tmp_path / "work"
    page.close()


def test_a_run_in_the_background(shapes: Path, small_config: TrainConfig, tmp_path: Path) -> None:
    """A real process: it trains, is followed, and leaves a model that the pad draws with."""
    config = dataclasses.replace(small_config, data=str(shapes), out=str(tmp_path / "runs" / "first"))
    run = launch(config)
    panel = run.panel
    assert panel is run.panel
    assert panel.run == run.run
    assert run.status.active
    assert ended(run) == "finished", run.run.log()
    assert run.status.step == 8
    assert repr(run).endswith("finished, step 8 of 8>")
    deadline = time.monotonic() + 20
    while "finished" not in said(panel) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "finished" in said(panel)
    panel.look()
    assert pictures(styled(panel, "eg-curves")[0])
    assert "step 8 (newest)" in said(panel)
    panel.close()
    bench = Workbench(Plain(), device="cpu", runs=tmp_path / "runs")
    bench.pad.drawing = LINE
    find(bench.train, "Use this model").click()
    assert bench.pad.wait(60)
    assert bench.train.view.error_line.value == ""
    assert bench.pad.image is not None
    assert bench.pad.image.shape == (64, 64, 3)
    assert "model first (best)" in said(bench.pad)
    bench.close()


def test_a_run_is_stopped_and_resumed(shapes: Path, small_config: TrainConfig, tmp_path: Path) -> None:
    config = dataclasses.replace(small_config, data=str(shapes), out=str(tmp_path / "first"), epochs=10_000)
    run = launch(config)
    while run.status.active and not run.status.step:
        time.sleep(0.05)
    run.stop()
    assert ended(run) == "stopped", run.run.log()
    at = run.status.step
    again = edgegan_widget.launch(config, resume=True)
    while again.status.active and again.status.step <= at:
        time.sleep(0.05)
    assert again.status.step > at
    again.stop()
    assert ended(again) == "stopped"


def test_what_cannot_start_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="data is empty"):
        launch(TrainConfig.from_preset("projected", out=str(tmp_path)))
