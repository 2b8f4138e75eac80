from __future__ import annotations

import html
import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.panels.run_lines import spoken_time
from edgegan_widget.panels.training import run_view
from edgegan_widget.panels.training.curves import CurvePlot, History, group_of, smoothed
from edgegan_widget.panels.training.run_view import RunView
from edgegan_widget.training.runs import Run
from tests.fake_runs import add_metrics, add_samples, colour_of, make_old, sample_colour, tell, write_run

Maker = Callable[..., RunView]


class Still:
    """In place of the ticker: the tests look themselves."""

    def __init__(self, tick: Callable[[], float]) -> None:
        self.pokes = 0

    def poke(self) -> None:
        self.pokes += 1

    def close(self) -> None: ...


@pytest.fixture
def view_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    monkeypatch.setattr(run_view, "Ticker", Still)
    made: list[RunView] = []

    def make(*arguments: Any, **options: Any) -> RunView:
        made.append(RunView(*arguments, **options))
        made[-1].look()
        return made[-1]

    yield make
    for view in made:
        view.close()


def look(view: RunView) -> float:
    """A look that also reads the list of runs and does not spare the plot."""
    view._listed_at = view._curves._next_draw = -1e9
    return view.look()


def said(widget: Any) -> str:
    return re.sub("<[^>]+>", " ", widget.value)


def names(dropdown: Any) -> list[str]:
    return [label for label, _ in dropdown.options]


def choose(dropdown: Any, start: str) -> None:
    dropdown.value = next(value for label, value in dropdown.options if label.startswith(start))


# What is shown -------------------------------------------------------------------------------------------------


def test_without_runs_it_says_what_to_do(view_of: Maker, tmp_path: Path) -> None:
    view = view_of(tmp_path / "runs")
    assert view.run is None
    assert "No run yet" in said(view._headline)
    assert view._stop_button.disabled
    assert view._resume_button.disabled
    assert view._use_button.disabled


def test_it_shows_progress_rate_and_time_left(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first", "running", steps=1000, done=600)
    line = said(view_of(tmp_path)._headline)
    for part in ("first", "running", "60%", "step 600 of 1,000", "35.2 images/s", "6 min 0 s left", "640 MB"):
        assert part in line


def test_the_run_at_work_comes_first_then_the_latest(view_of: Maker, tmp_path: Path) -> None:
    make_old(write_run(tmp_path, "working", "running"), 100)
    make_old(write_run(tmp_path, "latest"), 10)
    view = view_of(tmp_path)
    assert view.run == Run(tmp_path / "working")
    assert names(view._choice) == ["latest · finished · step 600", "working · running"]
    tell(tmp_path / "working", "finished", 1000)
    make_old(Run(tmp_path / "working"), 100)
    assert view_of(tmp_path).run == Run(tmp_path / "latest")


def test_it_follows_a_run_that_is_at_work(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running", done=400)
    view = view_of(tmp_path)
    curves = [picture.value for picture in view._curves._grid.children]
    assert view.look() == run_view.LOOK_SECONDS_ACTIVE
    add_metrics(run.folder, range(425, 601, 25))
    add_samples(run.folder, 600)
    tell(run.folder, "finished", 600)
    assert look(view) == run_view.LOOK_SECONDS_IDLE
    assert "finished" in said(view._headline)
    assert all(new.value != old for new, old in zip(view._curves._grid.children, curves))
    assert colour_of(view._samples._pictures[0, "sketches"].value) == sample_colour(600)
    assert view._stop_button.disabled


def test_the_plot_is_drawn_only_for_new_data_and_not_too_often(
    view_of: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    original = CurvePlot.png
    monkeypatch.setattr(CurvePlot, "png", lambda self, *a: drawn.append(a[0]) or original(self, *a))
    run = write_run(tmp_path, "first", "running", done=400)
    view = view_of(tmp_path)
    groups = ["Generators", "Discriminators", "Encoder", "Score (lower is better)"]
    assert drawn == groups
    look(view)
    assert drawn == groups, "nothing is new"
    add_metrics(run.folder, range(425, 501, 25))
    view._curves._next_draw = time.monotonic() + 60
    view.look()
    assert drawn == groups, "too soon"
    look(view)
    assert drawn == groups * 2
    view._curves._log.value = False
    view.look()
    assert drawn == groups * 3, "a person does not wait"


def test_samples_are_scrubbed_back_and_followed_at_the_end(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running", done=600)
    view = view_of(tmp_path)
    slider, shown = view._samples._slider, view._samples._pictures
    assert slider.max == slider.value == 2
    for kind in ("latents", "sketches"):
        assert colour_of(shown[0, kind].value) == sample_colour(600)
    slider.value = 0
    view.look()
    assert colour_of(shown[0, "latents"].value) == sample_colour(200)
    assert "step 200" in view._samples._at.value
    add_samples(run.folder, 800)
    view.look()
    assert colour_of(shown[0, "latents"].value) == sample_colour(200), "the past stays in view"
    slider.value = 3
    view.look()
    add_samples(run.folder, 1000)
    view.look()
    assert colour_of(shown[0, "latents"].value) == sample_colour(1000), "at the end it follows"
    for kind in ("latents", "sketches"):
        (run.folder / "samples" / f"{kind}_0000200.png").unlink()
    view.look()
    assert slider.max == slider.value == 3, "older samples gave way"


def test_grids_are_named_for_what_they_show(view_of: Maker, tmp_path: Path) -> None:
    """A projected run has styles and people's drawings, others have random latents; what is not there is not named."""
    folder = write_run(tmp_path, "first", done=200).folder / "samples"
    view = view_of(tmp_path)

    def named() -> list[str]:
        blocks = view._samples._columns[0].children[1:]
        return [block.children[1].value.partition(":")[0] for block in blocks if "eg-hidden" not in block._dom_classes]

    assert named() == ["Fixed validation sketches", "Fixed random latents"]
    (folder / "latents_0000200.png").rename(folder / "styles_0000200.png")
    (folder / "people_0000200.png").write_bytes((folder / "styles_0000200.png").read_bytes())
    view.look()
    assert named() == [
        "Fixed validation sketches", "People's drawings kept for testing", "The first of each class in several styles",
    ]  # fmt: skip


def test_two_runs_side_by_side(view_of: Maker, tmp_path: Path) -> None:
    make_old(write_run(tmp_path, "first", done=1000), 100)
    write_run(tmp_path, "second", done=600)
    view = view_of(tmp_path)
    alone = view._curves._grid.children[0].value
    columns = view._samples._columns
    assert "eg-hidden" in columns[1]._dom_classes
    choose(view._against, "first")
    look(view)
    assert "eg-hidden" not in columns[1]._dom_classes
    assert [said(name).strip() for name in view._samples._names] == ["second, step 600", "first, step 600"]
    assert view._curves._grid.children[0].value != alone
    choose(view._choice, "first")
    look(view)
    assert view._against.value == "", "a run is not compared with itself"


def test_the_log_is_escaped(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first")
    assert "&lt;ball, box&gt;" in view_of(tmp_path)._log.value


def test_only_the_runs_it_is_meant_for(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "plain")
    write_run(tmp_path, "tuned", "running", start_from="default")
    told: list[bool] = []
    view = view_of(tmp_path, lists=lambda config: not (config and config.start_from), on_look=told.append)
    assert view.run is not None
    assert view.run.name == "plain"
    assert names(view._choice) == ["plain · finished · step 600"]
    assert "tuned · running" in names(view._against), "any other run can be compared"
    assert told[-1] is True, "something is at work, though not on this list"


def test_a_broken_folder_does_no_harm(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "status.json").write_text("{")
    with (tmp_path / "first" / "metrics.jsonl").open("a") as stream:
        stream.write('not json\n{"step": "x"}\n{"losses": {}}\n')
    view = view_of(tmp_path)
    assert view.run == Run(tmp_path / "first")


def test_a_run_of_a_recipe_that_is_gone_is_listed_and_draws_but_does_not_go_on(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "old", "stopped")
    settings = (run.folder / "config.json").read_text()
    (run.folder / "config.json").write_text(settings.replace('"preset": "projected"', '"preset": "modern"'))
    for name in ("last.pt", "best.safetensors"):
        (run.folder / "checkpoints" / name).touch()
    view = view_of(tmp_path)
    assert names(view._choice) == ["old · stopped · step 600"]
    assert not view._use_button.disabled
    view._resume_button.click()
    assert "a recipe that 'projected' took the place of" in html.unescape(said(view.error_line))


def test_an_interrupted_run_says_so_and_can_be_resumed(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running")
    record = (run.folder / "status.json").read_text()
    (run.folder / "status.json").write_text(re.sub(r'"pid": \d+', '"pid": 99999999', record))
    view = view_of(tmp_path)
    assert "interrupted" in said(view._headline)
    assert "Its process is gone" in said(view._headline)
    assert not view._resume_button.disabled
    assert view._stop_button.disabled


# What is done --------------------------------------------------------------------------------------------------


def test_a_model_is_handed_over(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first")
    used: list[Path] = []
    view = view_of(tmp_path, on_use=used.append)
    assert names(view._model) == ["best", "last"]
    view._use_button.click()
    view._model.value = view._model.options[1][1]
    look(view)
    view._use_button.click()
    assert used == [run.folder / "checkpoints" / f"{name}.safetensors" for name in ("best", "last")]


def test_without_a_pad_the_line_of_code_is_shown(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first")
    view = view_of(tmp_path)
    view._use_button.click()
    assert "SketchPad(" in view._said.value
    assert "best.safetensors" in view._said.value


def test_an_error_is_shown_in_a_sentence(view_of: Maker, tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise ValueError("no such luck")

    write_run(tmp_path, "first")
    view = view_of(tmp_path, on_use=refuse)
    view._use_button.click()
    assert "no such luck" in said(view.error_line)


def test_stop_is_acknowledged_at_once(view_of: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(Run, "stop", lambda run: stopped.append(run.name))
    run = write_run(tmp_path, "first", "running")
    view = view_of(tmp_path)
    view._stop_button.click()
    assert stopped == ["first"]
    assert "stopping" in said(view._headline)
    assert view._stop_button.disabled
    tell(run.folder, "stopped", 600)
    view.look()
    assert "stopped" in said(view._headline)
    assert not view._resume_button.disabled


def test_resume_starts_the_run_in_its_own_folder(
    view_of: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    run = write_run(tmp_path, "first", "stopped", out="elsewhere")
    monkeypatch.setattr(run_view, "start_run", lambda config, resume: started.append((config.out, resume)) or run)
    view = view_of(tmp_path)
    view._resume_button.click()
    assert started == [(str(run.folder), True)]


def test_a_resume_that_cannot_be_is_told(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "stopped", data=str(tmp_path / "gone"))
    view = view_of(tmp_path)
    view._resume_button.click()
    assert "does not exist" in said(view.error_line)
    assert view.run == run


def test_looks_from_several_threads_do_not_clash(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first", "running")
    write_run(tmp_path, "second")
    view = view_of(tmp_path)
    failed: list[Exception] = []

    def hammer(name: str) -> None:
        try:
            for _ in range(10):
                choose(view._choice, name)
                view.look()
        except Exception as error:  # told in the main thread
            failed.append(error)

    threads = [threading.Thread(target=hammer, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert view.run is not None
    assert view.run.name in said(view._headline)


# Curves --------------------------------------------------------------------------------------------------------


def test_losses_are_grouped_by_network() -> None:
    assert group_of("discriminator_joint") == "Discriminators"
    assert group_of("generator_image") == group_of("features") == group_of("edge_l1") == "Generators"
    assert group_of("latent_l1") == group_of("kl") == "Encoder"
    assert group_of("classifier_real") == "Classifier"


def test_a_run_that_went_back_overwrites_what_came_after() -> None:
    history = History()
    history.add([{"step": step, "losses": {"kl": step}} for step in (10, 20, 30)])
    history.add([{"step": 20, "losses": {"kl": 99}, "score": 5}])
    assert history.curves == {"kl": ([10, 20], [10.0, 99.0]), "score": ([20], [5.0])}


def test_smoothing_is_a_mean_that_does_not_start_at_zero() -> None:
    assert smoothed(np.full(20, 7.0), 0.9) == pytest.approx(np.full(20, 7.0))
    rough = np.random.default_rng(0).normal(size=200)
    assert smoothed(rough, 0.9).std() < 0.5 * rough.std()
    assert (smoothed(rough, 0) == rough).all()
    assert np.isfinite(smoothed(np.array([1.0, np.nan, 2.0]), 0.5)).all()


@pytest.mark.parametrize("log_axis", [True, False])
@pytest.mark.parametrize("values", [[3.0, 2.0, 1.0], [1.0, -1.0, 0.0], [1.0], [float("nan"), 1.0], [float("inf")]])
def test_curves_are_small_transparent_pictures(log_axis: bool, values: list[float]) -> None:
    history = History({"kl": (list(range(len(values))), values)})
    png = CurvePlot().png("Encoder", {"a": history}, log_axis, 0.5)
    assert len(png) < 20_000
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    assert picture.getpixel((3, 3))[3] == 0, "the page shows through"
    assert np.asarray(picture)[..., 3].max() > 200


def test_a_long_run_is_drawn_from_few_points() -> None:
    steps = list(range(0, 1_000_000, 25))
    history = History({"kl": (steps, [1.0 + (step % 7) for step in steps])})
    assert len(CurvePlot().png("Encoder", {"a": history, "b" * 40: history}, True, 0.6)) < 40_000


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (90000, "1 d 1 h")]
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert spoken_time(seconds) == words
