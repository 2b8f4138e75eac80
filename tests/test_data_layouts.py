"""Folders as people fill them: what is taken, what is left out with a word, and what is refused."""

from __future__ import annotations

import logging
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.layout import split_folder, unused_splits
from edgegan_widget.data.readers.folder import FolderReader
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


def laid(root: Path, *folders: str, count: int = 2) -> Path:
    """Pictures, each another one, in these folders."""
    for number, name in enumerate(folders):
        (root / name).mkdir(parents=True, exist_ok=True)
        for each in range(count):
            picture = Image.new("RGB", (32, 32), "white")
            picture.paste((number * 9 % 200, each * 40, 120), (6, 8 + each, 24, 26))
            picture.save(root / name / f"{each}.png")
    return root


def read(root: Path, label: str = "") -> tuple[dict[tuple[str, str], int], str]:
    """How many pictures of which split (empty: to be parted) and class a folder is taken for, and what is told."""
    reader = FolderReader(root, label)
    found = Counter((source.split or "", source.regions[0].label) for source in reader)
    return dict(found), " ".join(reader.problems)


BOTH = {(split, name): 2 for split in ("train", "val") for name in ("a", "b")}
PARTED = {("", "a"): 2, ("", "b"): 2}


@pytest.mark.parametrize(
    ("folders", "wanted"),
    [
        ("images/train/a images/train/b images/val/a images/val/b", BOTH),
        ("x/Data/CLS/train/a x/Data/CLS/train/b x/Data/CLS/val/a x/Data/CLS/val/b", BOTH),
        ("a/train b/train a/test b/test", BOTH),
        ("train/images/a train/images/b val/images/a val/images/b", BOTH),
        ("seg_train/seg_train/a seg_train/seg_train/b seg_test/seg_test/a seg_test/seg_test/b", BOTH),
        ("x_train/a x_train/b x_val/a x_val/b", BOTH),
        ("train_80/a train_80/b val_20/a val_20/b", BOTH),
        ("train_v2/a train_v2/b val_v2/a val_v2/b", BOTH),
        ("trainval/a trainval/b tst/a tst/b", BOTH),
        ("a/images b/images", PARTED),
        ("JPEGImages/a JPEGImages/b", PARTED),
        ("a b .ipynb_checkpoints a/.ipynb_checkpoints __MACOSX/a", PARTED),
        ("train car test", {("", "train"): 2, ("", "car"): 2, ("", "test"): 2}),
        ("cat/train cat/val", {("train", "cat"): 2, ("val", "cat"): 2}),
        ("train/cat", {("train", "cat"): 2}),
    ],
)
def test_layouts_as_people_have_them(folders: str, wanted: dict[tuple[str, str], int], tmp_path: Path) -> None:
    assert read(laid(tmp_path, *folders.split())) == (wanted, "")


@pytest.mark.parametrize(
    ("folders", "told"),
    [
        ("train/a train/b other", "2 pictures that lie in no class's folder are left out (2 in other)"),
        ("train/a train/b train", "(2 in train)"),
        ("a b .", "(2 in .)"),
        ("train/a train/b Validierung/a", "(2 in Validierung/a)"),
        ("train/a train/b test", "(2 in test)"),
        ("train/a train/b train2014/a", "2 pictures are left out, since train is there"),
        ("train/a/images train/b/images val/images", "(2 in val/images)"),
    ],
)
def test_pictures_that_no_layout_takes_are_told(folders: str, told: str, tmp_path: Path) -> None:
    found, problems = read(laid(tmp_path, *folders.split()))
    assert sum(found.values()) == 4
    assert told in problems


@pytest.mark.parametrize("names", ["trainA trainB testA testB", "train_sketch train_photo", "test-edges test-photos"])
def test_sides_of_pairs_are_no_classes(names: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laid(tmp_path / "in", *names.split())
    for command in (["data", "from-folder"], ["data", "from-pairs"], ["train"]):
        assert main([*command, str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 1
        assert "are parts of splits and no classes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("folders", "told"),
    [
        (".", "lie in no class's folder; name their class with --class NAME"),
        ("train val", "lie in train, val and in no class's folder"),
        ("images", "lie in images and in no class's folder"),
        ("one/a/x one/b/x two/c/x", "lie deeper than in a class's folder"),
    ],
)
def test_pictures_of_no_class_are_refused_with_the_way_out(folders: str, told: str, tmp_path: Path) -> None:
    laid(tmp_path, *folders.split())
    with pytest.raises(DataError, match=re.escape(told)):
        FolderReader(tmp_path)


def test_a_named_class_takes_splits_and_folders_of_images_and_their_masks(tmp_path: Path) -> None:
    laid(tmp_path, "train/images", "train/masks", "val/images", "val/masks")
    assert read(tmp_path, "cat") == ({("train", "cat"): 2, ("val", "cat"): 2}, "")
    for source in FolderReader(tmp_path, "cat"):
        assert source.regions[0].mask == source.path.parents[1] / "masks" / source.path.name


@pytest.mark.parametrize("masks", ["masks/a", "masks/images/a"])
def test_masks_lie_beside_a_folder_of_images(masks: str, tmp_path: Path) -> None:
    laid(tmp_path, "images/a", masks)
    found = [source.regions[0] for source in FolderReader(tmp_path)]
    assert [(region.label, region.mask) for region in found] == [("a", tmp_path / masks / f"{n}.png") for n in range(2)]


def test_masks_beside_the_folder_that_is_given_are_another_folders(tmp_path: Path) -> None:
    laid(tmp_path, "images/a", "masks/b")
    assert [source.regions[0].mask for source in FolderReader(tmp_path / "images")] == [None, None]


def test_empty_classes_and_lists_of_splits_are_told(tmp_path: Path) -> None:
    laid(tmp_path, "a", "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "train.txt").write_text("a/0.png")
    _, told = read(tmp_path)
    assert "c: no picture is in it, so its class 'c' is left out" in told
    assert "train.txt is not read, since splits are folders" in told


def test_pictures_in_both_splits_are_told(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    from edgegan_widget.training.recipes.common import load_pictures

    with caplog.at_level(logging.WARNING):
        load_pictures(small_run("projected", data))
        assert "trained on too" not in caplog.text
        shutil.copy(data / "train" / "ball" / "ball_0.png", data / "val" / "ball" / "again.png")
        load_pictures(small_run("projected", data))
    assert "1 of the 7 validation pictures are trained on too" in caplog.text


def test_training_names_what_lies_beside_its_classes(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    from edgegan_widget.training.recipes.common import load_pictures

    laid(data, "train", "more/a", ".hidden", "refused/train/a")
    with caplog.at_level(logging.WARNING):
        load_pictures(small_run("projected", data))
    assert f"{data}: 4 pictures that lie in no class's folder are left out" in caplog.text
    shutil.rmtree(data / "train" / "box")
    laid(data, "train/box/images")
    with pytest.raises(
        DataError, match=r"box: 2 pictures in folders within it \(images\) are left out; put them into it"
    ):
        load_data(data, "train")
