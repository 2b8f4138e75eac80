"""The Data tab without a browser: clicks in, what is shown and what is on disk out."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgegan_widget.app.workbench import Workbench
from edgegan_widget.data.audit.advice import ClassCount
from edgegan_widget.data.audit.decisions import read_decisions
from edgegan_widget.data.audit.rules import Judging, Thresholds
from edgegan_widget.data.catalog import Wanted
from edgegan_widget.data.plan import Plan, Step, follow
from edgegan_widget.panels.data import preparation
from edgegan_widget.panels.data.panel import DataPanel
from edgegan_widget.panels.data.source import READY
from tests.data_desk import SMALL, lines, marked, pixels, prepare_sample, said, tiles
from tests.test_app import Plain


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_sample(tmp_path_factory.mktemp("sample") / "data")


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def make() -> Iterator[Callable[..., DataPanel]]:
    made: list[DataPanel] = []

    def panel(*arguments: Any, **options: Any) -> DataPanel:
        made.append(DataPanel(*arguments, **options))
        assert made[-1].wait(60)
        return made[-1]

    yield panel
    for each in made:
        each.close()


def test_the_sample_is_made_counted_and_shown(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    panel = make()
    panel._source._way.value = "synthetic"
    assert panel._source._folder.value == str(Path("data", "synthetic")), "proposed"
    panel._source._answers["synthetic"]["count"].value = 3
    panel._source._folder.value = str(tmp_path / "made")
    panel._source._cutting["size_px"].value = 64
    assert panel._start.description == "Prepare"
    panel._start.click()
    assert panel.wait(120)
    assert panel.error_line.value == ""
    assert "15 pictures to train and validate on, 0 set aside" in said(panel._work._line)
    assert panel.catalog is not None
    assert len(panel.catalog) == 15
    assert "balloon" in panel._counts.value
    assert "Few pictures to train on" in panel._counts.value
    assert len(tiles(panel._sheet)) == 12
    assert pixels(tiles(panel._sheet)[0]._picture.value).shape == (128, 128, 3)
    assert pixels(lines(panel._sheet)[0]).shape == (128, 256)
    assert marked(panel._sheet, "eg-focus") == [0]


def test_decisions_by_button_are_on_disk_and_applied(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    bar, chosen = panel._sheet._decisions, panel._sheet._leafing
    assert chosen is not None
    panel._sheet._filter._show.value = "used"
    assert bar._apply.disabled
    first = chosen.shown[0]
    bar._refuse.click()
    assert read_decisions(data / "audit.csv") == {first.id: "refuse"}
    assert marked(panel._sheet, "eg-refused") == [0]
    assert marked(panel._sheet, "eg-focus") == [1], "on to the next"
    bar._undo.click()
    assert read_decisions(data / "audit.csv") == {}
    assert marked(panel._sheet, "eg-focus") == [0]
    bar._refuse.click()
    assert bar._apply.description == "Apply: move 1 file"
    bar._apply.click()
    assert panel.wait(60)
    assert panel.error_line.value == ""
    assert not first.path.exists()
    assert (data / "refused" / first.path.relative_to(data)).is_file()
    assert bar._apply.disabled
    panel._sheet._filter._show.value = "refuse"
    assert len(tiles(panel._sheet)) == 1
    bar._leave.click()
    assert bar._apply.description == "Apply: move 1 file"


def test_a_folder_of_others_is_shown_audited_and_trained_on(
    make: Callable[..., DataPanel], shapes: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(shapes, tmp_path / "mine"))
    trained: list[Path] = []
    panel = make(on_train=trained.append)
    assert panel._start.description == "Open folder"
    panel._source._folder.value = str(data)
    assert panel.wait(60)
    assert panel._start.description == "Audit this folder"
    assert not (data / "manifest.jsonl").exists(), "looking changes nothing"
    panel._start.click()
    assert panel.wait(60)
    assert panel.error_line.value == ""
    assert (data / "manifest.jsonl").exists()
    assert panel._start.description == "Audit again"
    assert len(list(data.rglob("*.png"))) == 22
    assert not (data / "refused").exists(), "judging moves nothing"
    panel._train_button.click()
    assert trained == [data]


def test_applying_before_an_audit_moves_only_what_was_decided(
    make: Callable[..., DataPanel], shapes: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(shapes, tmp_path / "mine"))
    shutil.copy(data / "train" / "box" / "box_0.png", data / "train" / "box" / "twin.png")  # the audit would refuse it
    panel = make(data)
    panel._sheet._decisions._refuse.click()
    panel._sheet._decisions._apply.click()
    assert panel.wait(60)
    assert panel.error_line.value == ""
    assert [path.name for path in (data / "refused").rglob("*.png")] == ["ball_0.png"]
    assert panel.catalog is not None
    assert len(panel.catalog.find(Wanted("duplicate"))) > 0
    assert panel._source._judging["keep_refused"].value, "and the form says so"


def test_other_limits_judge_anew(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    assert panel._source.judging == Judging()
    panel._source._thresholds["small_px"].value = 9999
    panel._source._thresholds["overfull"].value = 99
    panel.audit()
    assert panel.wait(60)
    assert panel.catalog is not None
    assert len(panel.catalog.find(Wanted("small"))) == 20
    assert panel._sheet._decisions._apply.description.startswith("Apply: move")
    panel.apply()
    assert panel.wait(60)
    assert not list((data / "train").rglob("*.png"))
    assert panel._source.judging.thresholds == Thresholds(small_px=9999, overfull=99)


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
    panel._source._way.value = way
    for name, value in fields.items():
        panel._source._answers[way][name].value = value
    panel._start.click()
    assert panel.wait(60)
    assert told in said(panel.error_line)
    assert not panel._start.disabled
    panel._source._folder.value = "gone"
    assert panel.wait(60)
    assert ("There is no folder" in said(panel.error_line)) == (way == READY)


def test_numbers_out_of_range_lose_nothing(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    panel = make()
    panel._source._way.value = "synthetic"
    panel._source._folder.value = str(tmp_path / "made")
    for field, value, told in (
        ("size_px", 3, "Size_px is 3"),
        ("margin", 0.9, "Margin is 0.9"),
        ("val_share", 1.0, "1.0"),
    ):
        form = panel._source._judging if field == "val_share" else panel._source._cutting
        control = form[field]
        kept, control.value = control.value, value
        panel._start.click()
        assert told in said(panel.error_line)
        control.value = kept
    assert not (tmp_path / "made").exists()


class Gate:
    """Steps that wait to be let on."""

    def __init__(self) -> None:
        self.on, self.closed = threading.Event(), False

    def steps(self) -> Iterator[Step]:
        try:
            for number in range(10_000):
                yield Step("Cutting out", 10_000)
                if number:
                    self.on.wait(10)
                    time.sleep(0.001)
        finally:
            self.closed = True


def test_it_is_stopped_and_nothing_can_be_decided_meanwhile(make: Callable[..., DataPanel], data: Path) -> None:
    panel, gate = make(data), Gate()
    panel._begin(gate.steps())
    assert panel.active
    assert panel._start.disabled
    assert panel._sheet._decisions._refuse.disabled
    panel._sheet._decide("refuse")
    assert read_decisions(data / "audit.csv") == {}
    panel._work._stop_button.click()
    gate.on.set()
    assert panel.wait(60)
    assert gate.closed
    assert "Stopped" in said(panel._work._line)
    assert not panel._sheet._decisions._refuse.disabled
    assert not panel.active


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
    assert "begun and is not done" in said(panel._work._line)
    assert panel._start.description == "Resume"
    assert panel.plan.answers == plan.answers
    assert panel.plan.options.making == SMALL.making
    assert panel.catalog is not None
    assert len(panel.catalog) == 2, "what there is so far is shown"
    panel._start.click()
    assert panel.wait(60)
    assert panel.catalog is not None
    assert panel.catalog.audited
    assert len(panel.catalog) == 20
    assert panel._start.description == "Prepare"


def test_closing_stops_the_work(data: Path) -> None:
    panel, gate = DataPanel(data), Gate()
    gate.on.set()
    panel._begin(gate.steps())
    panel.close()
    assert panel._work.wait(30)
    assert gate.closed


def test_an_error_of_the_work_is_told(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    next((data / "train").rglob("*.png")).unlink()
    panel.apply()
    assert panel.wait(60)
    assert "has vanished" in said(panel.error_line)
    assert "failed" in panel._work._line.value
    assert len(tiles(panel._sheet)) == 12


def test_alone_it_says_how_to_train(make: Callable[..., DataPanel], data: Path) -> None:
    panel = make(data)
    panel._train_button.click()
    assert f"edgegan-widget train {data}" in said(panel._said)


def test_problems_are_listed(make: Callable[..., DataPanel], tmp_path: Path) -> None:
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "broken.png").write_bytes(b"<b>")
    Image.new("RGB", (40, 40), (9, 9, 9)).save(tmp_path / "photos" / "cat" / "dark.png")
    panel = make()
    panel._source.show_plan(Plan("folder", {"folder": str(tmp_path / "photos")}, str(tmp_path / "out"), SMALL))
    panel._start.click()
    assert panel.wait(60)
    assert panel._work._folded.titles == ("Left out (2)",)
    assert "broken.png" in panel._work._problems.value


def test_figures_of_a_long_run() -> None:
    from edgegan_widget.data.build import Progress

    work = preparation.Preparation(lambda error: None, lambda error: None)
    work._began = time.monotonic() - 10
    figures = re.sub("<[^>]+>", " ", work._figures(Step("Cutting out", 200, Progress(100, 50, 120, 3))))
    assert "100 of 200 sources" in figures
    assert "20 s left" in figures, "what was there already took no time"
    assert "50 were there" in figures
    assert "3 left out" in figures
    work.close()


def test_its_tab_hands_the_folder_on_to_training(data: Path, tmp_path: Path) -> None:
    bench = Workbench(Plain(), device="cpu", runs=tmp_path / "runs")
    bench.show_tab("Data")
    bench.data._source._folder.value = str(data)
    assert bench.data.wait(60)
    gate = Gate()
    bench.data._begin(gate.steps())
    bench._look()
    assert "Data (running)" in bench._tabs.titles
    bench.data.stop()
    gate.on.set()
    assert bench.data.wait(60)
    bench._look()
    assert "Data" in bench._tabs.titles
    bench.data._train_button.click()
    assert bench._tabs.titles[bench._tabs.selected_index] == "Train"
    assert bench.train._data.data == str(data)
    bench.close()


def test_a_page_that_is_there_late_is_told_again(
    make: Callable[..., DataPanel], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, sent = make(data), set[int]()
    monkeypatch.setattr("ipywidgets.Widget.send_state", lambda widget, key=None: sent.add(id(widget)))
    (hello,) = [each for each in panel.children[0].children[1].children if "eg-hello" in each._dom_classes]
    hello.click()
    assert panel.error_line.value == ""
    assert {id(tile._picture) for tile in tiles(panel._sheet)} <= sent
    assert id(panel._counts) in sent


def test_counts_of_classes_are_told_apart_from_markup() -> None:
    from edgegan_widget.panels.data.counts import DataCounts

    counts = DataCounts()
    counts.show([ClassCount("<b>cat</b>", 300, 30, 5)])
    assert "&lt;b&gt;cat" in counts.value
    assert "width:89.55%" in counts.value
    counts.show([])
    assert counts.value == ""
