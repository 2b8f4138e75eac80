from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.training.data_folder import class_counts
from edgegan_widget.training.dataset import load_data, pack


def test_counts_are_those_of_the_data_that_is_loaded(shapes: Path) -> None:
    for split in ("train", "val"):
        assert class_counts(shapes, split) == load_data(shapes, split).counts()


def test_a_packed_file_counts_as_its_folder(shapes: Path, tmp_path: Path) -> None:
    pack(shapes, tmp_path / "shapes.npz")
    assert class_counts(tmp_path / "shapes.npz") == class_counts(shapes)
    assert class_counts(tmp_path / "shapes.npz", "val") == class_counts(shapes, "val")


def test_hidden_files_and_other_kinds_do_not_count(tmp_path: Path) -> None:
    mugs = tmp_path / "train" / "mug"
    mugs.mkdir(parents=True)
    for name in ("a.png", "b.JPG", ".hidden.png", "notes.txt"):
        (mugs / name).touch()
    (tmp_path / "train" / ".cache").mkdir()
    assert class_counts(tmp_path) == {"mug": 2}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("nothing", "there is no data at"),
        ("folder", "is not a folder; data is laid out as"),
        ("empty", "holds no picture to train"),
        ("text", "is a file; give a folder with train/<class>"),
        ("array", "is a file; give a folder with train/<class>"),
        ("packed", "holds no packed train pictures"),
    ],
)
def test_what_is_no_data_is_told_in_a_sentence(tmp_path: Path, made: str, message: str) -> None:
    place = tmp_path / "data"
    if made == "folder":
        place.mkdir()
    elif made == "empty":
        (place / "train" / "mug").mkdir(parents=True)
    elif made == "text":
        place.write_text("mugs")
    elif made == "packed":
        place = tmp_path / "data.npz"
        place.write_text("mugs")
    elif made == "array":
        place = tmp_path / "data.npy"
        np.save(place, np.zeros(3))
    with pytest.raises(DataError, match=message):
        class_counts(place)


def test_an_empty_path_is_not_the_working_folder() -> None:
    with pytest.raises(DataError, match="no data is named"):
        class_counts("")
