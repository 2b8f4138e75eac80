from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.networks.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.store import build_networks, save_model
from edgegan_widget.panels.model_choice import TYPED
from edgegan_widget.panels.training import finetune
from edgegan_widget.panels.training.finetune import DRAWINGS, PICTURES, FinetunePanel
from edgegan_widget.sketch.strokes import Drawing, Stroke
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.finetuning import finetune_config
from edgegan_widget.training.recipes.projected import step
from edgegan_widget.training.runs import Run
from tests.fake_runs import write_run

LINE = Drawing().add(Stroke.make([(0.1, 0.1), (0.9, 0.8)], 0.02))
OTHER = Drawing().add(Stroke.make([(0.1, 0.9), (0.9, 0.2)], 0.02))
Maker = Callable[..., FinetunePanel]


@pytest.fixture
def panel_of(tmp_path: Path) -> Iterator[Maker]:
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

    monkeypatch.setattr(finetune, "start_run", start)
    return configs


def said(widget: Any) -> str:
    return html.unescape(re.sub("<[^>]+>", "", widget.value))


def test_the_reference_settings_are_filled_in(panel_of: Maker, shapes: Path, started: list[TrainConfig]) -> None:
    panel = panel_of()
    panel._data._path.value = str(shapes)
    panel._start.click()
    assert started == [finetune_config("default", str(shapes), str(panel.view._root / "finetune-1"), device="cpu")]
    assert (started[0].epochs, started[0].lr_generator) == (20, 1e-5)
    assert panel.view.run is not None
    assert panel.view.run.name == "finetune-1"


def test_classes_are_marked_as_known_or_new(panel_of: Maker, tmp_path: Path) -> None:
    for name in ("sneaker", "mug"):
        (tmp_path / "data" / "train" / name).mkdir(parents=True)
        (tmp_path / "data" / "train" / name / "1.png").touch()
    panel = panel_of()
    assert "sneaker" in panel._model._about.value
    panel._data._path.value = str(tmp_path / "data")
    assert [box.description for box in panel._data._boxes.values()] == ["mug (1) · new", "sneaker (1) · known"]
    panel._model._list.value = TYPED
    assert [box.description for box in panel._data._boxes.values()] == ["mug (1)", "sneaker (1)"]


def test_what_trains_and_where_new_classes_start(panel_of: Maker, shapes: Path) -> None:
    panel = panel_of()
    panel._data._path.value = str(shapes)
    panel._picture_form["trains"].value = "encoder"
    panel._picture_form["new_classes"].value = "mean"
    panel._picture_form["critic_warmup_steps"].value = 50
    assert (panel.config.trains, panel.config.new_classes, panel.config.critic_warmup_steps) == ("encoder", "mean", 50)
    texts = [getattr(child, "value", "") for child in panel._pictures.children]
    assert any("learn alone for the first steps" in str(text) for text in texts)


def test_a_run_can_be_started_from(panel_of: Maker, tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs", "first")
    shutil.copy(find_model("default") / "model.safetensors", run.folder / "checkpoints" / "best.safetensors")
    shutil.copy(find_model("default") / "config.json", run.folder / "checkpoints")
    panel = panel_of()
    assert ("run first", str(run.folder)) in panel._model._list.options
    write_run(tmp_path / "runs", "later")
    panel.view._listed_at = -1e9
    panel.view.look()
    assert "run later" in [label for label, _ in panel._model._list.options], "a new run joins the list"
    assert panel._model.name == "default", "what was chosen stays"


def test_a_typed_model_and_one_that_is_none(panel_of: Maker, shapes: Path, started: list[TrainConfig]) -> None:
    panel = panel_of()
    panel._data._path.value = str(shapes)
    panel._model._list.value = TYPED
    panel._start.click()
    assert "No model is named" in said(panel.error_line)
    panel._model._path.value = "nowhere"
    assert "No model called 'nowhere'" in said(panel.error_line)
    panel._start.click()
    assert not started
    folder = str(find_model("default"))
    panel._model._path.value = folder
    assert panel.error_line.value == ""
    panel._start.click()
    assert started[0].start_from == folder
    assert started[0].width == read_config(Path(folder)).width


def test_the_recipe_follows_from_the_model(
    panel_of: Maker, shapes: Path, people: Path, tmp_path: Path, started: list[TrainConfig]
) -> None:
    """A projected model goes on with people's drawings; an older one does not know them."""
    panel = panel_of()
    panel._model._list.value = TYPED
    save_model(tmp_path / "paper", build_networks(ModelConfig(("ball", "box"), width=8)))
    panel._model._path.value = str(tmp_path / "paper")
    panel._data._path.value = str(shapes)
    panel._people.folders = (str(people),)
    assert "eg-hidden" in panel._people._dom_classes
    assert panel.config.sketches == (), "what is typed and hidden is not used"
    model = step.model_config(("ball", "cup"), TrainConfig.from_preset("projected", width=8, latent="vector"))
    save_model(tmp_path / "model", ModulatedEdgeGAN(model))
    panel._model._path.value = str(tmp_path / "model")
    assert "eg-hidden" not in panel._people._dom_classes
    hidden = {name for name, row in panel._picture_form._rows.items() if "eg-hidden" in row._dom_classes}
    assert hidden == {"augment"}
    panel._start.click()
    assert (started[0].preset, started[0].sketches, started[0].size_px) == ("projected", (str(people),), 128)
    assert (started[0].width, started[0].latent, started[0].people_share) == (8, "vector", 0.5)


def test_a_model_of_a_recipe_that_is_gone_is_told(panel_of: Maker, plain_model: Path) -> None:
    panel = panel_of()
    panel._model._list.value = TYPED
    panel._model._path.value = str(plain_model)
    assert "No recipe goes on from the model" in said(panel.error_line)


def test_own_drawings_are_collected_saved_and_trained_on(panel_of: Maker, started: list[TrainConfig]) -> None:
    on_pad = [(LINE, "sneaker")]
    panel = panel_of(take_drawing=lambda: on_pad[0])
    panel._source.value = DRAWINGS
    add = panel._tray.children[0]
    add.click()
    add.click()
    assert "collected already" in said(panel.error_line)
    on_pad[0] = (OTHER, "watch")
    add.click()
    assert panel.error_line.value == ""
    assert len(panel._tray._shown.children) == 2
    panel._start.click()
    config = started[0]
    assert (config.preset, config.start_from) == ("drawings", "default")
    assert config.out == str(panel.view._root / "drawings-1")
    folder = Path(config.drawings)
    assert folder.parent == panel.view._root
    saved = {path.parent.name: Drawing.from_json(path.read_bytes()) for path in folder.glob("*/*.json")}
    assert saved == {"sneaker": LINE, "watch": OTHER}


def test_a_drawing_is_thrown_out(panel_of: Maker) -> None:
    panel = panel_of(take_drawing=lambda: (LINE, "sneaker"))
    panel._tray.add(LINE, "sneaker")
    panel._tray.add(OTHER, "watch")
    panel._tray._shown.children[0].children[-1].click()
    assert panel._tray.drawings == ((OTHER, "watch"),)
    panel._tray._shown.children[0].children[-1].click()
    assert panel._tray.drawings == ()
    assert "None yet" in panel._tray._count.value


def test_drawings_that_cannot_be_used(panel_of: Maker, started: list[TrainConfig]) -> None:
    panel = panel_of(take_drawing=lambda: (Drawing(), "sneaker"))
    panel._source.value = DRAWINGS
    panel._tray.children[0].click()
    assert "The pad is empty" in said(panel.error_line)
    panel._start.click()
    assert "No drawing is collected yet" in said(panel.error_line)
    for label in ("../up", "a/b", ".hidden"):
        with pytest.raises(DataError, match="cannot name a folder"):
            panel._tray.add(LINE, label)
    panel._tray.add(LINE, "spaceship")
    panel._start.click()
    assert "The model does not draw spaceship" in said(panel.error_line)
    assert not started
    assert not list(panel.view._root.glob("drawings*")), "nothing is written for a run that cannot start"


def test_without_a_pad_it_says_so(panel_of: Maker) -> None:
    panel = panel_of()
    assert panel._tray.children[0].disabled
    assert "There is no pad here" in panel._tray._count.value


def test_the_form_follows_what_is_trained_on(panel_of: Maker) -> None:
    panel = panel_of()
    for source, shown, other in (
        (DRAWINGS, panel._drawings, panel._pictures),
        (PICTURES, panel._pictures, panel._drawings),
    ):
        panel._source.value = source
        assert "eg-hidden" not in shown._dom_classes
        assert "eg-hidden" in other._dom_classes
