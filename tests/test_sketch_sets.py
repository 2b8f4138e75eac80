"""Which drawings are held out, the same in training and in evaluation."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from edgegan_widget.base.errors import DataError
from edgegan_widget.evaluation.drawn import human_sketches
from edgegan_widget.sketch.sets.folders import (
    asked_sketches,
    is_kept_for_testing,
    left_out,
    packed_people,
    people_folders,
    read_people,
    sketch_folders,
)  # fmt: skip
from edgegan_widget.training.recipes.projected.people import PeopleDrawings


def test_a_drawing_stays_kept_wherever_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(b"0")
    digest = int(hashlib.sha256(b"0").hexdigest(), 16)
    assert is_kept_for_testing(tmp_path / "a.svg") == (digest % 3 == 0)
    found = []
    for number in range(300):
        path = tmp_path / f"{number}.png"
        path.write_bytes(str(number).encode())
        shutil.copy(path, tmp_path / "copy.png")
        found.append(is_kept_for_testing(path))
        assert is_kept_for_testing(tmp_path / "copy.png") == found[-1], "read anew when the file is another"
    assert 80 < sum(found) < 120


def test_training_and_evaluation_share_no_drawing(tmp_path: Path) -> None:
    for name in ("ball", "box"):
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(10):
            picture = Image.new("L", (64, 64), 255)
            ImageDraw.Draw(picture).line((5, 5 + number, 50, 40 if name == "ball" else 60), fill=0, width=2)
            picture.save(tmp_path / "people" / name / f"{number}.png")
    every = sketch_folders(tmp_path, ("ball", "box"))
    assert asked_sketches(tmp_path, ("ball", "box"), "all") == every
    held_out = sum(len(folder.paths) for folder in asked_sketches(tmp_path, ("ball", "box"), "held_out"))
    trained_on = len(PeopleDrawings.load([str(tmp_path)], ("ball", "box"), 64).labels)
    assert 0 < held_out < 20
    assert held_out + trained_on == 20
    assert {folder.set_name for folder in every} == {"people"}


def test_where_none_is_held_out(shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "cloud").mkdir()
    trained_on = next(path for path in (shapes / "train" / "box").iterdir() if not is_kept_for_testing(path))
    for name in ("box", "cloud"):
        shutil.copy(trained_on, tmp_path / name)
    with pytest.raises(DataError, match=r"has 1 sketches of these classes, none of them held out .* --people all\.$"):
        asked_sketches(tmp_path, ("box",), "held_out")
    assert left_out(tmp_path, ("box",)) == ["cloud"]


def drawn(path: Path, number: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".svg":
        path.write_text(
            f'<svg viewBox="0 0 800 800"><g fill="none" stroke="black"><path d="M9 {number}L700 600"/></g></svg>'
        )
        return
    picture = Image.new("L", (128, 128), 255)
    ImageDraw.Draw(picture).line((5, 5 + number, 110, 90), fill=0, width=2)
    picture.save(path)


def names(root: Path, *classes: str) -> dict[str, int]:
    return {folder.name: len(folder.paths) for folder in sketch_folders(root, classes)}


def test_tu_berlin_as_it_is_published(tmp_path: Path) -> None:
    for kind in ("png", "svg"):
        for number in range(3):
            drawn(tmp_path / kind / "hot air balloon" / f"{number}.{kind}", number)
            drawn(tmp_path / kind / "horse" / f"{number}.{kind}", number)
        (tmp_path / kind / "filelist.txt").write_text("horse/1")
    assert names(tmp_path, "horse", "hot_air_balloon") == {"svg/horse": 3, "svg/hot air balloon": 3}, "each once"
    assert names(tmp_path / "png", "horse") == {"horse": 3}
    sketches, labels = read_people([tmp_path], ("horse",), 64)
    assert len(sketches) + len(read_people([tmp_path], ("horse",), 64, kept=True)[0]) == 3
    assert set(labels) <= {0}


def test_sketchy_as_it_is_published(tmp_path: Path) -> None:
    for placed in ("tx_000000000000", "tx_000100000000"):
        drawn(tmp_path / "256x256" / "sketch" / placed / "horse" / "n02374451_271-1.png")
        drawn(tmp_path / "256x256" / "photo" / placed / "horse" / "n02374451_271.jpg")
    assert names(tmp_path / "256x256", "horse") == {"sketch/tx_000000000000/horse": 1}
    drawn(tmp_path / "sketches" / "horse" / "n02374451_271-1.svg")
    assert names(tmp_path / "sketches", "horse") == {"horse": 1}


def test_several_classes_in_one_folder(tmp_path: Path) -> None:
    for name in ("horse_1.png", "horse_2.jpg", "Zebra (3).svg", "house.png"):
        drawn(tmp_path / "mixed" / name)
    assert names(tmp_path, "horse", "zebra") == {"mixed/horse": 2, "mixed/Zebra": 1}
    assert left_out(tmp_path, ("horse", "zebra")) == []
    assert names(tmp_path / "mixed", "horse") == {"mixed/horse": 2}


def test_quick_draw_as_it_is_downloaded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = []
    for number in range(30):
        drawing = [[[0, 200 + number, 90], [0, 50, 200]]]
        lines.append(
            json.dumps({"word": "horse", "countrycode": "US", "recognized": number % 3 != 0, "drawing": drawing})
        )
    (tmp_path / "horse.ndjson").write_text("\n".join([*lines, '{"recognized": true, "drawing": []}', "{broken"]))
    (tmp_path / "full_simplified_flip flops.ndjson").write_text(lines[1].replace("horse", "flip flops"))
    (tmp_path / "horse.ndjson.sha256").write_text("0  horse.ndjson")
    assert names(tmp_path, "horse", "zebra") == {"horse": 22}
    trained, _ = read_people([tmp_path], ("horse",), 64)
    tested, _ = read_people([tmp_path], ("horse",), 64, kept=True)
    assert (len(trained) + len(tested), bool(tested)) == (20, True)
    assert "horse.ndjson 21: the drawing shows no lines" in caplog.text
    assert "horse.ndjson 22: this is no whole JSON" in caplog.text
    (found,) = human_sketches(tmp_path, ("horse",), 64)
    assert (len(found), found.sources[0]) == (20, "horse/horse.ndjson 1")
    packed = packed_people([tmp_path], ("horse",), 64)
    assert packed["people_sketches"].shape == (20, 64, 64)
    (folder,) = (each for each in people_folders(tmp_path, ("horse",)) if each.asked)
    assert folder.trained_on + folder.kept == 22


def test_a_set_without_a_drawing_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "horse").mkdir()
    (tmp_path / "horse" / "1.png").write_bytes(b"none")
    with pytest.raises(DataError, match="no sketch that can be read; each was named with its reason"):
        human_sketches(tmp_path, ("horse",), 64)


@pytest.mark.parametrize("others", [("photo", "art_painting", "cartoon"), ("real", "painting", "clipart", "infograph")])
def test_what_lies_beside_sketches_in_other_styles_is_no_sketch(others: tuple[str, ...], tmp_path: Path) -> None:
    for style in ("sketch", *others):
        (tmp_path / style / "ball").mkdir(parents=True)
        Image.new("L", (9, 9)).save(tmp_path / style / "ball" / "1.png")
    assert [folder.name for folder in sketch_folders(tmp_path, ("ball",))] == ["sketch/ball"]


def test_folders_named_after_no_class_are_told(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number:02}_ball").mkdir()
        Image.new("L", (9, 9)).save(tmp_path / f"{number:02}_ball" / "1.png")
    with pytest.raises(DataError, match=r"its folders are 00_ball, 01_ball, .* and 2 more; name them after"):
        sketch_folders(tmp_path, ("ball",))
