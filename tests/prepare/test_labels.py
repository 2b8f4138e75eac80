"""Files of programs that draw around objects, each in the form that its documentation shows."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.data.annotations.segments import coco_mask
from edgegan_widget.data.preparing.making import Job, make
from edgegan_widget.data.readers.labels import LabelReader
from edgegan_widget.data.sources import Making
from tests.prepare.test_programs import HIGH, PLACE, WIDE, photo

CORNERS = [[15, 8], [45, 8], [45, 32], [15, 32]]
WHOLE = np.zeros((HIGH, WIDE), bool)
WHOLE[PLACE] = True
ROUND = np.hypot(*(np.mgrid[:HIGH, :WIDE] - np.array([20, 30])[:, None, None] + 0.5)) < 12


def png(mask: np.ndarray, transparent: bool = False) -> bytes:
    stream = io.BytesIO()
    values = Image.fromarray(mask.astype(np.uint8) * 255)
    (Image.merge("LA", [Image.new("L", values.size, 255), values]) if transparent else values).save(stream, "PNG")
    return stream.getvalue()


def labelme(**shape: Any) -> dict[str, Any]:
    about = {"label": "horse", "points": CORNERS, "group_id": None, "shape_type": "polygon", "flags": {}}
    return {"version": "5.4.1", "flags": {}, "shapes": [about | shape], "imagePath": "a.jpg", "imageData": None,
            "imageHeight": HIGH, "imageWidth": WIDE}  # fmt: skip


def via(shape: dict[str, Any], regions: type = list, **attributes: Any) -> dict[str, Any]:
    region = {"shape_attributes": shape, "region_attributes": attributes or {"class": "horse"}}
    return {"a.jpg7331": {"filename": "a.jpg", "size": 7331, "file_attributes": {},
                          "regions": [region] if regions is list else {"0": region}}}  # fmt: skip


def supervisely(**given: Any) -> dict[str, Any]:
    about = {"id": 497521359, "classId": 1661571, "classTitle": "horse", "tags": [], "geometryType": "polygon",
             "points": {"exterior": CORNERS, "interior": []}}  # fmt: skip
    return {"description": "", "tags": [], "size": {"height": HIGH, "width": WIDE}, "objects": [about | given]}


VIA_POLYGON = {"name": "polygon", "all_points_x": [15, 45, 45, 15], "all_points_y": [8, 8, 32, 32]}
PROJECT = {"_via_settings": {"core": {}}, "_via_attributes": {"region": {"class": {"type": "text"}}, "file": {}}}
HOLE = {"exterior": [[0, 0], [59, 0], [59, 39], [0, 39]], "interior": [[[0, 0], [59, 0], [59, 4], [0, 4]]]}
BITMAP = {"data": base64.b64encode(zlib.compress(png(WHOLE[PLACE], transparent=True))).decode(), "origin": [15, 8]}
# Document, and the pixels that it marks.
FORMS: dict[str, tuple[dict[str, Any], np.ndarray]] = {
    "labelme, polygon": (labelme(), WHOLE),
    "labelme, rectangle": (labelme(points=[[45, 32], [15, 8]], shape_type="rectangle"), WHOLE),
    "labelme, circle": (labelme(points=[[30, 20], [42, 20]], shape_type="circle"), ROUND),
    "labelme, mask": (
        labelme(points=[[15, 8], [44, 31]], shape_type="mask", mask=base64.b64encode(png(WHOLE[PLACE])).decode()),
        WHOLE,
    ),
    "labelme 3, without a kind": ({"shapes": [{"label": "horse", "points": CORNERS}], "imagePath": "a.jpg"}, WHOLE),
    "X-AnyLabeling, turned box": (labelme(shape_type="rotation", direction=0.0, attributes={}), WHOLE),
    "VIA 2, project": (PROJECT | {"_via_img_metadata": via(VIA_POLYGON)}, WHOLE),
    "VIA 2, export": (via(VIA_POLYGON), WHOLE),
    "VIA 1": (via(VIA_POLYGON, dict), WHOLE),
    "VIA, ticked boxes": (via(VIA_POLYGON, kind={"cow": False, "horse": True}), WHOLE),
    "VIA, rect": (via({"name": "rect", "x": 15, "y": 8, "width": 30, "height": 24}), WHOLE),
    "VIA, circle": (via({"name": "circle", "cx": 30, "cy": 20, "r": 12}), ROUND),
    "VIA, ellipse": (via({"name": "ellipse", "cx": 30, "cy": 20, "rx": 12, "ry": 12, "theta": 0.4}), ROUND),
    "Supervisely, polygon": (supervisely(), WHOLE),
    "Supervisely, rectangle": (
        supervisely(geometryType="rectangle", points={"exterior": [[15, 8], [45, 32]], "interior": []}), WHOLE
    ),
    "Supervisely, bitmap": (supervisely(geometryType="bitmap", bitmap=BITMAP), WHOLE),
    "Supervisely, hole": (supervisely(points=HOLE), np.pad(np.ones((35, 59), bool), ((4, 1), (0, 1)))),
}  # fmt: skip


def write(folder: Path, content: Any, name: str = "a.json", encoding: str = "utf-8") -> Path:
    photo(folder / "a.jpg")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_programs_write_is_read(form: str, tmp_path: Path) -> None:
    content, marked = FORMS[form]
    name = "a.jpg.json" if form.startswith("Supervisely") else "a.json"
    reader = LabelReader(write(tmp_path, content, name))
    (source,) = reader
    assert (source.path, source.name, reader.problems) == (tmp_path / "a.jpg", "a.jpg", [])
    (region,) = source.regions
    assert region.label == "horse"
    found = coco_mask(region.mask, WIDE, HIGH) > 0
    assert (found & marked).sum() / (found | marked).sum() > 0.9
    assert len(make(Job(None, Making(64), 0.0), source).records) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    (source,) = LabelReader(write(tmp_path, labelme(label="Pférd"), encoding=encoding))
    assert source.regions[0].label == "Pférd"


def test_a_project_of_supervisely(tmp_path: Path) -> None:
    """Annotations and pictures in folders beside each other; what is about the whole project is no annotation."""
    write(tmp_path, {"classes": [], "tags": []}, "meta.json")
    for dataset in ("one", "two"):
        write(tmp_path, supervisely(), f"{dataset}/ann/a.jpg.json")
        photo(tmp_path / dataset / "img" / "a.jpg")
    reader = LabelReader(tmp_path)
    assert [source.name for source in reader] == ["one/img/a.jpg", "two/img/a.jpg"]
    assert reader.problems == []


def test_shapes_of_one_group_are_one_object(tmp_path: Path) -> None:
    content = labelme(group_id=3)
    left, right = ([[x, 8], [x + 5, 8], [x + 5, 32]] for x in (5, 50))
    content["shapes"] += [
        content["shapes"][0] | {"points": left},
        content["shapes"][0] | {"points": right, "group_id": 4},
    ]
    (source,) = LabelReader(write(tmp_path, content))
    assert [len(region.mask) for region in source.regions] == [2, 1]


def test_what_marks_no_object_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    content = labelme()
    content["shapes"] += [
        {"label": "mane", "points": [[1, 2], [3, 4]], "shape_type": "line"}, {"label": " ", "points": CORNERS},
        {"label": "horse", "points": [[1, 2]]}, {"label": "horse", "points": [["x", "y"]] * 3},
        {"label": "horse", "points": [[0, 0], [1, 1]], "shape_type": "mask", "mask": "no picture"},
    ]  # fmt: skip
    write(tmp_path, "{", "torn.json")
    write(tmp_path, {"x": 1}, "other.json")
    reader = LabelReader(write(tmp_path, content).parent)
    assert [len(source.regions) for source in reader] == [1]
    told = "\n".join(reader.problems)
    for word in ("shape 2 (mane) is a line", "shape 3 ( ) has no class", "shape 4 (horse) has no three corners",
                 "shape 5 (horse) is damaged", "shape 6 (horse) is a mask that cannot be read",
                 "torn.json is no whole JSON", "other.json is no annotation in a form that is read"):  # fmt: skip
        assert word in told
    assert len(reader.problems) == 7


def test_the_attribute_that_is_the_class_is_found_or_named(tmp_path: Path) -> None:
    path = write(tmp_path, via(VIA_POLYGON, colour="brown", label="horse"))
    assert next(iter(LabelReader(path))).regions[0].label == "horse"
    assert next(iter(LabelReader(path, attribute="colour"))).regions[0].label == "brown"
    with pytest.raises(DataError, match="marks no object"):
        LabelReader(path, attribute="size")


def test_what_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist or is no folder"):
        LabelReader(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"marks no object in a form that is read \(labelme, the VGG"):
        LabelReader(tmp_path)
    with pytest.raises(ConfigError, match=r"has no class hors \(did you mean horse\?\)"):
        LabelReader(write(tmp_path, labelme()), classes=["hors"])
    (tmp_path / "a.jpg").unlink()
    reader = LabelReader(tmp_path)
    assert [source.path.exists() for source in reader] == [False], "who makes it says that the photo is missing"


def test_a_folder_is_prepared_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "in", labelme())
    command = ["data", "from-labels", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main([*command, "--keep-refused"]) == 0
    assert len(list((tmp_path / "out" / "train" / "horse").glob("*.png"))) == 1
