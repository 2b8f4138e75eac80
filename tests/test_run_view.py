from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.panels.run_lines import spoken_time
from edgegan_widget.panels.training import curves as curves_module
from edgegan_widget.panels.training import run_view
from edgegan_widget.panels.training.curves import CurvePlot, History, group_of, smoothed
from edgegan_widget.panels.training.run_view import RunView
from edgegan_widget.training.kinds import kind_of, losses_of
from edgegan_widget.training.runs.jobs import SAMPLE_KINDS, Run
from tests.fake_runs import add_metrics, add_samples, colour_of, make_old, sample_colour, tell, write_run
from tests.screen import choose, find, options, pictures, read, said, styled

Maker = Callable[..., RunView]


class Still:
    """In place of the ticker: the tests look themselves."""

    def __init__(self, tick: Callable[[], float]) -> None: ...

    def poke(self) -> None: ...

    def close(self) -> None: ...


class Clock:
    """In place of the module ``time``: it stands still, until a test turns it on."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


clock = Clock()


@pytest.fixture
def view_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    monkeypatch.setattr(run_view, "Ticker", Still)
    for module in (run_view, curves_module):
        monkeypatch.setattr(module, "time", clock)
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
    clock.now += 60
    return view.look()


def models_of(view: RunView) -> Any:
    """The list of the run's models, which has no words before it."""
    return styled(view, "eg-checkpoint")[0]


def curves(view: RunView) -> list[bytes]:
    """The pictures of curves."""
    return pictures(styled(view, "eg-curves")[0])


def samples(view: RunView) -> list[tuple[int, ...]]:
    """The colours of the grids of samples on screen."""
    return [colour_of(grid.value) for grid in styled(view, "eg-grid") if grid.value]


# What is shown -------------------------------------------------------------------------------------------------


def test_without_runs_it_says_what_to_do(view_of: Maker, tmp_path: Path) -> None:
    view = view_of(tmp_path / "runs")
    assert view.run is None
    assert "No run yet" in said(view)
    assert find(view, "Stop").disabled
    assert find(view, "Resume").disabled
    assert find(view, "Use this model").disabled


def test_it_shows_progress_rate_and_time_left(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first", "running", steps=1000, done=600)
    line = said(view_of(tmp_path))
    for part in ("first", "running", "60%", "step 600 of 1,000", "35.2 images/s", "6 min 0 s left", "640 MB"):
        assert part in line


def test_the_run_at_work_comes_first_then_the_latest(view_of: Maker, tmp_path: Path) -> None:
    make_old(write_run(tmp_path, "working", "running"), 100)
    make_old(write_run(tmp_path, "latest"), 10)
    view = view_of(tmp_path)
    assert view.run == Run(tmp_path / "working")
    assert options(find(view, "Run")) == ["latest · finished · step 600", "working · running"]
    tell(tmp_path / "working", "finished", 1000)
    make_old(Run(tmp_path / "working"), 100)
    assert view_of(tmp_path).run == Run(tmp_path / "latest")


def test_it_follows_a_run_that_is_at_work(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running", done=400)
    view = view_of(tmp_path)
    before = curves(view)
    assert view.look() == run_view.LOOK_SECONDS_ACTIVE
    add_metrics(run.folder, range(425, 601, 25))
    add_samples(run.folder, 600)
    tell(run.folder, "finished", 600)
    assert look(view) == run_view.LOOK_SECONDS_IDLE
    assert "finished" in said(view)
    assert all(new != old for new, old in zip(curves(view), before, strict=True))
    assert samples(view) == [sample_colour(600)] * 2
    assert find(view, "Stop").disabled


def test_the_plot_is_drawn_only_for_new_data_and_not_too_often(
    view_of: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    original = CurvePlot.png
    monkeypatch.setattr(CurvePlot, "png", lambda self, *a: drawn.append(a[0]) or original(self, *a))
    run = write_run(tmp_path, "first", "running", done=400)
    view = view_of(tmp_path)
    groups = [
        "Generators: should fall", "Generators: should hover", "Discriminators: should hover", "Encoder: should hover",
        "Score: should fall",
    ]  # fmt: skip
    assert drawn == groups
    look(view)
    assert drawn == groups, "nothing is new"
    add_metrics(run.folder, range(425, 451, 25))
    look(view)
    assert drawn == groups * 2
    add_metrics(run.folder, range(475, 501, 25))
    view.look()
    assert drawn == groups * 2, "too soon"
    look(view)
    assert drawn == groups * 3
    find(view, "Log axis").value = False
    view.look()
    assert drawn == groups * 4, "a person does not wait"


def test_samples_are_scrubbed_back_and_followed_at_the_end(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running", done=600)
    view = view_of(tmp_path)
    slider = find(view, "Samples at")
    assert slider.max == slider.value == 2
    assert samples(view) == [sample_colour(600)] * 2
    slider.value = 0
    view.look()
    assert samples(view) == [sample_colour(200)] * 2
    assert "step 200" in said(view)
    add_samples(run.folder, 800)
    view.look()
    assert samples(view) == [sample_colour(200)] * 2, "the past stays in view"
    slider.value = 3
    view.look()
    add_samples(run.folder, 1000)
    view.look()
    assert samples(view) == [sample_colour(1000)] * 2, "at the end it follows"
    for kind in ("latents", "sketches"):
        (run.folder / "samples" / f"{kind}_0000200.png").unlink()
    view.look()
    assert slider.max == slider.value == 3, "older samples gave way"


def test_grids_are_named_for_what_they_show(view_of: Maker, tmp_path: Path) -> None:
    """A projected run has styles and people's drawings, others have random latents; what is not there is not named."""
    folder = write_run(tmp_path, "first", done=200).folder / "samples"
    view = view_of(tmp_path)

    def named() -> list[str]:
        return [read(part.children[0]) for part in styled(styled(view, "eg-side")[0], "eg-samples")]

    assert named() == ["Photos it is not trained on, drawn again", "Pictures of chance"]
    assert "photo its edges own edges picture" in said(view)
    (folder / "latents_0000200.png").rename(folder / "styles_0000200.png")
    (folder / "people_0000200.png").write_bytes((folder / "styles_0000200.png").read_bytes())
    view.look()
    assert named() == [
        "Photos it is not trained on, drawn again", "People's drawings it is not trained on",
        "One drawing in several styles",
    ]  # fmt: skip


def test_each_column_of_a_grid_has_its_heading() -> None:
    """A grid of many classes stands in blocks beside each other, each with the same columns."""
    sketches = SAMPLE_KINDS["sketches"]
    assert [sketches.blocks(count * (4 * 128 + 4)) for count in (1, 3)] == [1, 3]
    assert SAMPLE_KINDS["people"].blocks(2 * (3 * 64 + 4)) == 2
    assert sketches.blocks(777) == 1, "a grid that was made otherwise"


def test_two_runs_side_by_side(view_of: Maker, tmp_path: Path) -> None:
    make_old(write_run(tmp_path, "first", done=1000), 100)
    write_run(tmp_path, "second", done=600)
    view = view_of(tmp_path)
    alone = curves(view)[0]
    assert len(styled(view, "eg-side")) == 1
    choose(find(view, "Compare with"), "first")
    look(view)
    above = [said(side).partition("\n")[0] for side in styled(view, "eg-side")]
    assert above == ["second, step 600", "first, step 600"]
    assert curves(view)[0] != alone
    choose(find(view, "Run"), "first")
    look(view)
    assert options(find(view, "Compare with"))[find(view, "Compare with").index] == "nothing", "not with itself"


def test_the_log_is_escaped(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first")
    assert "2 classes <ball, box>" in said(view_of(tmp_path)), "it is no tag, which would not be seen"


def test_only_the_runs_it_is_meant_for(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "plain")
    write_run(tmp_path, "tuned", "running", start_from="default")
    told: list[bool] = []
    view = view_of(tmp_path, lists=lambda config: not (config and config.start_from), on_look=told.append)
    assert view.run is not None
    assert view.run.name == "plain"
    assert options(find(view, "Run")) == ["plain · finished · step 600"]
    assert "tuned · running" in options(find(view, "Compare with")), "any other run can be compared"
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
    assert options(find(view, "Run")) == ["old · stopped · step 600"]
    assert not find(view, "Use this model").disabled
    find(view, "Resume").click()
    assert "a recipe that 'projected' took the place of" in said(view)


def test_an_interrupted_run_says_so_and_can_be_resumed(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "running")
    record = (run.folder / "status.json").read_text()
    (run.folder / "status.json").write_text(re.sub(r'"pid": \d+', '"pid": 99999999', record))
    view = view_of(tmp_path)
    assert "interrupted" in said(view)
    assert "Its process is gone" in said(view)
    assert not find(view, "Resume").disabled
    assert find(view, "Stop").disabled


# What is done --------------------------------------------------------------------------------------------------


def test_a_model_is_handed_over(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first")
    used: list[Path] = []
    view = view_of(tmp_path, on_use=used.append)
    assert options(models_of(view)) == ["best", "last"]
    find(view, "Use this model").click()
    choose(models_of(view), "last")
    look(view)
    find(view, "Use this model").click()
    assert used == [run.folder / "checkpoints" / f"{name}.safetensors" for name in ("best", "last")]


def test_without_a_pad_the_line_of_code_is_shown(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first")
    view = view_of(tmp_path)
    find(view, "Use this model").click()
    assert "SketchPad(" in said(view)
    assert "best.safetensors" in said(view)


def test_an_error_is_shown_in_a_sentence(view_of: Maker, tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise ValueError("no such luck")

    write_run(tmp_path, "first")
    view = view_of(tmp_path, on_use=refuse)
    find(view, "Use this model").click()
    assert "no such luck" in said(view)


def test_stop_is_acknowledged_at_once(view_of: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(Run, "stop", lambda run: stopped.append(run.name))
    run = write_run(tmp_path, "first", "running")
    view = view_of(tmp_path)
    find(view, "Stop").click()
    assert stopped == ["first"]
    assert "stopping" in said(view)
    assert find(view, "Stop").disabled
    tell(run.folder, "stopped", 600)
    view.look()
    assert "stopped" in said(view)
    assert not find(view, "Resume").disabled


def test_resume_starts_the_run_in_its_own_folder(
    view_of: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    run = write_run(tmp_path, "first", "stopped", out="elsewhere")
    monkeypatch.setattr(run_view, "start_run", lambda config, resume: started.append((config.out, resume)) or run)
    view = view_of(tmp_path)
    find(view, "Resume").click()
    assert started == [(str(run.folder), True)]


def test_a_resume_that_cannot_be_is_told(view_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path, "first", "stopped", data=str(tmp_path / "gone"))
    view = view_of(tmp_path)
    find(view, "Resume").click()
    assert "does not exist" in said(view)
    assert view.run == run


def test_looks_from_several_threads_do_not_clash(view_of: Maker, tmp_path: Path) -> None:
    write_run(tmp_path, "first", "running")
    write_run(tmp_path, "second")
    view = view_of(tmp_path)
    failed: list[Exception] = []

    def hammer(name: str) -> None:
        try:
            for _ in range(10):
                choose(find(view, "Run"), name)
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
    assert view.run.name in said(view)


# Curves --------------------------------------------------------------------------------------------------------


def test_losses_are_grouped_by_what_their_recipe_says_of_them() -> None:
    projected, every = losses_of("projected"), losses_of(None)
    assert group_of("generator_image", projected) == "Generators: should hover"
    assert group_of("image_l1", projected) == "Generators: should fall"
    assert group_of("latent_l1", every) == group_of("latent_l1", losses_of("paper")) == "Encoder: should fall"
    assert group_of("score", {}) == "Score: should fall"
    assert group_of("of a recipe that is gone", every) == "Generators: losses"


def test_each_curve_says_what_should_become_of_it(view_of: Maker, tmp_path: Path) -> None:
    """The words are the recipe's own; the curves of a run that has begun just now are there from its first step."""
    run = write_run(tmp_path, "first", "running", done=0)
    view = view_of(tmp_path)
    assert not styled(view, "eg-curves")
    add_metrics(run.folder, range(1, 2))
    look(view)
    beside = said(styled(view, "eg-curves")[0])
    assert len(curves(view)) == 4, "no score yet"
    for name in ("image_l1", "generator_image", "discriminator_joint", "kl"):
        assert kind_of("projected").losses[name].meaning in beside
    add_metrics(run.folder, range(2, 3))
    before = curves(view)
    clock.now += curves_module.DRAW_EVERY_SECONDS + 0.5
    view.look()
    assert curves(view) != before, "each of the first points is news"


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
    history = History({"kl": (list(range(len(values))), values)}, losses_of("projected"))
    png = CurvePlot().png("Encoder: should hover", {"a": history}, log_axis, 0.5)
    assert len(png) < 20_000
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    assert picture.getpixel((3, 3))[3] == 0, "the page shows through"
    assert np.asarray(picture)[..., 3].max() > 200


def test_a_long_run_is_drawn_from_few_points() -> None:
    steps = list(range(0, 1_000_000, 25))
    history = History({"kl": (steps, [1.0 + (step % 7) for step in steps])}, losses_of("projected"))
    assert len(CurvePlot().png("Encoder: should hover", {"a": history, "b" * 40: history}, True, 0.6)) < 40_000


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (90000, "1 d 1 h")]
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert spoken_time(seconds) == words
