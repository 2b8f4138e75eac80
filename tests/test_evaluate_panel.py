from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.runs import Status, write_status
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.folder import EvaluationFolder, Request
from edgegan_widget.panels.evaluation import view as evaluation_view
from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel
from edgegan_widget.panels.evaluation.models_choice import short_name
from edgegan_widget.panels.evaluation.score_table import Gallery, ScoreTable
from edgegan_widget.panels.evaluation.view import EvaluationView
from edgegan_widget.panels.model_choice import TYPED
from edgegan_widget.sketch.sets.folders import is_kept_for_testing
from tests.fake_evaluations import fake_report, write_evaluation, write_model
from tests.fake_runs import write_run
from tests.screen import every, find, has, labels, options, part, read, said, styled

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
    write_evaluation(folder_of(panel).folder, report, state)
    part(panel, EvaluationView).look()


def folder_of(panel: EvaluatePanel) -> EvaluationFolder:
    folder = part(panel, EvaluationView).folder
    assert folder is not None
    return folder


def cell(panel: EvaluatePanel, model: int, heading: str, place: int = 0) -> Any:
    """The number in a table: its place in the row of the model's name is that of its heading in the first row."""
    parts = styled(panel, "eg-score-grid")[place].children
    columns = sum(has(each, "eg-heads") for each in parts)
    column = next(place for place in range(columns) if read(parts[place]).startswith(heading))
    return parts[(1 + model) * columns + column]


def measured(panel: EvaluatePanel) -> list[str]:
    """The models in the first table, with what is wrong with them."""
    return [read(name) for name in styled(styled(panel, "eg-score-grid")[0], "eg-names")]


def chosen(panel: EvaluatePanel) -> list[str]:
    return [read(model.children[0]).split(" ")[0] for model in styled(panel, "eg-model")]


def add_model(panel: EvaluatePanel, place: Path) -> None:
    find(panel, "Model").value = TYPED
    find(panel, "Path").value = str(place)
    find(panel, "Add").click()


def gallery_of(panel: EvaluatePanel) -> str:
    """What the pictures' place on the page holds."""
    return str(part(panel, Gallery).children[-1].value)


def cost(panel: EvaluatePanel) -> str:
    return read(styled(panel, "eg-cost")[0])


def test_the_form_starts_what_it_describes(panel_of: Maker, models: Path, shapes: Path, started: list[Request]) -> None:
    panel = panel_of()
    find(panel, "Drawings a class").value = 2
    find(panel, "Classifier steps").value = 9
    find(panel, "Start").click()
    assert panel.error_line.value == ""
    named = (("first", str(models / "first")), ("second", str(models / "second")))
    assert started == [Request(named, str(shapes), "", "cpu", EvaluationConfig(per_class=2, classifier_steps=9))]
    assert find(panel, "Measuring…").disabled, "one at a time"


def test_models_are_added_removed_and_told_apart(panel_of: Maker, models: Path, tmp_path: Path) -> None:
    panel = panel_of(models=[])
    assert "No model yet" in said(panel)
    run = write_run(tmp_path / "runs", "trained").folder
    part(panel, EvaluationView).look()
    assert ("run trained", str(run)) in find(panel, "Model").options
    for place in ("first", "other/first"):
        add_model(panel, models / place)
    assert chosen(panel) == ["first", "other/first"]
    write_run(tmp_path / "runs", "later")
    part(panel, EvaluationView).look()
    assert "run later" in options(find(panel, "Model"))
    assert find(panel, "Model").value == TYPED, "what was chosen stays when a run joins the list"
    find(panel, "Add").click()
    assert "The model other/first is chosen already" in said(panel)
    every(panel, "Remove")[0].click()
    assert chosen(panel) == ["other/first"]


def test_a_model_that_cannot_be_used_leaves_the_others(panel_of: Maker, tmp_path: Path) -> None:
    panel = panel_of()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    add_model(panel, tmp_path / "broken")
    assert "cannot be used" in said(panel)
    assert chosen(panel) == ["first", "second"]


def test_a_checkpoint_is_called_after_its_run(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "night" / "checkpoints" / "best.safetensors"
    place.parent.mkdir(parents=True)
    place.touch()
    assert short_name(place, []) == "night (best)"
    assert short_name(place, ["night (best)"]) == "runs/night (best)"


def test_the_cost_is_told_before(panel_of: Maker, models: Path) -> None:
    panel = panel_of()
    assert "6 held-out pictures, 2 classes" in said(panel)
    assert cost(panel) == (
        "Pictures to draw: 2 times 6, and about 132 of distorted drawings and about 52 of other classes and colours "
        "for each."
    )
    find(panel, "Distorted a class").value = 0
    find(panel, "Swapped a class").value = 0
    find(panel, "Colour seeds").value = 0
    find(panel, "Variations").value = 3
    find(panel, "Drawings a class").value = 2
    assert cost(panel) == "Pictures to draw: 2 times 12."
    add_model(panel, models / "other" / "first")
    assert cost(panel) == "Pictures to draw: 3 times 6."
    find(panel, "Data").value = ""
    assert cost(panel) == ""


def test_sketches_are_counted(panel_of: Maker, shapes: Path) -> None:
    panel = panel_of(sketches=shapes / "train", config=EvaluationConfig(people="all"))
    assert "\n16 sketches of 2 classes.\n" in said(panel)
    assert cost(panel).startswith("Pictures to draw: 2 times 22,")
    kept = sum(map(is_kept_for_testing, (shapes / "train").glob("*/*.png")))
    find(panel, "People's sketches").value = "held_out"
    assert f"\n{kept} of 16 sketches" in said(panel)
    assert cost(panel).startswith(f"Pictures to draw: 2 times {6 + kept},")


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
    """A start that cannot succeed is not offered; the reason stands above it."""
    panel = panel_of(**change)
    assert told in said(panel)
    assert find(panel, "Start").disabled
    assert not started


def test_models_without_classes_in_common_are_told(panel_of: Maker, models: Path, tmp_path: Path) -> None:
    panel = panel_of()
    assert not find(panel, "Start").disabled
    add_model(panel, write_model(tmp_path / "stranger", 2, ("cup", "hat")))
    assert "have no class in common; remove a model" in said(panel)
    assert find(panel, "Start").disabled
    every(panel, "Remove")[-1].click()
    assert not find(panel, "Start").disabled
    assert styled(panel, "eg-why")[0].value == ""


def test_data_that_comes_later_can_be_started_with(panel_of: Maker, shapes: Path, tmp_path: Path) -> None:
    panel = panel_of(data=tmp_path / "later")
    assert find(panel, "Start").disabled
    shutil.copytree(shapes, tmp_path / "later")
    part(panel, EvaluationView).look()
    assert not find(panel, "Start").disabled


def test_settings_out_of_range_are_told_and_sizes_may_differ(
    panel_of: Maker, started: list[Request], tmp_path: Path
) -> None:
    panel = panel_of()
    find(panel, "Variations").value = 0
    assert find(panel, "Start").disabled
    assert "Variations is 0; it must be at least 1" in said(panel)
    assert not started
    find(panel, "Variations").value = 1
    add_model(panel, write_model(tmp_path / "large", 3, size_px=128))
    find(panel, "Start").click()
    assert said(panel.error_line) == ""
    assert [name for name, _ in started[0].models] == ["first", "second", "large"]


def test_the_table_fills_and_marks_the_best(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    assert started
    first = cell(panel, 0, "right class")
    assert first.description == "50.0%\n40.0%, 60.0%"
    assert "50%" in said(panel)
    assert measured(panel) == ["first wrong class"]
    go_on(panel, fake_report(), "finished")
    assert cell(panel, 0, "right class") is first, "what is there stays"
    best = {heading: [model for model in (0, 1) if has(cell(panel, model, heading), "eg-best")]
            for heading in ("right class", "F-score", "KID")}  # fmt: skip
    assert best == {"right class": [1], "F-score": [0], "KID": []}
    assert "Unreliable: 24 pictures." in cell(panel, 0, "Fréchet").tooltip
    assert cell(panel, 0, "Fréchet").description.endswith("unreliable")
    foot = read(styled(panel, "eg-foot")[0])
    assert "first: wrong class: the classifier sees another class too often" in foot
    assert "-25.0% [-40.0%, -10.0%]" in foot
    assert measured(panel) == ["first wrong class", "second"]
    assert not find(panel, "Start").disabled
    assert panel.report is not None
    assert len(panel.report["models"]) == 2


def test_every_number_opens_its_pictures(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    go_on(panel, fake_report(), "finished")
    for button in styled(panel, "eg-score"):
        button.click()
        assert panel.error_line.value == ""
        assert gallery_of(panel).count("base64,") == 1
        assert styled(panel, "eg-on") == [button]
    table = part(panel, ScoreTable)
    cell(panel, 1, "KID", place=0).click()
    first, second = (table.children.index(grid) for grid in styled(panel, "eg-score-grid"))
    assert first < table.children.index(part(panel, Gallery)) < second, "below its own table"
    find(panel, "Close").click()
    assert not styled(panel, "eg-gallery")


def test_stopping_keeps_the_row_and_starting_anew_leaves_its_folder(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    old = folder_of(panel)
    go_on(panel, one_row(), "stopped")
    assert cell(panel, 0, "KID").description.startswith("0.0100")
    assert "stopped" in said(panel)
    assert "Stop" not in labels(panel)
    panel.start()
    assert len(started) == 2
    assert folder_of(panel) != old
    assert old.report() == one_row()
    with pytest.raises(ConfigError, match=r"evaluation-.* is at work; wait for it, or stop it"):
        panel.start()


def test_no_old_table_stands_under_a_failure(
    panel_of: Maker, started: list[Request], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    panel = panel_of()
    panel.start()
    go_on(panel, fake_report(), "finished")
    failed = EvaluationFolder(tmp_path / "failed")
    write_status(failed.folder, Status("failed", message="the disk is full."))
    monkeypatch.setattr(evaluation_view, "start_evaluation", lambda request, folder: failed)
    panel.start()
    assert "The disk is full." in said(panel)
    assert not find(panel, "Start").disabled
    assert not styled(panel, "eg-score-grid")
    assert panel.report is None
    assert find(panel, "Save report").disabled


def test_a_report_is_saved_and_opened_again(panel_of: Maker, started: list[Request], tmp_path: Path) -> None:
    panel = panel_of()
    assert find(panel, "Save report").disabled
    with pytest.raises(ConfigError, match="nothing to save yet"):
        panel.save()
    panel.start()
    go_on(panel, fake_report(), "finished")
    find(panel, "Save report").click()
    path = next((tmp_path / "evaluations").glob("*.json"))
    assert f"Saved {path} and the page beside it." in said(panel)
    assert path.with_suffix(".html").is_file()
    assert panel.save() != path, "nothing is written over"
    another = panel_of()
    another.open_report(path)
    assert another.report == panel.report
    assert "A saved report" in said(another)
    shutil.rmtree(folder_of(panel).folder)
    another.open_report(path)
    cell(another, 0, "KID").click()
    assert "base64," in gallery_of(another), "saved with its pictures"
    for kept in (tmp_path / "evaluations").glob("*.pictures"):
        shutil.rmtree(kept)
    another.open_report(path)
    cell(another, 0, "KID").click()
    assert "not on this machine; its page, the .html beside it, has them" in gallery_of(another)


def test_a_wrong_file_leaves_what_is_shown(panel_of: Maker, started: list[Request], tmp_path: Path) -> None:
    panel = panel_of()
    panel.start()
    go_on(panel, fake_report(), "finished")
    (tmp_path / "wrong.json").write_text("{}")
    for path in ("wrong.json", "absent.json"):
        with pytest.raises(DataError):
            panel.open_report(tmp_path / path)
    find(panel, "Upload").value = ({"name": "a.json", "type": "", "size": 2, "content": b"{}", "last_modified": NOW},)
    assert "This file is no report" in said(panel)
    assert cell(panel, 1, "KID").description.startswith("0.0100")


def test_a_page_that_is_opened_again_finds_the_latest(panel_of: Maker, started: list[Request]) -> None:
    panel = panel_of()
    panel.start()
    found = folder_of(panel)
    (found.folder / "request.json").write_text("{}")
    panel.close()
    again = panel_of()
    assert folder_of(again) == found
    assert find(again, "Measuring…").disabled, "it is at work"
    assert again.report == one_row()
    go_on(again, fake_report(), "finished")
    assert not find(again, "Start").disabled
    cell(again, 1, "KID").click()
    assert "base64," in gallery_of(again)


def test_a_real_evaluation_through_the_panel(panel_of: Maker) -> None:
    panel = panel_of(config=EvaluationConfig(robustness_per_class=0, classifier_steps=2, cache="none"))
    find(panel, "Start").click()
    assert panel.error_line.value == ""
    status = panel.wait(120)
    assert status is not None
    assert status.state == "finished", status.message
    assert panel.report is not None
    assert [row["name"] for row in panel.report["models"]] == ["first", "second"]
    cell(panel, 1, "F-score").click()
    assert "base64," in gallery_of(panel)
