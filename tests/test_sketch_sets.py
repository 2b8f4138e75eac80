"""Which drawings are held out, the same in training and in evaluation."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from edgegan_widget.base.errors import DataError
from edgegan_widget.sketch.sketch_sets import asked_sketches, is_kept_for_testing, left_out, sketch_folders
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
