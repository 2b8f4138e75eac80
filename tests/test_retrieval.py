"""Real pictures found by what is drawn: the index of a few small pictures, and what becomes of it when they change."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from filelock import FileLock
from PIL import Image, ImageDraw

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.retrieval import build as building
from edgegan_widget.retrieval.build import build
from edgegan_widget.retrieval.index import Index
from edgegan_widget.retrieval.lines import LEAST_LEARNED, RAW_SIZE, Basis, describe
from edgegan_widget.sketch.edges import draw


def star(seed: int) -> Image.Image:
    """A cut-out that is like no other one's."""
    random = np.random.default_rng(seed)
    angles, reach = np.linspace(0, 2 * np.pi, 9)[:-1], random.uniform(15, 58, 8)
    corners = np.stack([64 + reach * np.cos(angles), 64 + reach * np.sin(angles)], axis=1)
    picture = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(picture).polygon([tuple(corner) for corner in corners.tolist()], fill=(90, 120, 60))
    return picture


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Eight stars of each of two classes to train on, and three of each to look at."""
    for number, (split, name) in enumerate(itertools.product(("train", "val"), ("ball", "box"))):
        folder = tmp_path / "data" / split / name
        folder.mkdir(parents=True)
        for place in range(8 if split == "train" else 3):
            star(10 * number + place).save(folder / f"{name}_{place}.png")
    return tmp_path / "data"


@pytest.fixture
def index(data: Path) -> Index:
    return Index.build(data, workers=1)


def names(found: list) -> list[str]:
    return [one.path.name for one in found]


def described(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which pictures are drawn from now on."""
    drawn: list[str] = []
    real = building._described_one

    def counted(root: Path, picture: Path, sources: tuple[str, ...]) -> np.ndarray:
        drawn.append(picture.name)
        return real(root, picture, sources)

    monkeypatch.setattr(building, "_described_one", counted)
    return drawn


# Looking up --------------------------------------------------------------------------------------------------------


def test_the_picture_whose_edges_are_asked_for_is_the_nearest(index: Index, data: Path) -> None:
    for path in sorted(data.glob("*/*/*.png")):
        found = index.nearest(draw(picture_rgb_u8(path)), count=3)
        assert found[0].path == path
        assert found[0].label == path.parent.name
        assert found[0].distance < 0.1
        assert [one.distance for one in found] == sorted(one.distance for one in found)


def test_a_class_is_looked_up_alone(index: Index, data: Path) -> None:
    sketch = draw(picture_rgb_u8(data / "train" / "ball" / "ball_0.png"))
    found = index.nearest(sketch, "box", count=50)
    assert len(found) == 11  # of both splits
    assert {one.label for one in found} == {"box"}
    assert len(index.nearest(sketch, count=50)) == len(index) == 22


def test_neither_place_nor_size_of_a_drawing_matter(index: Index, data: Path) -> None:
    path = data / "train" / "box" / "box_5.png"
    sketch = draw(picture_rgb_u8(path))
    aside = np.full((128, 128), 255, np.uint8)
    aside[60:124, 2:66] = cv2.resize(sketch, (64, 64), interpolation=cv2.INTER_AREA)
    assert [index.nearest(one)[0].path for one in (sketch, aside)] == [path, path]


def test_a_picture_that_is_near_mirrored_is_found_so(index: Index, data: Path) -> None:
    path = data / "train" / "ball" / "ball_6.png"
    sketch = draw(picture_rgb_u8(path))
    for asked, mirrored in ((sketch, False), (np.ascontiguousarray(sketch[:, ::-1]), True)):
        found = index.nearest(asked)[0]
        assert (found.path, found.mirrored) == (path, mirrored)


def test_lines_have_a_direction_and_no_arrow() -> None:
    across, down = np.full((64, 64), 255, np.uint8), np.full((64, 64), 255, np.uint8)
    across[30:33, 8:56] = 0
    down[8:56, 30:33] = 0
    assert describe(across) @ describe(across[::-1, ::-1]) > 0.99
    assert describe(across) @ describe(down) < 0.5


def test_a_blank_sketch_is_near_nothing(index: Index) -> None:
    assert index.nearest(np.full((64, 64), 255, np.uint8)) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"label": "cow"}, "the class is 'cow'; this index has ball, box"),
        ({"count": 0}, "ask for one picture or more"),
        ({"sketch_u8": np.zeros((4, 4, 3), np.uint8)}, "give a grey one"),
    ],
)
def test_what_cannot_be_looked_up(index: Index, asked: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        index.nearest(**({"sketch_u8": np.zeros((4, 4), np.uint8)} | asked))


def test_a_picture_that_is_gone_is_not_found(index: Index, data: Path) -> None:
    path = data / "train" / "ball" / "ball_0.png"
    sketch = draw(picture_rgb_u8(path))
    path.unlink()
    found = index.nearest(sketch, "ball", count=50)
    assert len(found) == 10
    assert path not in [one.path for one in found]


def test_an_index_inside_its_data_moves_along(index: Index, data: Path) -> None:
    sketch = draw(picture_rgb_u8(data / "val" / "box" / "box_1.png"))
    moved = data.rename(data.with_name("elsewhere"))
    assert Index.open(moved).nearest(sketch)[0].path == (moved / "val" / "box" / "box_1.png").resolve()


def test_folders_of_classes_will_do_and_odd_names(data: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(data / "train" / "ball", plain / "Bälle und mehr")
    shutil.copytree(data / "train" / "box", plain / "box")
    (plain / ".hidden").mkdir()
    shutil.copy(data / "train" / "box" / "box_0.png", plain / ".hidden")
    (plain / "box" / "notes.txt").write_text("none")
    index = Index.build(plain, tmp_path / "out", workers=1)
    assert index.classes == ("Bälle und mehr", "box")
    assert len(index) == 16
    sketch = draw(picture_rgb_u8(plain / "Bälle und mehr" / "ball_3.png"))
    assert index.nearest(sketch, "Bälle und mehr")[0].path == plain.resolve() / "Bälle und mehr" / "ball_3.png"


def test_of_many_pictures_fewer_numbers_are_kept() -> None:
    random = np.random.default_rng(2)
    raw = np.abs(random.normal(size=(LEAST_LEARNED, 12)) @ random.normal(size=(12, RAW_SIZE))).astype(np.float32)
    raw /= np.linalg.norm(raw, axis=1, keepdims=True)
    few, many = Basis.learned(raw[:-1]), Basis.learned(raw)
    assert (few.is_learned, many.is_learned) == (False, True)
    kept = many.kept(raw)
    assert kept.shape[1] < RAW_SIZE / 4
    exact = many.seen(raw) @ many.seen(raw).T
    assert np.abs((kept * many.step) @ many.seen(raw).T - exact).max() < 0.02


# Making ------------------------------------------------------------------------------------------------------------


def test_what_is_there_is_left_and_what_is_new_is_added(
    index: Index, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = described(monkeypatch)
    assert len(Index.build(data, workers=1)) == 22
    assert drawn == []
    star(77).save(data / "train" / "ball" / "new.png")
    again = Index.build(data, workers=1)
    assert drawn == ["new.png"]
    assert len(again) == 23
    assert len(index.nearest(draw(picture_rgb_u8(data / "train" / "box" / "box_0.png")), count=50)) == 22  # still open


def test_changed_and_gone_files_are_brought_up_to_date(
    index: Index, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, gone = data / "train" / "ball" / "ball_1.png", data / "train" / "box" / "box_1.png"
    star(99).save(changed)
    os.utime(changed, (1, 1))
    gone.unlink()
    drawn = described(monkeypatch)
    again = Index.build(data, workers=1)
    assert drawn == ["ball_1.png"]
    assert len(again) == 21
    assert again.nearest(draw(picture_rgb_u8(changed)))[0].path == changed
    shutil.rmtree(data / "val")
    assert len(Index.build(data, workers=1)) == 15
    assert drawn == ["ball_1.png"]


def test_a_stopped_run_is_gone_on_with(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_AT_ONCE", 4)
    monkeypatch.setattr(building, "_PART_ROWS", 8)
    monkeypatch.setattr(building, "_LEARNED_FROM", 2)
    drawn = described(monkeypatch)
    out = tmp_path / "out"
    run = build(data, out, workers=1)
    while next(run).done < 12:
        pass
    run.close()
    before = len(drawn)
    with pytest.raises(DataError, match="holds no index"):
        Index.open(out)
    assert len(Index.build(data, out, workers=1)) == 22
    assert len(drawn) - before <= 22 - 8
    assert not (out / "parts").exists()
    whole = Index.build(data, tmp_path / "whole", workers=1)
    sketch = draw(picture_rgb_u8(data / "val" / "ball" / "ball_2.png"))
    assert names(Index.open(out).nearest(sketch)) == names(whole.nearest(sketch))


def test_processes_make_the_same_index(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_AT_ONCE", 8)
    one, two = (Index.build(data, tmp_path / str(workers), workers=workers) for workers in (1, 2))
    sketch = draw(picture_rgb_u8(data / "val" / "ball" / "ball_2.png"))
    assert one.nearest(sketch) == two.nearest(sketch)


def test_few_pictures_that_become_many_are_described_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    Index.build(data, out, workers=1)
    drawn = described(monkeypatch)
    monkeypatch.setattr(building, "LEAST_LEARNED", 22)
    monkeypatch.setattr("edgegan_widget.retrieval.lines.LEAST_LEARNED", 22)
    index = Index.build(data, out, workers=1)
    assert len(drawn) == 22
    path = data / "train" / "box" / "box_4.png"
    assert index.nearest(draw(picture_rgb_u8(path)))[0].path == path


def test_a_picture_that_cannot_be_read_is_told_and_left_out(data: Path) -> None:
    (data / "train" / "ball" / "broken.png").write_bytes(b"no picture")
    *_, last = build(data, data / "index", workers=1)
    assert len(last.problems) == 1
    assert "broken.png cannot be read as a picture" in last.problems[0]
    assert len(Index.open(data)) == 22


def test_other_edge_maps_make_another_index(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Index.build(data, workers=1)
    drawn = described(monkeypatch)
    Index.build(data, sources="contour", workers=1)
    assert len(drawn) == 22
    with pytest.raises(ConfigError, match="choose one or more of full"):
        Index.build(data, sources="pencil")


def test_folders_that_cannot_be_used(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no picture; put pictures into"):
        Index.build(tmp_path / "empty")
    with pytest.raises(DataError, match="is not a folder"):
        Index.build(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no index of pictures; make one: edgegan-widget index DATA"):
        Index.open(tmp_path / "empty")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        Index.build(data, tmp_path / "file" / "index", workers=1)


def test_an_index_is_made_by_one_at_a_time(index: Index, data: Path) -> None:
    with FileLock(data / "index" / "lock"), pytest.raises(DataError, match="is being made already"):
        Index.build(data, workers=1)


@pytest.mark.parametrize("damage", ["features.npy", "paths.npy", "basis.npz", "index.json", "version"])
def test_an_index_that_is_not_whole_says_so_and_is_made_anew(index: Index, data: Path, damage: str) -> None:
    folder = data / "index"
    if damage == "version":
        noted = json.loads((folder / "index.json").read_text())
        (folder / "index.json").write_text(json.dumps(noted | {"version": 0}))
    else:
        (path,) = folder.glob(f"*{damage}")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cannot be read .*; make it anew: edgegan-widget index"):
        Index.open(data)
    assert len(Index.build(data, workers=1)) == 22


# On the command line -----------------------------------------------------------------------------------------------


def test_the_command_indexes_and_says_what_it_did(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "val" / "box" / "broken.png").write_bytes(b"no picture")
    command = ["index", str(data), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "left out: " in said
    assert "22 pictures of 2 classes, 22 of them new" in said
    Image.new("RGB", (32, 32), "white").save(data / "val" / "box" / "broken.png")
    assert main(command) == 0
    assert "23 pictures of 2 classes, 1 of them new" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--edges", "pencil"], "choose one or more of full"),
        (["--workers", "-1"], "workers is -1"),
    ],
)
def test_options_that_cannot_be_used(
    data: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["index", str(data), *options]) == 1
    assert message in capsys.readouterr().err
    assert not (data / "index").exists()
