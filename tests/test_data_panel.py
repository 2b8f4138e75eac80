"""The Data tab without a browser: clicks in, what is shown and what is on disk out."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgegan_widget.app.workbench import Workbench
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.runs import Status, this_process, write_status
from edgegan_widget.base.settings import to_json
from edgegan_widget.data.audit.advice import ClassCount
from edgegan_widget.data.audit.decisions import read_decisions
from edgegan_widget.data.audit.rules import Judging, Thresholds
from edgegan_widget.data.catalog import Wanted
from edgegan_widget.data.preparing.jobs import Figures, PreparationFolder, latest_preparation
from edgegan_widget.data.preparing.plan import Audit, Plan, follow
from edgegan_widget.panels.data.panel import DataPanel
from edgegan_widget.panels.data.source import READY
from tests.data_desk import SMALL, lines, long_plan, marked, pixels, prepare_sample, said, tiles, wears
from tests.pad_desk import Plain
from tests.screen import find, labels


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_sample(tmp_path_factory.mktemp("sample") / "data")


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., DataPanel]]:
    made: list[DataPanel] = []

    def panel(*arguments: Any, **options: Any) -> DataPanel:
        made.append(DataPanel(*arguments, **{"preparations": tmp_path / "preparations"} | options))
        assert made[-1].wait(60)
        return made[-1]

    yield panel
    for each in made:
        each.stop()
        each.close()


def test_the_sample_is_made_counted_and_shown(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    panel = make()
    panel.source.way_choice.value = "synthetic"
    assert panel.source.folder_field.value == str(Path("data", "synthetic")), "proposed"
    panel.source["count"].value = 3
    panel.source.folder_field.value = str(tmp_path / "made")
    panel.source["size_px"].value = 64
    assert panel.start_button.description == "Prepare"
    panel.start_button.click()
    assert panel.wait(120)
    assert panel.error_line.value == ""
    assert "15 pictures to train and validate on, 0 set aside" in said(panel.preparation.line)
    assert panel.catalog is not None
    assert len(panel.catalog) == 15
    assert "balloon" in panel.counts.value
    assert "Few pictures to train on" in panel.counts.value
    assert len(tiles(panel.sheet)) == 12
    assert pixels(tiles(panel.sheet)[0].picture.value).shape == (128, 128, 3)
    assert pixels(lines(panel.sheet)[0]).shape == (128, 256)
    assert marked(panel.sheet, "eg-focus") == [0]


def test_one_click_prepares_the_sample_and_what_comes_next_has_the_colour(
    make: Callable[..., DataPanel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    panel = make()
    panel.source.way_choice.value = "synthetic"
    panel.source["count"].value = 2  # sixty would take a minute
    panel.source.way_choice.value = READY
    assert not wears(panel.start_button, "eg-quiet")
    find(panel, "Prepare the sample set").click()
    assert panel.wait(120)
    assert panel.error_line.value == ""
    assert panel.catalog is not None
    assert (tmp_path / "data" / "sample" / "train" / "fish").is_dir()
    assert wears(panel.train_button, "eg-main")
    assert wears(panel.start_button, "eg-quiet")
    assert "Prepare the sample set" not in labels(panel)


def test_decisions_by_button_are_on_disk_and_applied(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    bar, catalog = panel.sheet.decisions, panel.catalog
    assert catalog is not None
    panel.sheet.filter.shows.value = "used"
    assert bar.apply.disabled
    (first,) = catalog.pictures(catalog.find(Wanted("used"))[:1])
    bar.refuse.click()
    assert read_decisions(data / "audit.csv") == {first.id: "refuse"}
    assert marked(panel.sheet, "eg-refused") == [0]
    assert marked(panel.sheet, "eg-focus") == [1], "on to the next"
    bar.undo.click()
    assert read_decisions(data / "audit.csv") == {}
    assert marked(panel.sheet, "eg-focus") == [0]
    bar.refuse.click()
    assert bar.apply.description == "Apply: move 1 file"
    bar.apply.click()
    assert panel.wait(60)
    assert panel.error_line.value == ""
    assert not first.path.exists()
    assert (data / "refused" / first.path.relative_to(data)).is_file()
    assert bar.apply.disabled
    panel.sheet.filter.shows.value = "refuse"
    assert len(tiles(panel.sheet)) == 1
    bar.leave.click()
    assert bar.apply.description == "Apply: move 1 file"


def test_a_folder_of_others_is_shown_audited_and_trained_on(
    make: Callable[..., DataPanel], shapes: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(shapes, tmp_path / "mine"))
    trained: list[Path] = []
    panel = make(on_train=trained.append)
    assert panel.start_button.description == "Open folder"
    panel.source.folder_field.value = str(data)
    assert panel.wait(60)
    assert panel.start_button.description == "Audit this folder"
    assert not (data / "manifest.jsonl").exists(), "looking changes nothing"
    panel.start_button.click()
    assert panel.wait(60)
    assert panel.error_line.value == ""
    assert (data / "manifest.jsonl").exists()
    assert panel.start_button.description == "Audit again"
    assert len(list(data.rglob("*.png"))) == 22
    assert not (data / "refused").exists(), "judging moves nothing"
    panel.train_button.click()
    assert trained == [data]


def test_applying_before_an_audit_moves_only_what_was_decided(
    make: Callable[..., DataPanel], shapes: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(shapes, tmp_path / "mine"))
    shutil.copy(data / "train" / "box" / "box_0.png", data / "train" / "box" / "twin.png")  # the audit would refuse it
    panel = make(data)
    panel.sheet.decisions.refuse.click()
    panel.sheet.decisions.apply.click()
    assert panel.wait(60)
    assert panel.error_line.value == ""
    assert [path.name for path in (data / "refused").rglob("*.png")] == ["ball_0.png"]
    assert panel.catalog is not None
    assert len(panel.catalog.find(Wanted("duplicate"))) > 0
    assert panel.source["keep_refused"].value, "and the form says so"


def test_other_limits_judge_anew(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    assert panel.source.judging == Judging()
    panel.source["small_px"].value = 9999
    panel.source["overfull"].value = 99
    panel.audit()
    assert panel.wait(60)
    assert panel.catalog is not None
    assert len(panel.catalog.find(Wanted("small"))) == 20
    assert panel.sheet.decisions.apply.description.startswith("Apply: move")
    panel.apply()
    assert panel.wait(60)
    assert not list((data / "train").rglob("*.png"))
    assert panel.source.judging.thresholds == Thresholds(small_px=9999, overfull=99)


@pytest.mark.parametrize(
    ("way", "fields", "told"),
    [
        (READY, {}, "No data folder is named"),
        ("coco", {}, "Photos of COCO photos is empty"),
        ("folder", {"folder": "nowhere"}, "nowhere is not a folder"),
        ("synthetic", {"count": 0}, "Count is 0"),
    ],
)
def test_what_is_missing_is_told(
    make: Callable[..., DataPanel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, fields: Any, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    panel = make()
    panel.source.way_choice.value = way
    for name, value in fields.items():
        panel.source[name].value = value
    panel.start_button.click()
    assert panel.wait(60)
    assert told in said(panel.error_line) + said(panel.preparation.line)
    assert not panel.start_button.disabled
    panel.source.folder_field.value = "gone"
    assert panel.wait(60)
    assert ("There is no folder" in said(panel.error_line)) == (way == READY)


def test_numbers_out_of_range_lose_nothing(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    panel = make()
    panel.source.way_choice.value = "synthetic"
    panel.source.folder_field.value = str(tmp_path / "made")
    for field, value, told in (
        ("size_px", 3, "Size_px is 3"),
        ("margin", 0.9, "Margin is 0.9"),
        ("val_share", 1.0, "1.0"),
    ):
        control = panel.source[field]
        kept, control.value = control.value, value
        panel.start_button.click()
        assert told in said(panel.error_line)
        control.value = kept
    assert not (tmp_path / "made").exists()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def begin(panel: DataPanel, plan: Plan) -> None:
    """Press the large button for this plan, and wait until it is at work."""
    panel.source.show_plan(plan)
    panel.start_button.click()
    assert panel.error_line.value == ""
    until(lambda: "running" in said(panel.preparation.line))


def test_it_is_stopped_and_nothing_can_be_decided_meanwhile(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    begin(panel, long_plan(data))
    assert panel.active
    assert panel.start_button.disabled
    assert panel.sheet.decisions.refuse.disabled
    panel.sheet.decisions.refuse.click()
    assert read_decisions(data / "audit.csv") == {}
    with pytest.raises(ConfigError, match="already"):
        panel.audit()
    panel.preparation.stop_button.click()
    assert panel.preparation.stop_button.disabled
    assert panel.wait(60)
    assert "stopped" in said(panel.preparation.line)
    assert "it goes on from there" in said(panel.preparation.line)
    assert not panel.sheet.decisions.refuse.disabled
    assert wears(panel.preparation.stop_button, "eg-hidden")
    assert not panel.active


def test_it_goes_on_without_its_page_and_is_found_again(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    panel = make()
    begin(panel, long_plan(tmp_path / "made"))
    panel.close()
    again = DataPanel(preparations=tmp_path / "preparations")
    assert again.active
    assert again.plan.answers == long_plan(tmp_path).answers, "the form says what is prepared"
    assert again.source.folder == tmp_path / "made"
    assert again.start_button.disabled
    assert again.sheet.decisions.accept.disabled
    assert "running" in said(again.preparation.line)
    again.preparation.stop_button.click()
    assert again.wait(60)
    assert "stopped" in said(again.preparation.line)
    assert not again.start_button.disabled
    again.close()


def test_what_ended_while_nobody_looked_is_shown(
    make: Callable[..., DataPanel], tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    panel = make()
    begin(panel, Plan("synthetic", {"count": 3, "seed": 7}, "made", SMALL))
    panel.close()
    job = latest_preparation(tmp_path / "preparations")
    assert job is not None
    assert job.wait(60).state == "finished"
    again = make()
    assert "finished" in said(again.preparation.line)
    assert "pictures to train and validate on" in said(again.preparation.line)
    assert again.catalog is not None
    assert again.catalog.data == tmp_path / "made"
    again.audit()
    again.close()
    assert latest_preparation(tmp_path / "preparations") != job
    third = make()
    assert "finished" in said(third.preparation.line)
    assert third.start_button.description == "Audit again"
    other = make(data)
    assert other.preparation.line.value == "", "of another folder nothing is told"
    other.source.folder_field.value = str(tmp_path / "made")
    assert "finished" in said(other.preparation.line)
    for _ in follow(Audit("made")):
        pass
    assert make(tmp_path / "made").preparation.line.value == "", "nor where another has judged it since"
    shutil.rmtree(tmp_path / "made")
    assert make().preparation.line.value == "", "nor of one that is gone"


def test_what_was_begun_is_offered_when_the_page_is_opened_again(
    make: Callable[..., DataPanel], tmp_path: Path
) -> None:
    plan = Plan("synthetic", {"count": 4, "seed": 7}, str(tmp_path / "made"), SMALL)
    steps = follow(plan)
    while next(steps).progress is None:
        pass
    next(steps)
    steps.close()
    panel = make(tmp_path / "made")
    assert "begun and is not done" in said(panel.preparation.line)
    assert panel.start_button.description == "Resume"
    assert panel.plan.answers == plan.answers
    assert panel.plan.options.making == SMALL.making
    assert panel.catalog is not None
    assert len(panel.catalog) == 2, "what there is so far is shown"
    panel.start_button.click()
    assert panel.wait(60)
    assert panel.catalog is not None
    assert panel.catalog.audited
    assert len(panel.catalog) == 20
    assert panel.start_button.description == "Prepare"


def test_an_error_of_the_work_is_told(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    next((data / "train").rglob("*.png")).unlink()
    panel.apply()
    assert panel.wait(60)
    assert "has vanished" in said(panel.preparation.line)
    assert "failed" in said(panel.preparation.line)
    assert len(tiles(panel.sheet)) == 12


def test_alone_it_says_how_to_train(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    panel.train_button.click()
    assert f"edgegan-widget train {data}" in said(panel.said)


def test_problems_are_listed(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "broken.png").write_bytes(b"<b>")
    Image.new("RGB", (40, 40), (9, 9, 9)).save(tmp_path / "photos" / "cat" / "dark.png")
    panel = make()
    panel.source.show_plan(Plan("folder", {"folder": str(tmp_path / "photos")}, str(tmp_path / "out"), SMALL))
    panel.start_button.click()
    assert panel.wait(60)
    assert panel.preparation.left_out.titles == ("Left out (2)",)
    assert "broken.png" in panel.preparation.left_out.children[0].value
    assert make().preparation.left_out.titles == ("Left out (2)",), "when the page is opened again too"


def test_figures_of_a_long_run(tmp_path: Path) -> None:
    job = PreparationFolder(tmp_path / "preparation-1")
    pid, began = this_process()
    told = Status("running", 100, 200, seconds_left=20, message="Cutting out", pid=pid, process_started=began)
    write_status(job.folder, told)
    (job.folder / "plan.json").write_text(to_json(long_plan(tmp_path / "made")))
    job.tell(Figures(reused=50, objects=120, problems=3))
    panel = DataPanel(preparations=tmp_path)
    line = said(panel.preparation.line)
    parts = (
        "made",
        "Cutting out",
        "50%",
        "100 of 200 sources",
        "120 objects",
        "50 were there",
        "3 left out",
        "20 s left",
    )
    assert [part for part in parts if part not in line] == []
    write_status(job.folder, dataclasses.replace(told, step=1200, steps=0, message="Counting pictures"))
    panel.preparation.look()
    assert "1,200 so far" in said(panel.preparation.line)
    panel.close()


def test_its_tab_hands_the_folder_on_to_training(data: Path, tmp_path: Path) -> None:
    bench = Workbench(Plain(), device="cpu", runs=tmp_path / "runs")
    bench.show_tab("Data")
    bench.data.source.folder_field.value = str(data)
    assert bench.data.wait(60)
    begin(bench.data, long_plan(data))
    bench._look()
    assert "Data (running)" in bench._tabs.titles
    bench.data.stop()
    assert bench.data.wait(60)
    bench._look()
    assert "Data" in bench._tabs.titles
    bench.data.train_button.click()
    assert bench._tabs.titles[bench._tabs.selected_index] == "Train"
    assert bench.train._data.data == str(data)
    bench.close()


def test_a_page_that_is_there_late_is_told_again(
    make: Callable[..., DataPanel], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, sent = make(data), set[int]()
    monkeypatch.setattr("ipywidgets.Widget.send_state", lambda widget, key=None: sent.add(id(widget)))
    (hello,) = [each for each in panel.children[0].children[1].children if wears(each, "eg-hello")]
    hello.click()
    assert panel.error_line.value == ""
    assert {id(tile.picture) for tile in tiles(panel.sheet)} <= sent
    assert id(panel.counts) in sent


def test_counts_of_classes_are_told_apart_from_markup() -> None:
    from edgegan_widget.panels.data.counts import DataCounts

    counts = DataCounts()
    counts.show([ClassCount("<b>cat</b>", 300, 30, 5)])
    assert "&lt;b&gt;cat" in counts.value
    assert "width:89.55%" in counts.value
    counts.show([])
    assert counts.value == ""
