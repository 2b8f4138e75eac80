"""What the audit sees: its measures on drawn cases, and planted defects on real pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgegan_widget.base.errors import DataError
from edgegan_widget.data.audit.measures import hashes, measure
from edgegan_widget.data.audit.rules import Thresholds, judge
from edgegan_widget.data.audit.shapes import Shape
from edgegan_widget.data.preparing.cutout import cut_out
from edgegan_widget.data.readers.synthetic import SYNTHETIC_CLASSES, draw_photos, draw_synthetic
from tests.benchmarks.__main__ import main
from tests.benchmarks.audit import (  # fmt: skip
    Photos,
    Score,
    check,
    coco_photos,
    cut_outs,
    half,
    planted_records,
    scores,
    table,
)
from tests.benchmarks.data import write_photos

DISC = np.zeros((128, 128), np.uint8)
cv2.circle(DISC, (64, 64), 56, 255, -1)


def on_paper(inside: np.ndarray) -> np.ndarray:
    image = np.full((128, 128, 3), 255, np.uint8)
    image[DISC > 0] = np.asarray(inside)[DISC > 0]
    return image


def findings(image: np.ndarray, thresholds: Thresholds | None = None) -> set[str]:
    record = {"class": "disc", "measures": measure(image, DISC, Shape(DISC))}
    return set(judge(record, thresholds or Thresholds(), {}))


def test_noise_is_overfull_and_a_pattern_of_lines_is_not() -> None:
    random = np.random.default_rng(0)
    spots = np.kron(random.normal(128, 70, (64, 64, 1)), np.ones((2, 2, 3))).clip(0, 255)
    stripes = np.zeros((128, 128, 3))
    stripes[:, ::6] = stripes[:, 1::6] = stripes[:, 2::6] = 200
    assert "overfull" in findings(on_paper(spots.astype(np.uint8)))
    assert "overfull" not in findings(on_paper(stripes.astype(np.uint8)))


def test_a_smooth_object_with_sharp_borders_is_not_blurred() -> None:
    shade = np.linspace(60, 160, 128)[None, :, None] * np.ones((128, 1, 3))
    shade[40:80, 40:80] += 70
    sharp = shade.astype(np.uint8)
    assert "blurred" not in findings(on_paper(sharp))
    assert "blurred" in findings(on_paper(cv2.GaussianBlur(sharp, (0, 0), 4)))


def test_the_same_picture_in_other_light_is_a_twin_and_in_another_colour_is_not() -> None:
    image = cut_out(*_halves(draw_synthetic("fish", 0, 3)), 128, 0.05)[0]
    darker = np.where(image < 255, image * 0.9, 255).astype(np.uint8)
    other = np.ascontiguousarray(image[..., [1, 2, 0]])
    bits = [np.unpackbits(np.frombuffer(bytes.fromhex(hashes(each)[1]), np.uint8)) for each in (image, darker, other)]
    assert all(len(each) == 320 for each in bits)
    assert (bits[0] != bits[1]).sum() < 14 < (bits[0] != bits[2]).sum()


def _halves(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.ascontiguousarray(picture[..., :3]), np.ascontiguousarray(picture[..., 3])


def test_of_two_objects_the_one_behind_is_hidden() -> None:
    front, whole = np.zeros((2, 200, 300), np.uint8)
    cv2.circle(front, (120, 100), 50, 255, -1)
    cv2.circle(whole, (180, 100), 60, 255, -1)
    behind = np.where(front > 0, 0, whole).astype(np.uint8)
    shapes = Shape(front), Shape(behind)
    image, mask = cut_out(np.full((200, 300, 3), 90, np.uint8), behind, 128, 0.05)
    assert measure(image, mask, shapes[1], [shapes[0]])["hidden"] > 0.1
    assert measure(image, mask, shapes[0], [shapes[1]])["hidden"] == 0
    apart = Shape(np.roll(front, -70, axis=1))
    assert measure(image, mask, shapes[1], [apart])["hidden"] == 0


def test_what_is_accused_as_it_is_counts_once() -> None:
    calm = {"frame": 0, "size_px": 99, "brightness": 200, "contrast": 99, "blur": 0.1, "ink": 0.1, "disorder": 1.0,
            "hidden": 0, "pieces": 0, "aspect": 0.0}  # fmt: skip

    def record(**changes: float) -> dict[str, object]:
        return {"class": "a", "measures": calm | changes, "hashes": ["00" * 8, "00" * 40]}

    dark = record(brightness=5)
    found = scores(
        {"clean": [dark, record()], "dark": [dark, dark], "aspect": [dark, dark], "blurred": [None, record(blur=0.9)]},
        Thresholds(),
    )
    of = {score.reason: score for score in found}
    assert of["dark"] == Score("dark", 2, 2, accused=2, others=4, as_they_are=1)
    assert (of["dark"].precision, of["dark"].recall) == (0.5, 1.0)
    assert of["blurred"] == Score("blurred", 1, 1, 0, 2)
    assert "too dark to see" in table(found)


def test_halves_share_no_picture() -> None:
    photos = [(str(number), None) for number in range(21)]
    odd, even = (half(photos, which) for which in ("odd", "even"))  # type: ignore[arg-type]
    assert sorted(odd + even) == sorted(photos)  # type: ignore[type-var]
    assert len(half(photos, "", 4)) == 4  # type: ignore[arg-type]


def test_the_sample_set_passes(tmp_path: Path) -> None:
    pictures = [draw_synthetic(label, 0, number) for label in SYNTHETIC_CLASSES for number in range(6)]
    refused = 0
    for picture in pictures:
        photo, alpha = _halves(picture)
        image, mask = cut_out(photo, alpha, 128, 0.05)
        refused += bool(judge({"class": "", "measures": measure(image, mask, Shape(alpha))}, Thresholds(), {}))
    assert refused <= 2, "of 30"


def test_the_command_takes_photos_or_cut_outs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_photos(tmp_path / "cutouts", 1)
    write_photos(tmp_path / "photos", 3, 2)
    annotations = str(tmp_path / "photos" / "instances.json")
    cut = ["--data", str(tmp_path / "cutouts"), "--rounds", "2"]
    photos = ["--images", str(tmp_path / "photos"), "--annotations", annotations, "--half", "even"]
    for given in (cut, photos):
        assert main(["audit", *given]) == 0
        assert "strange proportions" in capsys.readouterr().out
    assert main(["audit"]) == 1
    assert main(["audit", *cut, *photos]) == 1
    with pytest.raises(DataError, match="fewer than four"):
        cut_outs_of_one(tmp_path)


def cut_outs_of_one(folder: Path) -> Photos:
    (folder / "one" / "fish").mkdir(parents=True)
    picture = cv2.cvtColor(draw_synthetic("fish", 0, 0), cv2.COLOR_RGBA2BGRA)
    cv2.imwrite(str(folder / "one" / "fish" / "0.png"), picture)
    return cut_outs(folder / "one")


def test_planted_defects_are_found(shared_data: Path) -> None:
    """On the half of the photos that no threshold was set on."""
    photos = half(
        coco_photos(shared_data / "coco_mini" / "images", shared_data / "coco_mini" / "instances.json"), "even"
    )
    for score in check(photos, Thresholds(), seed=20):
        assert min(score.recall, score.precision) > 0.85, score  # of 50: the bar of 0.9 is held by more rounds


def test_planted_defects_are_found_in_cut_outs(shared_data: Path) -> None:
    photos = half(cut_outs(shared_data / "objects14"), "even", 40)
    records = planted_records(photos, 20, alone=True)
    assert "hidden" not in records
    for score in scores(records, Thresholds()):
        if score.reason != "aspect":  # 40 are too few to know every class's usual shape
            assert min(score.recall, score.precision) > 0.85, score
