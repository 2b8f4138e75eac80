"""``data from-photos``: plain photos to audited cut-outs, their masks kept to be mended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.data.preparing.build import Options
from edgegan_widget.data.preparing.plan import Plan, follow, prepared_by
from edgegan_widget.data.readers.photos import MASKS, PhotoOptions, cut_all
from tests.photo.drawn import photo


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "horse"
    folder.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(photo(number)[0]).save(folder / f"{number}.jpg", quality=95)
    Image.fromarray(photo(5, 320, 160, ("left", "right"))[0]).save(folder / "two.png")
    Image.new("RGB", (90, 90), (120, 140, 120)).save(folder / "empty.png")
    (folder / "torn.jpg").write_bytes(b"nothing")
    return folder.parent


def test_each_photo_becomes_a_cut_out_or_a_sentence(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert main(["data", "from-photos", str(photos), "--out", str(data), "--workers", "1", "--keep-refused"]) == 0
    problems = (data / "problems.txt").read_text("utf-8")
    assert len(problems.splitlines()) == 3
    for name, reason in (("two", "several objects found (2)"), ("empty", "nothing found"), ("torn", "cannot be read")):
        assert any(name in line and reason in line for line in problems.splitlines())
    assert "mend its mask" in problems
    records = [json.loads(line) for line in (data / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert sorted(record["source"] for record in records) == ["horse/0.jpg", "horse/1.jpg", "horse/2.jpg"]
    cut = np.asarray(Image.open(next(data.glob("train/horse/0-*.png"))))
    assert cut.shape == (128, 128, 3)
    assert cut[0].min() == 255
    assert cut[64, 64].max() < 200
    assert "3 pictures" in capsys.readouterr().out
    plan = prepared_by(data)
    assert plan is not None
    assert plan.told() == PhotoOptions(folder=str(photos))


def test_masks_are_made_once_and_mended_ones_stay(photos: Path, tmp_path: Path) -> None:
    data, options = tmp_path / "data", PhotoOptions(folder=str(photos))
    assert len(list(cut_all(options, data))) == 6
    masks = {path.name: path for path in (data / MASKS / "horse").iterdir()}
    assert sorted(masks) == ["0.jpg.png", "1.jpg.png", "2.jpg.png", "empty.png.png", "two.png.png"]
    made = {name: path.stat().st_mtime_ns for name, path in masks.items()}
    mended = np.asarray(Image.open(masks["two.png.png"])).copy()
    mended[:, 160:] = 0  # a person leaves one of the two
    Image.fromarray(mended).save(masks["two.png.png"])
    Image.fromarray(photo(9)[0]).save(photos / "horse" / "0.jpg", quality=95)  # another photo of that name
    list(cut_all(options, data))
    assert np.array_equal(np.asarray(Image.open(masks["two.png.png"])), mended)
    again = {name for name, path in masks.items() if path.stat().st_mtime_ns != made[name]}
    assert again == {"0.jpg.png", "two.png.png"}


def test_a_mended_mask_is_cut_out_anew(photos: Path, tmp_path: Path) -> None:
    plan = Plan("photos", {"folder": str(photos)}, str(tmp_path / "data"), Options())
    *_, first = follow(plan)
    assert first.doing == "Done"
    assert len(first.problems) == 3
    mask = tmp_path / "data" / MASKS / "horse" / "two.png.png"
    mended = np.asarray(Image.open(mask)).copy()
    mended[:, 160:] = 0
    Image.fromarray(mended).save(mask)
    *_, second = follow(plan)
    assert len(second.problems) == 2
    assert second.progress is not None
    assert second.progress.reused == 5


def test_a_model_that_is_none_stops_before_anything_is_written(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["data", "from-photos", str(photos), "--out", str(tmp_path / "data"), "--cutout", str(tmp_path / "no.pt")]
    assert main(command) == 1
    assert "no.pt does not exist" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
