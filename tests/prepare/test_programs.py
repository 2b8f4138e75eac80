"""COCO's format as programs really write it, each form as its documentation or its issues show it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.data.annotations.numbers import Ids, whole
from edgegan_widget.data.annotations.segments import coco_mask
from edgegan_widget.data.preparing.making import Job, make
from edgegan_widget.data.readers import split_names
from edgegan_widget.data.readers.coco import CocoReader
from edgegan_widget.data.sources import Making

WIDE, HIGH = 60, 40
POLYGON = [15, 8, 45, 8, 45, 32, 15, 32]
PLACE = np.s_[8:32, 15:45]
TRUE = coco_mask([POLYGON], WIDE, HIGH)
FLAT = np.flatnonzero(np.diff(TRUE.flatten("F") > 0)) + 1
COUNTS = np.diff([0, *FLAT, WIDE * HIGH]).tolist()


def record(**changes: Any) -> dict[str, Any]:
    """A file with one object; a dotted name changes the first entry of a list."""
    whole_file: dict[str, Any] = {
        "info": {"description": "made by a test"},
        "licenses": [{"id": 1, "name": "CC0", "url": ""}],
        "categories": [{"id": 1, "name": "horse", "supercategory": ""}],
        "images": [{"id": 1, "file_name": "a.jpg", "width": WIDE, "height": HIGH, "license": 1}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [POLYGON], "area": 720.0,
             "bbox": [15, 8, 30, 24], "iscrowd": 0}
        ],
    }  # fmt: skip
    for name, change in changes.items():
        if name in whole_file and isinstance(change, dict):
            whole_file[name][0] |= change
        else:
            whole_file[name] = change
    return whole_file


def photo(path: Path) -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (HIGH, WIDE, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)


def write(folder: Path, content: dict[str, Any], name: str = "a.jpg", encoding: str = "utf-8") -> Path:
    photo(folder / "images" / name)
    path = folder / "instances.json"
    path.write_text(json.dumps(content), encoding)
    return path


def cut_out(folder: Path, annotations: Path, **options: Any) -> tuple[int, list[str]]:
    """How many objects were cut out, and what was left out."""
    reader = CocoReader(folder / "images", annotations, **options)
    outcomes = [make(Job(None, Making(64), 0.0), source) for source in reader]
    told = [problem for outcome in outcomes for problem in outcome.problems]
    return sum(len(outcome.records) for outcome in outcomes), [*reader.problems, *told]


# File as a program writes it; where the picture lies.
PROGRAMS: dict[str, tuple[dict[str, Any], str]] = {
    "CVAT, polygons": (
        record(
            licenses=[{"name": "", "id": 0, "url": ""}],
            images={"license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0},
            annotations={"attributes": {"occluded": False}},
        ),
        "a.jpg",
    ),
    "Label Studio": (
        record(
            images={"id": 0, "file_name": "../../label-studio/data/media/upload/1/5a3f-a.jpg"},
            categories={"id": 0},
            annotations={"id": 0, "image_id": 0, "category_id": 0, "ignore": 0},
        ),
        "5a3f-a.jpg",
    ),
    "Label Studio on Windows": (record(images={"file_name": "images\\5a3f-a.jpg"}), "5a3f-a.jpg"),
    "Label Studio, served files": (
        record(images={"file_name": "/data/local-files/?d=photos%2Fa.jpg"}), "photos/a.jpg"
    ),
    "Roboflow": (
        record(
            categories=[{"id": 0, "name": "animals", "supercategory": "none"},
                        {"id": 1, "name": "horse", "supercategory": "animals"}],
            images={"file_name": "a_jpg.rf.0123456789abcdef.jpg", "extra": {"name": "a.jpg"}},
        ),
        "a_jpg.rf.0123456789abcdef.jpg",
    ),
    "labelme2coco": (
        record(
            images={"file_name": "JPEGImages/a.jpg", "width": float(WIDE), "height": float(HIGH), "license": 0},
            licenses=[{"url": None, "id": 0, "name": None}],
        ),
        "JPEGImages/a.jpg",
    ),
    "VIA": (
        record(
            images={"id": "1", "width": str(WIDE), "height": str(HIGH)},
            annotations={"id": "1", "image_id": "1", "category_id": "1", "segmentation": POLYGON},
        ),
        "a.jpg",
    ),
    "make-sense": (record(annotations={"iscrowd": 0, "segmentation": [[*POLYGON[:-1], 32.0]]}), "a.jpg"),
    "BlenderProc": (
        record(
            images={"file_name": "images/000000.jpg"},
            annotations={"segmentation": {"size": [HIGH, WIDE], "counts": COUNTS}, "iscrowd": 0},
        ),
        "000000.jpg",
    ),
    "Supervisely": (
        record(
            categories={"id": 4021, "supercategory": "horse"},
            images={"id": 88541},
            annotations={"category_id": 4021, "image_id": 88541, "segmentation": [[float(each) for each in POLYGON]]},
        ),
        "a.jpg",
    ),
    "FiftyOne, text ids": (record(images={"id": "64f0a"}, annotations={"image_id": "64f0a"}), "a.jpg"),
    "pandas": (record(images={"id": 1.0}, annotations={"image_id": 1.0, "category_id": 1.0}), "a.jpg"),
    "corners as pairs": (record(annotations={"segmentation": [[15, 8], [45, 8], [45, 32], [15, 32]]}), "a.jpg"),
    "a stray point beside it": (record(annotations={"segmentation": [POLYGON, [30, 20], [9, 9, 8, 8]]}), "a.jpg"),
    "a list of run lengths": (
        record(annotations={"segmentation": [{"size": [HIGH, WIDE], "counts": COUNTS}]}), "a.jpg"
    ),
    "no size": (record(images={"width": None, "height": None}), "a.jpg"),
    "capitals on disk": (record(), "A.JPG"),
    "corners as objects": (
        record(annotations={"segmentation": [{"x": x, "y": y} for x, y in zip(POLYGON[::2], POLYGON[1::2])]}), "a.jpg"
    ),
    "numbers as text": (record(annotations={"segmentation": [[str(number) for number in POLYGON]]}), "a.jpg"),
    "a table's text": (record(annotations={"segmentation": json.dumps([POLYGON])}), "a.jpg"),
    "nothing beside it": (record(annotations={"segmentation": [POLYGON, None, []]}), "a.jpg"),
    "pictures saved anew": (record(images={"file_name": "a.png"}), "a.jpg"),
    "without suffix": (record(images={"file_name": "images/a"}), "a.jpg"),
    "an address": (record(images={"file_name": "https://example.org/photos/a.jpg?sig=1"}), "a.jpg"),
    "blanks around it": (record(images={"file_name": " a.jpg "}), "a.jpg"),
    "corners as objects in a list": (
        record(annotations={"segmentation": [[{"x": x, "y": y} for x, y in zip(POLYGON[::2], POLYGON[1::2])]]}),
        "a.jpg",
    ),
    "category by its name": (record(annotations={"category_id": "horse"}), "a.jpg"),
    "name under another key": (record(images={"file_name": None, "path": "/data/set/a.jpg"}), "a.jpg"),
    "another Unicode form": (record(images={"file_name": "cafe\u0301.jpg"}), "caf\u00e9.jpg"),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_programs_write_is_read(program: str, tmp_path: Path) -> None:
    content, place = PROGRAMS[program]
    assert cut_out(tmp_path, write(tmp_path, content, place)) == (1, [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, record(categories={"name": "Pférd"}))
    text = path.read_text("utf-8")
    path.write_bytes(("\ufeff" + text if encoding == "utf-16-be" else text).encode(encoding))
    assert cut_out(tmp_path, path) == (1, [])


def test_a_packed_file(tmp_path: Path) -> None:
    path = write(tmp_path, record())
    (tmp_path / "instances.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert cut_out(tmp_path, tmp_path / "instances.json.gz") == (1, [])


@pytest.mark.parametrize("name", ["images", "annotations", "categories"])
def test_an_object_in_a_lists_place_is_told(name: str, tmp_path: Path) -> None:
    content = record()
    path = write(tmp_path, content | {name: {"1": content[name][0]}})
    with pytest.raises(DataError, match=f"its {name} are an object and no list; export it as COCO instances"):
        CocoReader(tmp_path / "images", path)


@pytest.mark.parametrize(("key", "told"), [("caption", "are captions"), ("segments_info", "of panoptic segmentation")])
def test_annotations_of_other_kinds_are_counted(key: str, told: str, tmp_path: Path) -> None:
    annotations = [{"id": number, "image_id": 1, key: []} for number in range(3)]
    made, problems = cut_out(tmp_path, write(tmp_path, record(annotations=annotations)))
    assert made == 0
    assert len(problems) == 1
    assert "3 annotations are" in problems[0]
    assert told in problems[0]


def test_another_encoding_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, record(categories={"name": "Pférd"}))
    path.write_bytes(json.dumps(record(categories={"name": "Pférd"}), ensure_ascii=False).encode("latin-1"))
    with pytest.raises(DataError, match="is in none of Unicode's encodings; save it as UTF-8"):
        CocoReader(tmp_path / "images", path)


def test_absolute_paths_below_the_folder(tmp_path: Path) -> None:
    content = record(images={"file_name": str(tmp_path / "images" / "deep" / "a.jpg")})
    assert cut_out(tmp_path, write(tmp_path, content, "deep/a.jpg")) == (1, [])


def test_masks_that_are_all_marked_as_crowds(tmp_path: Path) -> None:
    annotation = {"segmentation": {"size": [HIGH, WIDE], "counts": COUNTS}, "iscrowd": 1}
    path = write(tmp_path, record(annotations=annotation))
    made, told = cut_out(tmp_path, path)
    assert made == 0
    assert "1 objects are marked as crowds" in told[0]
    assert cut_out(tmp_path, path, crowds=True) == (1, [])


def test_two_pictures_under_one_number_are_both_left_out(tmp_path: Path) -> None:
    content = record()
    content["images"].append(content["images"][0] | {"file_name": "other.jpg"})
    photo(tmp_path / "images" / "other.jpg")
    made, told = cut_out(tmp_path, write(tmp_path, content))
    assert made == 0
    assert "a.jpg, other.jpg" in told[0]
    content["images"][1] = content["images"][0]  # the same entry twice is no contradiction
    assert cut_out(tmp_path, write(tmp_path, content)) == (1, [])


@pytest.mark.parametrize("other", ["horse ", "Horse", "horse."])
def test_two_classes_never_share_a_folder(other: str, tmp_path: Path) -> None:
    content = record(categories=[{"id": 1, "name": "horse"}, {"id": 2, "name": other}])
    path = write(tmp_path, content)
    with pytest.raises(DataError, match="would share the folder"):
        CocoReader(tmp_path / "images", path)
    assert cut_out(tmp_path, path, classes=["horse"]) == (1, [])


def test_a_class_that_holds_a_comma(tmp_path: Path) -> None:
    path = write(tmp_path, record(categories={"name": "horse, white"}))
    for given in ("horse, white", '"horse, white"', "horse,white"):
        assert cut_out(tmp_path, path, classes=split_names(given)) == (1, [])
    with pytest.raises(ConfigError, match="in double quotes"):
        CocoReader(tmp_path / "images", path, split_names("cow, white"))


@pytest.mark.parametrize(
    ("keys", "named"),
    [({"shapes": [], "imagePath": "a.jpg"}, "labelme"), ({"_via_img_metadata": {}}, "VGG Image Annotator"),
     ({"objects": [], "size": {}}, "Supervisely"), ({"x": 1}, "no images and no annotations")],
)  # fmt: skip
def test_files_of_other_kinds_are_named(keys: dict[str, Any], named: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "x.json").write_text(json.dumps(keys))
    with pytest.raises(DataError, match=named):
        CocoReader(tmp_path / "images", tmp_path / "x.json")


@pytest.mark.parametrize(
    ("segmentation", "told"),
    [([[0.2, 0.2, 0.8, 0.2, 0.8, 0.8]], "between 0 and 1"), ([[0, 0, 500, 0, 500, 300]], "far beyond its picture"),
     ([], "a box alone"), ([[1, 2, 3, 4, 5]], "half a corner")],
)  # fmt: skip
def test_outlines_that_mean_something_else_are_told(segmentation: Any, told: str, tmp_path: Path) -> None:
    made, problems = cut_out(tmp_path, write(tmp_path, record(annotations={"segmentation": segmentation})))
    assert made == 0
    assert told in problems[0]


def test_nothing_made_is_a_failure_that_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, record(annotations={"iscrowd": 1}))
    command = ["data", "from-coco", "--images", str(tmp_path / "images"), "--annotations", str(path)]
    assert main([*command, "--out", str(tmp_path / "out"), "--workers", "1"]) == 1
    out, err = capsys.readouterr()
    assert "1 objects are marked as crowds" in out
    assert "no picture to train on was made" in err
    assert "Train with it" not in out


def test_numbers_as_programs_write_them() -> None:
    assert [whole(each) for each in (3, 3.0, "3", "3.0", 3.5, "x", None, True, float("nan"), [3], "1e400")] == [
        3, 3, 3, 3, None, None, None, None, None, None, None
    ]  # fmt: skip
    ids = Ids()
    assert ids.number("abc") == ids.number("abc") != ids.number("abd")
    assert ids.number(7) == ids.number("7") == 7
    assert ids.number(" ") is None
