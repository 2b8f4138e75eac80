"""Folders as people fill them: what is taken, what is left out with a word, and what is refused."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from PIL import Image

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.layout import split_folder, unused_splits
from edgegan_widget.training.data_folder import class_counts
from edgegan_widget.training.dataset import load_data
from tests.small import small_run


@pytest.fixture
def data(shapes: Path, tmp_path: Path) -> Path:
    """Drawn cut-outs of two classes that a test may spoil."""
    return Path(shutil.copytree(shapes, tmp_path / "data"))


def test_pictures_within_a_class_are_named_and_systems_folders_are_no_classes(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    within = data / "train" / "box" / "more"
    within.mkdir()
    for name in ("box_0.png", "box_1.png"):
        (data / "train" / "box" / name).rename(within / name)
    shutil.copytree(data / "train" / "ball", data / "train" / "__MACOSX")
    with caplog.at_level(logging.WARNING):
        assert load_data(data, "train").classes == ("ball", "box")
    assert "box: 2 pictures in folders within it (more) are left out" in caplog.text
    assert class_counts(data) == {"ball": 8, "box": 6}


def test_two_folders_for_one_class_are_refused(data: Path) -> None:
    shutil.copytree(data / "train" / "ball", data / "train" / "Ball")
    for read in (load_data, class_counts):
        with pytest.raises(DataError, match="two folders for a class, 'Ball' and 'ball'; put their pictures into one"):
            read(data, "train")


def test_a_picture_on_which_nothing_is_seen_is_left_out(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.new("RGBA", (128, 128)).save(data / "train" / "ball" / "nothing.png")
    Image.new("RGB", (128, 128), "white").save(data / "train" / "ball" / "white.png")
    with caplog.at_level(logging.WARNING):
        assert len(load_data(data, "train")) == 16
    assert caplog.text.count("holds nothing but white paper") == 2


def test_classes_without_splits_and_other_files_are_refused_with_the_way_out(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train is not a folder; .* parted by: edgegan-widget data from-folder"):
        load_data(data / "train", "train")
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", data))
    for read in (load_data, class_counts):
        with pytest.raises(DataError, match=r"packed\.zip is a file; give a folder .*, or the \.npz"):
            read(archive, "train")


def test_a_test_split_that_is_validated_on_is_told(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    from edgegan_widget.training.recipes.common import load_pictures

    (data / "val").rename(data / "Testing")
    with caplog.at_level(logging.WARNING):
        _, shown = load_pictures(small_run("projected", data))
    assert len(shown) == 6
    assert "Testing serves as the validation split, since there is no val" in caplog.text


@pytest.mark.parametrize(
    ("train", "val"),
    [("training_set", "dev"), ("train2017", "val2017"), ("Train-Images", "Eval"), ("Training", "Holdout data")],
)
def test_splits_as_people_name_them(data: Path, train: str, val: str) -> None:
    (data / "train").rename(data / train)
    (data / "val").rename(data / val)
    assert class_counts(data) == {"ball": 8, "box": 8}
    assert class_counts(data, "val") == {"ball": 3, "box": 3}


def test_a_split_that_is_there_twice_is_told(data: Path) -> None:
    shutil.copytree(data / "val", data / "val2017")
    assert list(unused_splits(data)) == [
        f"{data / 'val2017'}: 6 pictures are left out, since val is there and is taken for val"
    ]
    assert split_folder(data, "val") == data / "val"


def test_splits_one_folder_deeper_are_pointed_to(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train is not a folder, but .*data/train is; give .*data\."):
        class_counts(tmp_path)
    shutil.copytree(data, tmp_path / "other")
    with pytest.raises(DataError, match="here each class holds its own train; put the classes into"):
        class_counts(tmp_path)
