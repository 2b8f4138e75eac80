"""The ways in which COCO's pictures lie on disk: of 2014 and 2017, flat or in sub-folders, by name or by address."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgegan_widget.data.preparing.build import Options, build
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.readers.coco import CocoReader
from tests.benchmarks.data import write_photos


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco") / "photos"
    write_photos(folder, 1, 1)
    return folder


LAYOUTS = {
    "flat": ("000000000000.jpg", {"file_name": "000000000000.jpg"}),
    "2014": ("train2014/COCO_train2014_000000000000.jpg", {"file_name": "COCO_train2014_000000000000.jpg"}),
    "2014 val": ("val2014/COCO_val2014_000000000000.jpg", {"file_name": "COCO_val2014_000000000000.jpg"}),
    "2017": ("val2017/000000000000.jpg", {"file_name": "000000000000.jpg"}),
    "2017 in images": ("images/val2017/000000000000.jpg", {"file_name": "000000000000.jpg"}),
    "2014 in images": ("images/val2014/COCO_val2014_000000000000.jpg", {"file_name": "COCO_val2014_000000000000.jpg"}),
    "named with its folder": ("images/val2017/000000000000.jpg", {"file_name": "val2017/000000000000.jpg"}),
    "named with a folder that is not there": ("000000000000.jpg", {"file_name": "val2017/000000000000.jpg"}),
    "of 2014, named as in 2017": ("train2014/COCO_train2014_000000000000.jpg", {"file_name": "000000000000.jpg"}),
    "by address alone": (
        "val2017/000000000000.jpg", {"coco_url": "http://images.cocodataset.org/val2017/000000000000.jpg"},
    ),
    "LVIS: by address": (
        "train2017/000000000000.jpg", {"coco_url": "http://images.cocodataset.org/train2017/000000000000.jpg"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pictures_are_found(layout: str, photo: Path, tmp_path: Path) -> None:
    place, named = LAYOUTS[layout]
    content = json.loads((photo / "instances.json").read_text("utf-8"))
    del content["images"][0]["file_name"]
    content["images"][0] |= named
    (tmp_path / "annotations").mkdir()
    annotations = tmp_path / "annotations" / "instances.json"
    annotations.write_text(json.dumps(content), "utf-8")
    target = tmp_path / "coco" / place
    target.parent.mkdir(parents=True)
    shutil.copy(photo / "000000000000.jpg", target)
    reader = CocoReader(tmp_path / "coco", annotations)
    *_, progress = build(tmp_path / "out", "coco", reader, Options(where=Where(1)))
    assert (progress.objects, progress.problems, reader.problems) == (1, 0, [])


def test_a_picture_without_name_and_address_is_named_by_its_number(photo: Path, tmp_path: Path) -> None:
    content = json.loads((photo / "instances.json").read_text("utf-8"))
    content["images"][0] |= {"file_name": None, "coco_url": "http://images.cocodataset.org/"}
    (tmp_path / "instances.json").write_text(json.dumps(content), "utf-8")
    reader = CocoReader(photo, tmp_path / "instances.json")
    assert list(reader) == []
    assert "picture 0: its file_name is None" in reader.problems[0]
