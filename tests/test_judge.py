from __future__ import annotations

from pathlib import Path

import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.evaluation.features import train_classifier
from edgegan_widget.sketch.sets.folders import sketch_folders
from edgegan_widget.training.dataset import load_data


def test_a_classifier_is_the_same_every_time(shapes: Path) -> None:
    data = load_data(shapes, "train")
    first, second = (train_classifier(data, seed=1, steps=3) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first.parameters(), second.parameters()))


def test_linked_folders_are_found_once(shapes: Path, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "people").symlink_to(shapes / "val")
    (tmp_path / "sets" / "again").symlink_to(tmp_path)  # a circle
    found = sketch_folders(tmp_path / "sets", ("ball", "box"))
    assert [folder.name for folder in found] == ["people/ball", "people/box"]


def test_no_folder_of_sketches(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of sketches named after a class"):
        sketch_folders(tmp_path, ("ball",))
