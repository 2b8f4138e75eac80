from __future__ import annotations

import datetime
import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.base.runs import Status, write_status
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.folder import EvaluationFolder, Request
from edgegan_widget.evaluation.metrics import metrics
from edgegan_widget.panels.evaluation import view as evaluation_view
from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel
from edgegan_widget.panels.evaluation.models_choice import _short_name
from edgegan_widget.panels.model_choice import TYPED
from edgegan_widget.sketch.sketch_sets import is_kept_for_testing
from tests.fake_evaluations import fake_report, write_evaluation, write_model
from tests.fake_runs import write_run

NOW = datetime.datetime.now(datetime.timezone.utc)
Maker = Callable[..., EvaluatePanel]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("first", "second")):
        write_model(root / name, seed)
    write_model(root / "other" / "first", 2, ("ball", "cup"))
    return root


@pytest.fixture
def panel_of(tmp_path: Path, models: Path, shapes: Path) -> Iterator[Maker]:
    made: list[EvaluatePanel] = []

    def make(**options: Any) -> EvaluatePanel:
        given = {"models": [models / "first", models / "second"], "data": shapes} | options
        made.append(EvaluatePanel(tmp_path / "runs", device="cpu", **given))
        return made[-1]

    yield make
    for panel in made:
        panel.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """What was started; instead of a process, a row is there."""
    requests: list[Request] = []

    def start(request: Request, folder: Path) -> EvaluationFolder:
        requests.append(request)
        return write_evaluation(folder, one_row())

    monkeypatch.setattr(evaluation_view, "start_evaluation", start)
    return requests


def one_row() -> dict[str, Any]:
    report = fake_report()
    return report | {"models": report["models"][:1], "differences": []}


def go_on(panel: EvaluatePanel, report: dict[str, Any], state: str) -> None:
    assert panel._view.folder is not None
    write_evaluation(panel._view.folder.folder, report, state)
    panel._view.look()


def said(widget: Any) -> str:
    return html.unescape(re.sub("<[^>]+>", "", widget.value))


def cells(panel: EvaluatePanel) -> dict[Any, Any]:
    return {key: part for key, part in panel._view._table._parts.items() if key[0] in (0, 1)}


def cell(panel: EvaluatePanel, model: int, heading: str, place: int = 0) -> Any:
    return cells(panel)[model, place, next(each for each in metrics() if each.heading.startswith(heading))]


def test_the_form_starts_what_it_describes(panel_of: Maker, models: Path, shapes: Path, started: list[Request]) -> None:
    panel = panel_of()
    panel._form._settings["per_class"].value = 2
    panel._form._settings["classifier_steps"].value = 9
    panel._start.click()
    assert panel.error_line.value == ""
    named = (("first", str(models / "first")), ("second", str(models / "second")))
    assert started == [Request(named, str(shapes), "", "cpu", EvaluationConfig(per_class=2, classifier_steps=9))]
    assert panel._start.disabled, "one at a time"


def test_models_are_added_removed_and_told_apart(panel_of: Maker, models: Path, tmp_path: Path) -> None:
    panel = panel_of(models=[])
    choice = panel._form.models
    assert "No model yet" in said(choice._none)
    run = write_run(tmp_path / "runs", "trained").folder
    choice.list_runs()
    assert ("run trained", str(run)) in choice._choice._list.options
    for place in ("first", "other/first"):
        choice._choice._list.value, choice._choice._path.value = TYPED, str(models / place)
        choice.children[1].children[0].click()
    assert [model.name for model in choice.chosen] == ["first", "other/first"]
    choice.children[1].children[0].click()
    assert "The model other/first is chosen already" in said(panel.error_line)
    choice._list.children[0].children[1].click()
    assert [model.name for model in choice.chosen] == ["other/first"]


def test_a_model_that_cannot_be_used_leaves_the_others(panel_of: Maker, tmp_path: Path) -> None:
    panel = panel_of()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be used"):
        panel._form.models.add(str(tmp_path / "broken"))
    assert [model.name for model in panel._form.models.chosen] == ["first", "second"]


def test_a_checkpoint_is_called_after_its_run(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "night" / "checkpoints" / "best.safetensors"
    place.parent.mkdir(parents=True)
    place.touch()
    assert _short_name(place, []) == "night (best)"
    assert _short_name(place, ["night (best)"]) == "runs/night (best)"


def test_the_cost_is_told_before(panel_of: Maker, models: Path) -> None:
    panel = panel_of()
    assert "6 held-out pictures, 2 classes" in said(panel._form._about_data)
    assert said(panel._form._cost) == (
        "Pictures to draw: 2 times 6, and about 132 of distorted drawings and about 52 of other classes and colours "
        "for each."
    )
    panel._form._settings["robustness_per_class"].value = 0
    panel._form._settings["swapped_per_class"].value = 0
    panel._form._settings["colour_seeds"].value = 0
    panel._form._settings["variations"].value = 3
    panel._form._settings["per_class"].value = 2
    assert said(panel._form._cost) == "Pictures to draw: 2 times 12."
    panel._form.models.add(str(models / "other" / "first"))
    assert said(panel._form._cost) == "The chosen models and the data need two classes in common."
    panel._form._data.value = ""
    assert said(panel._form._cost) == ""


def test_sketches_are_counted(panel_of: Maker, shapes: Path) -> None:
    panel = panel_of(sketches=shapes / "train", config=EvaluationConfig(people="all"))
    assert said(panel._form._about_sketches) == "16 sketches of 2 classes."
    assert said(panel._form._cost).startswith("Pictures to draw: 2 times 22,")
    kept = sum(map(is_kept_for_testing, (shapes / "train").glob("*/*.png")))
    panel._form._settings["people"].value = "held_out"
    assert said(panel._form._about_sketches).startswith(f"{kept} of 16 sketches")
    assert said(panel._form._cost).startswith(f"Pictures to draw: 2 times {6 + kept},")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"models": []}, "No model is chosen"),
        ({"data": ""}, "No data is named"),
        ({"data": "nowhere"}, "There is no data at"),
        ({"sketches": "nowhere"}, "There is no folder 'nowhere'"),
    ],
)
def test_what_is_missing_is_told(panel_of: Maker, started: list[Request], change: dict[str, Any], told: str) -> None:
    panel = panel_of(**change)
    panel._start.click()
    assert told in said(panel.error_line)
    assert not started
    assert not panel._start.disabled


def test_settings_out_of_range_are_told_and_sizes_may_differ(
    panel_of: Maker, started: list[Request], tmp_path: Path
) -> None:
    panel = panel_of()
    panel._form._settings["variations"].value = 0
    panel._start.click()
    assert "Variations is 0; it must be at least 1" in said(panel.error_line)
    assert not started
    panel._form._settings["variations"].value = 1
    panel._form.models.add(str(write_model(tmp_path / "large", 3, size_px=128)))
    panel._start.click()
    assert said(panel.error_line) == ""
    assert [name for name, _ in started[0].models] == ["first", "second", "large"]


def test_the_table_fills_and_marks_the_best(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    assert started
    first = cell(panel, 0, "right class")
    assert first.description == "50.0%\n40.0%, 60.0%"
    assert "50%" in said(panel._view._headline)
    assert not any(key[0] == 1 for key in cells(panel))
    go_on(panel, fake_report(), "finished")
    assert cell(panel, 0, "right class") is first, "what is there stays"
    best = {heading: [model for model in (0, 1) if "eg-best" in cell(panel, model, heading)._dom_classes]
            for heading in ("right class", "F-score", "KID")}  # fmt: skip
    assert best == {"right class": [1], "F-score": [0], "KID": []}
    assert "Unreliable: 24 pictures." in cell(panel, 0, "Fréchet").tooltip
    assert cell(panel, 0, "Fréchet").description.endswith("unreliable")
    foot = said(panel._view._table._foot)
    assert "first: wrong class: the classifier sees another class too often" in foot
    assert "-25.0% [-40.0%, -10.0%]" in foot
    assert "wrong class" in said(panel._view._table._parts["name", 0, 0])
    assert not panel._start.disabled
    assert panel.report is not None
    assert len(panel.report["models"]) == 2


def test_every_number_opens_its_pictures(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    go_on(panel, fake_report(), "finished")
    table, gallery = panel._view._table, panel._view._gallery
    for button in cells(panel).values():
        button.click()
        assert panel.error_line.value == ""
        assert "base64," in gallery._shown.value
        assert "eg-on" in button._dom_classes
    assert sum("eg-on" in button._dom_classes for button in cells(panel).values()) == 1
    grids = [place for place, child in enumerate(table.children) if "eg-score-grid" in child._dom_classes]
    cell(panel, 1, "KID", place=0).click()
    assert table.children[grids[0] + 1] is gallery, "below its own table"
    gallery._close.click()
    assert gallery not in table.children


def test_stopping_keeps_the_row_and_starting_anew_leaves_its_folder(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    old = panel._view.folder
    assert old is not None
    go_on(panel, one_row(), "stopped")
    assert cell(panel, 0, "KID").description.startswith("0.0100")
    assert "stopped" in said(panel._view._headline)
    assert "eg-hidden" in panel._view._stop_button._dom_classes
    panel.start()
    assert len(started) == 2
    assert panel._view.folder != old
    assert old.report() == one_row()
    with pytest.raises(ConfigError, match=r"evaluation-.* is at work; wait for it, or stop it"):
        panel.start()


def test_a_failure_is_told_and_what_was_measured_before_stays(
    panel_of: Maker, started: list[Request], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    panel = panel_of()
    panel.start()
    go_on(panel, fake_report(), "finished")
    failed = EvaluationFolder(tmp_path / "failed")
    write_status(failed.folder, Status("failed", message="the disk is full."))
    monkeypatch.setattr(evaluation_view, "start_evaluation", lambda request, folder: failed)
    panel.start()
    assert "The disk is full." in said(panel._view._headline)
    assert not panel._start.disabled
    cell(panel, 1, "KID").click()
    assert "base64," in panel._view._gallery._shown.value


def test_a_report_is_saved_and_opened_again(panel_of: Maker, started: list[Request], tmp_path: Path) -> None:
    panel = panel_of()
    assert panel._save.disabled
    with pytest.raises(ConfigError, match="nothing to save yet"):
        panel.save()
    panel.start()
    go_on(panel, fake_report(), "finished")
    panel._save.click()
    path = next((tmp_path / "evaluations").glob("*.json"))
    assert f"Saved {path} and the page beside it." in said(panel._said)
    assert path.with_suffix(".html").is_file()
    assert panel.save() != path, "nothing is written over"
    another = panel_of()
    another.open_report(path)
    assert another.report == panel.report
    assert "A saved report" in said(another._view._headline)
    cell(another, 0, "KID").click()
    assert "not in a saved report" in another._view._gallery._shown.value


def test_a_wrong_file_leaves_what_is_shown(panel_of: Maker, started: list[Request], tmp_path: Path) -> None:
    panel = panel_of()
    panel.start()
    go_on(panel, fake_report(), "finished")
    (tmp_path / "wrong.json").write_text("{}")
    for path in ("wrong.json", "absent.json"):
        with pytest.raises(DataError):
            panel.open_report(tmp_path / path)
    panel._upload.value = ({"name": "a.json", "type": "", "size": 2, "content": b"{}", "last_modified": NOW},)
    assert "This file is no report" in said(panel.error_line)
    assert cell(panel, 1, "KID").description.startswith("0.0100")


def test_a_page_that_is_opened_again_finds_the_latest(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    found = panel._view.folder
    assert found is not None
    (found.folder / "request.json").write_text("{}")
    panel.close()
    again = panel_of()
    assert again._view.folder == found
    assert again._start.disabled, "it is at work"
    assert again.report == one_row()
    go_on(again, fake_report(), "finished")
    assert not again._start.disabled
    cell(again, 1, "KID").click()
    assert "base64," in again._view._gallery._shown.value


def test_a_real_evaluation_through_the_panel(panel_of: Maker) -> None:
    panel = panel_of(config=EvaluationConfig(robustness_per_class=0, classifier_steps=2, cache="none"))
    panel._start.click()
    assert panel.error_line.value == ""
    status = panel.wait(120)
    assert status is not None
    assert status.state == "finished", status.message
    assert panel.report is not None
    assert [row["name"] for row in panel.report["models"]] == ["first", "second"]
    cell(panel, 1, "F-score").click()
    assert "base64," in panel._view._gallery._shown.value
