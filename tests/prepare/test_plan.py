"""Plans: every reader by the same form, stopped and gone on with, remembered until done."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.settings import about, label_of, setting
from edgegan_widget.data import readers
from edgegan_widget.data.audit.rules import Judging, Thresholds
from edgegan_widget.data.preparing.build import Options
from edgegan_widget.data.preparing.plan import Plan, Step, follow, load_plan
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers import ReaderKind, kinds
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.readers.synthetic import draw_photos, draw_synthetic
from edgegan_widget.data.sources import Making
from edgegan_widget.panels.data.panel import DataPanel
from tests.benchmarks.data import write_photos

ONE = Options(Making(32), Judging(keep_refused=True), where=Where(1))


def done(plan: Plan) -> Step:
    *_, last = follow(plan)
    assert last.progress is not None
    assert last.progress.summary is not None
    return last


def pictures(step: Step) -> int:
    assert step.progress is not None
    assert step.progress.summary is not None
    return step.progress.summary.pictures.total()


def test_the_same_bytes_as_the_command_line(tmp_path: Path) -> None:
    options = dataclasses.replace(ONE, judging=Judging(val_share=0.3, keep_refused=True))
    plan = Plan("synthetic", {"count": 3, "seed": 1}, str(tmp_path / "a"), options)
    assert pictures(done(plan)) == 15
    command = ["data", "sample", "--out", str(tmp_path / "b"), "--count", "3", "--seed", "1", "--size", "32"]
    assert main([*command, "--workers", "1", "--val-share", "0.3"]) == 0
    for name in ("manifest.jsonl", "audit.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_coco_folders_and_pairs(tmp_path: Path, shapes: Path) -> None:
    write_photos(tmp_path / "photos", 4, 2)
    answers = {"images": str(tmp_path / "photos"), "annotations": str(tmp_path / "photos" / "instances.json")}
    step = done(Plan("coco", answers, str(tmp_path / "coco"), ONE))
    assert (step.total, pictures(step)) == (4, 8)
    assert pictures(done(Plan("coco", answers | {"classes": " fish ,"}, str(tmp_path / "fish"), ONE))) < 8

    draw_photos(tmp_path / "sprites", 2)
    step = done(
        Plan("folder", {"folder": str(tmp_path / "sprites" / "fish"), "label": "trout"}, str(tmp_path / "f"), ONE)
    )
    assert step.progress is not None
    assert step.progress.summary is not None
    assert {name for name, _ in step.progress.summary.pictures} == {"trout"}

    assert main(["data", "to-pairs", str(shapes), "--out", str(tmp_path / "pairs")]) == 0
    step = done(Plan("pairs", {"folder": str(tmp_path / "pairs"), "classes": "ball, box"}, str(tmp_path / "p"), ONE))
    assert pictures(step) == 22


def test_sketchycoco(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "GT" / "train" / "17"
    folder.mkdir(parents=True)
    Image.fromarray(draw_synthetic("fish", 1, 1)).save(folder / "1.png")
    drawn = tmp_path / "Sketch" / "val" / "17"
    drawn.mkdir(parents=True)
    Image.new("L", (64, 64), 255).save(drawn / "2.png")
    (drawn / "3.png").write_bytes(b"none")
    answers = {"folder": str(tmp_path), "classes": "cat", "sketches": str(tmp_path / "people")}
    step = done(Plan("sketchycoco", answers, str(tmp_path / "o"), ONE))
    assert pictures(step) == 1
    assert [path.name for path in (tmp_path / "people" / "cat").iterdir()] == ["2.png"]
    assert [problem for problem in step.problems if "3.png" in problem and not problem.startswith("left out")]


def test_a_stopped_plan_is_remembered_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_photos(tmp_path / "sprites", 3)
    monkeypatch.chdir(tmp_path)
    options = dataclasses.replace(ONE, judging=Judging(Thresholds(blurred=0.9), 0.25, True))
    plan = Plan("folder", {"folder": "sprites", "licence": "mine"}, "out", options)
    steps = follow(plan)
    assert [step.doing for step in islice(steps, 3)] == ["Reading the list of pictures", "Cutting out", "Cutting out"]
    steps.close()
    kept = load_plan(tmp_path / "out")
    assert kept is not None
    assert kept.options == options
    assert kept.answers == {"folder": str(tmp_path / "sprites"), "licence": "mine"}, "whole paths"
    monkeypatch.chdir("/")
    last = done(kept)
    assert last.progress is not None
    assert last.progress.reused == 2
    assert load_plan(tmp_path / "out") is None, "what is done is not begun"


def test_what_is_missing_is_told_before_anything_is_written(tmp_path: Path) -> None:
    cases = [
        (Plan("coco", {"images": "x"}, str(tmp_path / "o")), ConfigError, "Annotations of COCO photos is empty"),
        (Plan("synthetic", {}, "  "), ConfigError, "no data folder is named"),
        (Plan("folder", {"folder": str(tmp_path / "none")}, str(tmp_path / "o")), DataError, "is not a folder"),
        (Plan("synthetic", {"count": 0}, str(tmp_path / "o")), ConfigError, "count is 0"),
    ]
    for plan, kind, told in cases:
        with pytest.raises(kind, match=told):
            list(follow(plan))
        assert not (tmp_path / "o" / ".prepare").exists()


def test_problems_of_the_annotations_are_told_once(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, 2, 1)
    content = json.loads((photos / "instances.json").read_text())
    content["annotations"].append({"id": 99, "image_id": 1, "category_id": 12345, "segmentation": []})
    (photos / "instances.json").write_text(json.dumps(content))
    answers = {"images": str(photos), "annotations": str(photos / "instances.json")}
    step = done(Plan("coco", answers, str(tmp_path / "out"), ONE))
    assert len(step.problems) == 1
    assert "category 12345" in step.problems[0]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"way": "other", "answers": {}, "options": {}}'])
def test_a_plan_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / ".prepare").mkdir()
    (tmp_path / ".prepare" / "plan.json").write_text(content)
    assert load_plan(tmp_path) is None


def test_every_way_says_what_it_needs() -> None:
    for kind in kinds().values():
        fields = dataclasses.fields(kind.options)
        assert all(about(field, "meaning") and label_of(field) for field in fields)
        assert all(field.default == "" for field in fields if about(field, "needed"))


@dataclass(frozen=True)
class PaintOptions:
    """What the reader of this file is told."""

    colour: str = setting("red", "what all pictures are painted in", allowed=("red", "green"))
    count: int = setting(3, "how many", least=1)


def test_a_reader_is_added_by_declaring_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on the command line and in the Data tab with its options, and prepares a folder."""

    def paint(options: PaintOptions, data: Path) -> FolderReader:
        folder = data / ".paint" / "dot"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(options.count):
            picture = Image.new("RGBA", (64, 64))
            ImageDraw.Draw(picture).ellipse((8 + number, 8, 50, 50), fill=options.colour)
            picture.save(folder / f"{number}.png")
        return FolderReader(data / ".paint")

    monkeypatch.setattr(readers.REGISTRY, "items", readers.REGISTRY.known())
    readers.register(ReaderKind("paint", "Paint", "paint", "paint dots", PaintOptions, paint))
    with pytest.raises(SystemExit):
        main(["data", "paint", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--colour {red,green} what all pictures are painted in (default: red)" in shown
    assert "--count N how many; at least 1 (default: 3)" in shown
    command = ["data", "paint", "--out", str(tmp_path / "a"), "--size", "32", "--workers", "1", "--keep-refused"]
    assert main([*command, "--colour", "green", "--count", "4"]) == 0
    assert "4 pictures" in capsys.readouterr().out
    panel = DataPanel()
    panel.source.way_choice.value = "paint"
    panel.source.folder_field.value = str(tmp_path / "b")
    panel.source["colour"].value = "green"
    assert panel.plan.told() == PaintOptions("green")
    panel.close()
    plan = Plan("paint", {"count": 2}, str(tmp_path / "b"), ONE)
    assert pictures(done(plan)) == 2
