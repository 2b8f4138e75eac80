from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import ToggleButtons

from edgegan_widget.base.errors import DataError
from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.networks.store import build_networks, save_model
from edgegan_widget.panels.model_choice import TYPED
from edgegan_widget.panels.training import run_view, starting
from edgegan_widget.panels.training.drawing_tray import DrawingTray
from edgegan_widget.panels.training.finetune import DRAWINGS, PICTURES, FinetunePanel
from edgegan_widget.panels.training.people_choice import PeopleChoice
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.training.config import TrainConfig, finetune_config
from edgegan_widget.training.recipes.projected import step
from edgegan_widget.training.runs.jobs import Run
from tests.fake_runs import write_run
from tests.screen import every, find, labels, options, part, said, styled

LINE = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.8)], 0.02))
OTHER = Drawing().add(Stroke.make([(0.1, 0.9), (0.9, 0.2)], 0.02))
Maker = Callable[..., FinetunePanel]


@pytest.fixture
def panel_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    monkeypatch.setattr(run_view, "LIST_EVERY_SECONDS", 0.0)
    made: list[FinetunePanel] = []

    def make(**options: Any) -> FinetunePanel:
        made.append(FinetunePanel(tmp_path / "runs", device="cpu", **options))
        return made[-1]

    yield make
    for panel in made:
        panel.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    configs: list[TrainConfig] = []

    def start(config: TrainConfig) -> Run:
        configs.append(config)
        return write_run(Path(config.out).parent, Path(config.out).name, "running", start_from=config.start_from)

    monkeypatch.setattr(starting, "start_run", start)
    return configs


def test_the_reference_settings_are_filled_in(
    panel_of: Maker, shapes: Path, started: list[TrainConfig], tmp_path: Path
) -> None:
    panel = panel_of()
    find(panel, "Data").value = str(shapes)
    find(panel, "Start fine-tuning").click()
    assert started == [finetune_config("default", str(shapes), str(tmp_path / "runs" / "finetune-1"), device="cpu")]
    assert (started[0].epochs, started[0].lr_generator) == (20, 1e-5)
    assert panel.view.run is not None
    assert panel.view.run.name == "finetune-1"


def test_classes_are_marked_as_known_or_new(panel_of: Maker, tmp_path: Path) -> None:
    for name in ("sneaker", "mug"):
        (tmp_path / "data" / "train" / name).mkdir(parents=True)
        (tmp_path / "data" / "train" / name / "1.png").touch()
    panel = panel_of()
    assert "sneaker" in said(panel)
    find(panel, "Data").value = str(tmp_path / "data")
    assert {"mug (1) · new", "sneaker (1) · known"} <= {*labels(panel)}
    find(panel, "Start from").value = TYPED
    assert {"mug (1)", "sneaker (1)"} <= {*labels(panel)}


def test_what_trains_and_where_new_classes_start(panel_of: Maker, shapes: Path) -> None:
    panel = panel_of()
    find(panel, "Data").value = str(shapes)
    find(panel, "What trains").value = "encoder"
    find(panel, "New classes from").value = "mean"
    find(panel, "Warm-up steps").value = 50
    assert (panel.config.trains, panel.config.new_classes, panel.config.critic_warmup_steps) == ("encoder", "mean", 50)
    assert "learn alone for the first steps" in said(panel)


def test_a_run_can_be_started_from(panel_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", "first")
    shutil.copy(find_model("default") / "model.safetensors", run.folder / "checkpoints" / "best.safetensors")
    shutil.copy(find_model("default") / "config.json", run.folder / "checkpoints")
    panel = panel_of()
    assert ("run first", str(run.folder)) in find(panel, "Start from").options
    write_run(tmp_path / "runs", "later")
    panel.view.look()
    assert "run later" in options(find(panel, "Start from")), "a new run joins the list"
    assert find(panel, "Start from").value == "default", "what was chosen stays"
    find(panel, "Start from").value = TYPED
    find(panel, "Path").value = str(find_model("default"))
    find(panel, "Epochs").value = 8
    write_run(tmp_path / "runs", "last")
    panel.view.look()
    assert "run last" in options(find(panel, "Start from"))
    assert find(panel, "Start from").value == TYPED
    assert find(panel, "Epochs").value == 8, "and the settings beside it"


def test_a_typed_model_and_one_that_is_none(panel_of: Maker, shapes: Path, started: list[TrainConfig]) -> None:
    panel = panel_of()
    find(panel, "Data").value = str(shapes)
    find(panel, "Start from").value = TYPED
    find(panel, "Start fine-tuning").click()
    assert "No model is named" in said(panel)
    find(panel, "Path").value = "nowhere"
    assert "No model called 'nowhere'" in said(panel)
    find(panel, "Start fine-tuning").click()
    assert not started
    folder = str(find_model("default"))
    find(panel, "Path").value = folder
    assert panel.error_line.value == ""
    find(panel, "Start fine-tuning").click()
    assert started[0].start_from == folder
    assert started[0].width == read_config(Path(folder)).width


def test_the_recipe_follows_from_the_model(
    panel_of: Maker, shapes: Path, people: Path, tmp_path: Path, started: list[TrainConfig]
) -> None:
    """A projected model goes on with people's drawings; an older one does not know them."""
    panel = panel_of()
    find(panel, "Start from").value = TYPED
    save_model(tmp_path / "paper", build_networks(ModelConfig(("ball", "box"), width=8)))
    find(panel, "Path").value = str(tmp_path / "paper")
    find(panel, "Data").value = str(shapes)
    part(panel, PeopleChoice).folders = (str(people),)
    assert "People's drawings" not in labels(panel)
    assert panel.config.sketches == (), "what is typed and hidden is not used"
    model = step.model_config(("ball", "cup"), TrainConfig.from_preset("projected", width=8, latent="vector"))
    save_model(tmp_path / "model", ModulatedEdgeGAN(model))
    find(panel, "Path").value = str(tmp_path / "model")
    assert "People's drawings" in labels(panel)
    assert "Augment" not in labels(panel), "the one setting that this recipe does not read"
    find(panel, "Start fine-tuning").click()
    assert (started[0].preset, started[0].sketches, started[0].size_px) == ("projected", (str(people),), 128)
    assert (started[0].width, started[0].latent, started[0].people_share) == (8, "vector", 0.5)


def test_a_model_of_a_recipe_that_is_gone_is_told(panel_of: Maker, plain_model: Path) -> None:
    panel = panel_of()
    find(panel, "Start from").value = TYPED
    find(panel, "Path").value = str(plain_model)
    assert "No recipe goes on from the model" in said(panel)


def test_own_drawings_are_collected_saved_and_trained_on(
    panel_of: Maker, started: list[TrainConfig], tmp_path: Path
) -> None:
    on_pad = [(LINE, "sneaker")]
    panel = panel_of(take_drawing=lambda: on_pad[0])
    part(panel, ToggleButtons).value = DRAWINGS
    add = find(panel, "Add the drawing on the pad")
    add.click()
    add.click()
    assert "collected already" in said(panel)
    on_pad[0] = (OTHER, "watch")
    add.click()
    assert panel.error_line.value == ""
    assert len(styled(panel, "eg-card")) == 2
    find(panel, "Start fine-tuning").click()
    config = started[0]
    assert (config.preset, config.start_from) == ("drawings", "default")
    assert config.out == str(tmp_path / "runs" / "drawings-1")
    folder = Path(config.drawings)
    assert folder.parent == tmp_path / "runs"
    saved = {path.parent.name: Drawing.from_json(path.read_bytes()) for path in folder.glob("*/*.json")}
    assert saved == {"sneaker": LINE, "watch": OTHER}


def test_a_drawing_is_thrown_out(panel_of: Maker) -> None:
    panel = panel_of(take_drawing=lambda: (LINE, "sneaker"))
    part(panel, ToggleButtons).value = DRAWINGS
    tray = part(panel, DrawingTray)
    tray.add(LINE, "sneaker")
    tray.add(OTHER, "watch")
    every(panel, "Remove")[0].click()
    assert tray.drawings == ((OTHER, "watch"),)
    every(panel, "Remove")[0].click()
    assert tray.drawings == ()
    assert "None yet" in said(panel)


def test_drawings_that_cannot_be_used(panel_of: Maker, started: list[TrainConfig], tmp_path: Path) -> None:
    panel = panel_of(take_drawing=lambda: (Drawing(), "sneaker"))
    part(panel, ToggleButtons).value = DRAWINGS
    find(panel, "Add the drawing on the pad").click()
    assert "The pad is empty" in said(panel)
    find(panel, "Start fine-tuning").click()
    assert "No drawing is collected yet" in said(panel)
    for label in ("../up", "a/b", ".hidden"):
        with pytest.raises(DataError, match="cannot name a folder"):
            part(panel, DrawingTray).add(LINE, label)
    part(panel, DrawingTray).add(LINE, "spaceship")
    find(panel, "Start fine-tuning").click()
    assert "The model does not draw spaceship" in said(panel)
    assert not started
    assert not list((tmp_path / "runs").glob("drawings*")), "nothing is written for a run that cannot start"


def test_without_a_pad_it_says_so(panel_of: Maker) -> None:
    panel = panel_of()
    part(panel, ToggleButtons).value = DRAWINGS
    assert find(panel, "Add the drawing on the pad").disabled
    assert "There is no pad here" in said(panel)


def test_the_form_follows_what_is_trained_on(panel_of: Maker) -> None:
    panel = panel_of()
    for source, here, gone in (
        (DRAWINGS, "Add the drawing on the pad", "Data"),
        (PICTURES, "Data", "Add the drawing on the pad"),
    ):
        part(panel, ToggleButtons).value = source
        assert here in labels(panel)
        assert gone not in labels(panel)
