"""From source pictures to a data folder: the readers, going on after a kill, splits, the audit's list."""

from __future__ import annotations

import collections
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.data.annotations.scan import AnnotationFile
from edgegan_widget.data.annotations.segments import coco_mask
from edgegan_widget.data.audit.measures import twins
from edgegan_widget.data.audit.report import Report
from edgegan_widget.data.audit.rules import Judging, Thresholds
from edgegan_widget.data.preparing.build import Options, Progress, build
from edgegan_widget.data.preparing.cutout import cut_out, paper_mask
from edgegan_widget.data.preparing.pool import Where
from edgegan_widget.data.preparing.splits import held_out, split_of
from edgegan_widget.data.readers.coco import CocoReader
from edgegan_widget.data.readers.folder import FolderReader
from edgegan_widget.data.readers.synthetic import SYNTHETIC_CLASSES, draw_photos, draw_synthetic
from edgegan_widget.data.sources import Making
from edgegan_widget.sketch.sets.folders import sketch_folders
from edgegan_widget.training.dataset import load_data
from tests.benchmarks.data import write_photos

ONE = Options(where=Where(1))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco") / "photos"
    write_photos(folder, 12, 3)
    return folder


@pytest.fixture(scope="module")
def sprites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sprites")
    draw_photos(folder, 5)
    return folder


def reader(photos: Path) -> CocoReader:
    return CocoReader(photos, photos / "instances.json")


def last(reports: Iterator[Progress]) -> Progress:
    *_, progress = reports
    return progress


def contents(folder: Path) -> dict[str, bytes]:
    """Everything but the journals, whose keys hold the files' times."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".prepare" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def test_coco_to_data_that_training_reads(photos: Path, tmp_path: Path) -> None:
    progress = last(
        build(tmp_path, "coco", reader(photos), Options(Making(64), Judging(keep_refused=True), where=Where(1)))
    )
    assert (progress.sources, progress.objects, progress.problems) == (12, 36, 0)
    lines = manifest(tmp_path)
    assert len(lines) == 36
    assert {"id", "class", "split", "source", "licence", "sha256", "audit", "file"} <= lines[0].keys()
    assert all((tmp_path / line["file"]).is_file() for line in lines)
    pictures = load_data(tmp_path, "train")
    assert sum(pictures.counts().values()) == sum(line["split"] == "train" for line in lines)


def test_running_twice_and_in_processes_gives_the_same_bytes(photos: Path, tmp_path: Path) -> None:
    last(build(tmp_path / "a", "coco", reader(photos), ONE))
    first = contents(tmp_path / "a")
    assert last(build(tmp_path / "a", "coco", reader(photos), ONE)).reused == 12
    assert contents(tmp_path / "a") == first
    last(build(tmp_path / "b", "coco", reader(photos), Options(where=Where(2))))
    assert contents(tmp_path / "b") == first


def test_a_stopped_run_goes_on(photos: Path, tmp_path: Path) -> None:
    list(islice(build(tmp_path / "a", "coco", reader(photos), ONE), 5))
    journal = tmp_path / "a" / ".prepare" / "coco.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"key": "torn')
    gone = next((tmp_path / "a").rglob("*.png"))
    gone.unlink()
    assert last(build(tmp_path / "a", "coco", reader(photos), ONE)).reused == 4
    last(build(tmp_path / "b", "coco", reader(photos), ONE))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_run_goes_on(photos: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgegan_widget", "data", "from-coco", "--images", str(photos), "--workers", "1",
               "--annotations", str(photos / "instances.json"), "--out", str(tmp_path / "a")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal, until = tmp_path / "a" / ".prepare" / "coco.jsonl", time.monotonic() + 60
    while time.monotonic() < until and not (journal.exists() and journal.stat().st_size > 0):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert last(build(tmp_path / "a", "coco", reader(photos), ONE)).reused >= 1
    last(build(tmp_path / "b", "coco", reader(photos), ONE))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_changed_option_rebuilds_only_what_depends_on_it(photos: Path, tmp_path: Path) -> None:
    last(build(tmp_path, "coco", reader(photos), ONE))
    stamps = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    lenient = Options(judging=Judging(Thresholds(blurred=0.99), val_share=0.5), where=Where(1))
    assert last(build(tmp_path, "coco", reader(photos), lenient)).reused == 12
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")} == stamps
    assert {line["split"] for line in manifest(tmp_path)} == {"train", "val"}
    assert last(build(tmp_path, "coco", reader(photos), Options(Making(32), where=Where(1)))).reused == 0
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == sorted(stamps)


def test_dropped_classes_are_removed_and_other_parts_stay(photos: Path, sprites: Path, tmp_path: Path) -> None:
    last(build(tmp_path, "coco", reader(photos), ONE))
    last(build(tmp_path, "mine", FolderReader(sprites), ONE))
    before = len(manifest(tmp_path))
    last(build(tmp_path, "coco", CocoReader(photos, photos / "instances.json", ["fish"]), ONE))
    lines = manifest(tmp_path)
    assert len(lines) < before
    assert len(lines) == len(list(tmp_path.rglob("*.png")))
    assert {line["class"] for line in lines} == set(SYNTHETIC_CLASSES)


def test_no_source_is_in_two_splits(photos: Path, tmp_path: Path) -> None:
    last(build(tmp_path, "coco", reader(photos), Options(judging=Judging(val_share=0.5), where=Where(1))))
    splits: dict[str, set[str]] = {}
    for line in manifest(tmp_path):
        splits.setdefault(line["source_sha256"], set()).add(line["split"])
    assert all(len(each) == 1 for each in splits.values())
    drawn = [split_of(f"{number:064x}", 0.2) for number in range(2000)]
    assert 0.17 < drawn.count("val") / 2000 < 0.23


def test_of_every_class_the_same_share_is_validated_on(sprites: Path, tmp_path: Path) -> None:
    last(build(tmp_path, "mine", FolderReader(sprites), Options(judging=Judging(val_share=0.4), where=Where(1))))
    counts = collections.Counter((line["class"], line["split"]) for line in manifest(tmp_path))
    assert counts == {(name, split): n for name in SYNTHETIC_CLASSES for split, n in (("train", 3), ("val", 2))}


def test_rare_classes_are_validated_on_too_and_what_is_added_moves_little() -> None:
    sources = {f"{number:064x}": {"cup"} for number in range(100)}
    for number in range(4):  # beside a cup, in the same picture
        sources[f"{number:064x}"] = {"cup", "spoon"}
    sources |= {"a": {"fork"}, "b": {"fork"}, "c": {"knife"}}
    apart = held_out(sources, 0.1)
    of = {name: sum(name in sources[source] for source in apart) for name in ("cup", "spoon", "fork", "knife")}
    assert of == {"cup": 10, "spoon": 1, "fork": 1, "knife": 0}, "a single picture is trained on"
    more = held_out(sources | {f"{number:064x}": {"cup"} for number in range(100, 110)}, 0.1)
    assert len(apart - more) <= 2
    assert held_out(sources, 0.0) == set()


def test_a_person_overrules_the_audit(sprites: Path, tmp_path: Path) -> None:
    strict = Options(judging=Judging(Thresholds(small_px=9999)), where=Where(1))
    summary = last(build(tmp_path, "mine", FolderReader(sprites), strict)).summary
    assert summary is not None
    assert summary.refused == 25
    assert not list((tmp_path / "train").rglob("*.png"))
    assert len(list((tmp_path / "refused").rglob("*.png"))) == 25
    with (tmp_path / "audit.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[0]["decision"] = "accept"
    with (tmp_path / "audit.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert main(["data", "audit", str(tmp_path), "--apply"]) == 0
    kept = [line for line in manifest(tmp_path) if not line["audit"]["refused"]]
    assert [line["id"] for line in kept] == [rows[0]["id"]]
    assert (tmp_path / kept[0]["file"]).is_file()
    assert not kept[0]["file"].startswith("refused")
    page = (tmp_path / "audit.html").read_text("utf-8")
    assert "data:image/jpeg;base64," in page
    assert "http" not in page


def test_the_page_shows_names_as_text(tmp_path: Path) -> None:
    report = Report()
    line = {"class": "<b>cat</b>", "id": "a&b", "audit": {"refused": True}}
    report.add(tmp_path / "gone.png", line, {"blurred": 0.6}, Thresholds())
    report.write(tmp_path / "audit.html", Counter({("<b>cat</b>", "train"): 1200}), 1)
    page = (tmp_path / "audit.html").read_text("utf-8")
    assert "<td>&lt;b&gt;cat&lt;/b&gt;</td><td>train</td><td class=n>1,200</td>" in page
    assert "Blurred (1)" in page
    assert "&lt;b&gt;cat&lt;/b&gt;: 0.6 a&amp;b</figure>" in page


def test_the_page_names_what_was_left_out(tmp_path: Path) -> None:
    Report().write(tmp_path / "audit.html", Counter(), 0, [f"<i>{number}.png is cut short." for number in range(230)])
    page = (tmp_path / "audit.html").read_text("utf-8")
    assert "Left out (230)" in page
    assert "the first 200, all are in problems.txt" in page
    assert "<li>&lt;i&gt;0.png is cut short.</li>" in page


def test_the_page_shows_those_nearest_to_the_threshold(tmp_path: Path) -> None:
    report = Report()
    for size in range(1, 61):  # px; a reason whose threshold is named with its unit
        line = {"class": "cat", "id": f"of{size}", "audit": {"refused": True}}
        report.add(tmp_path / "gone.png", line, {"small": size}, Thresholds(small_px=61))
    report.write(tmp_path / "audit.html", Counter(), 60)
    page = (tmp_path / "audit.html").read_text("utf-8")
    shown = [int(size) for size in re.findall(r" of(\d+)</figure>", page)]
    assert shown == list(range(60, 12, -1))
    assert "Too small (60; the 48 nearest to the threshold)" in page


def test_audit_of_any_data_folder(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in shapes.rglob("*.png"):
        target = tmp_path / path.relative_to(shapes)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    copied = next((tmp_path / "train" / "ball").iterdir())
    (tmp_path / "train" / "ball" / "zz_copy.png").write_bytes(copied.read_bytes())
    (tmp_path / "train" / "ball" / "broken.png").write_bytes(b"broken")
    before = sorted(tmp_path.rglob("*.png"))
    assert main(["data", "audit", str(tmp_path), "--workers", "1"]) == 0
    assert sorted(tmp_path.rglob("*.png")) == before
    shown = capsys.readouterr().out
    assert "broken.png cannot be read" in shown
    assert "nearly the same as another" in shown
    assert main(["data", "audit", str(tmp_path), "--workers", "1", "--apply"]) == 0
    assert (tmp_path / "refused" / "train" / "ball" / "zz_copy.png").is_file()
    first = (tmp_path / "manifest.jsonl").read_bytes()
    assert main(["data", "audit", str(tmp_path), "--workers", "1", "--apply"]) == 0
    assert (tmp_path / "manifest.jsonl").read_bytes() == first


def test_cut_outs_are_square_centred_and_anti_aliased() -> None:
    photo = np.full((300, 400, 3), 40, np.uint8)
    mask = np.zeros((300, 400), np.uint8)
    yy, xx = np.mgrid[:300, :400]
    mask[((xx - 200) / 150) ** 2 + ((yy - 150) / 75) ** 2 <= 1] = 255
    for size in (32, 128, 600):  # smaller, smaller, larger than in the photo
        image, small = cut_out(photo, mask, size, 0.05)
        assert image.shape == (size, size, 3)
        rows, columns = np.nonzero(small >= 128)
        assert columns.max() - columns.min() + 1 == pytest.approx(0.9 * size, abs=1 + 0.01 * size)
        assert rows.mean() == pytest.approx((size - 1) / 2, abs=1)
        grey = image[..., 0]
        assert ((grey > 60) & (grey < 235)).sum() > size / 4
        assert grey[0].min() == 255


def test_paper_that_is_not_quite_white_and_white_inside_the_object() -> None:
    picture = np.full((60, 60, 3), 246, np.uint8)
    picture[10:50, 15:45] = 60
    picture[20:30, 20:30] = 255
    mask = paper_mask(picture)
    assert (mask[10:50, 15:45] == 255).all()
    assert mask.sum() == 255 * 40 * 30


def test_coco_masks_of_all_kinds_agree() -> None:
    from pycocotools import mask as coco

    polygon = [[5.0, 5.0, 40.0, 8.0, 35.0, 28.0, 7.0, 25.0]]
    wanted = coco_mask(polygon, 48, 32)
    packed = coco.encode(np.asfortranarray(wanted // 255))
    text = {"size": [32, 48], "counts": packed["counts"].decode()}
    flat = (wanted // 255).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    plain = {"size": [32, 48], "counts": np.diff([0, *edges, flat.size]).tolist()}
    assert np.array_equal(coco_mask(text, 48, 32), wanted)
    assert np.array_equal(coco_mask(plain, 48, 32), wanted)


def test_annotations_are_read_in_pieces(tmp_path: Path) -> None:
    content = {
        "info": {"a": [1, {"b": "]}"}]},
        "images": [{"id": number, "file_name": "ü" * number} for number in range(900)],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
    found = [(name, record) for name, _, _, record in AnnotationFile(path).records()]
    assert found == [("images", image) for image in content["images"]]


def test_masks_beside_pictures(sprites: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "cat").mkdir(exist_ok=True)
        (tmp_path / "masks" / "cat").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (50, 40), (90, 120, 60)).save(tmp_path / "cat" / f"{name}.jpg")
    mask = Image.new("L", (50, 40))
    mask.paste(255, (10, 10, 30, 30))
    mask.save(tmp_path / "masks" / "cat" / "a.png")
    progress = last(build(tmp_path / "out", "mine", FolderReader(tmp_path), ONE))
    assert (progress.objects, progress.problems) == (1, 1)
    assert "b.png does not exist" in (tmp_path / "out" / "problems.txt").read_text("utf-8")


def test_sketchycoco_and_its_own_edges(sprites: Path, tmp_path: Path) -> None:
    for kind in ("GT", "Edge", "Sketch"):
        for split in ("train", "val"):
            for number in (17, 19):
                folder = tmp_path / "Object" / kind / split / str(number)
                folder.mkdir(parents=True)
                Image.fromarray(draw_synthetic("fish", number, len(split))).save(folder / "1.png")
    root, out = str(tmp_path), tmp_path / "out"
    common = ["--keep-refused", "--workers", "1"]
    assert main(["data", "from-sketchycoco", root, "--out", str(out), "--own-edges", *common]) == 0
    assert {(line["class"], line["split"]) for line in manifest(out)} == {
        ("cat", "train"), ("cat", "val"), ("horse", "train"), ("horse", "val"),
    }  # fmt: skip
    with Image.open(out / manifest(out)[0]["file"]) as pair:
        assert pair.size == (512, 256)
    (tmp_path / "Object" / "Sketch" / "val" / "17" / "2.png").write_bytes(b"nothing")
    sketches = tmp_path / "people"
    command = ["data", "from-sketchycoco", root, "--out", str(out), "--animals", "--sketches", str(sketches), *common]
    assert main(command) == 0
    assert [path.relative_to(sketches).as_posix() for path in sketches.rglob("*.png")] == ["cat/1.png"]
    assert [folder.asked for folder in sketch_folders(sketches, ("cat", "dog"))] == ["cat"]
    assert {line["class"] for line in manifest(out)} == {"cat"}
    assert main(["data", "from-sketchycoco", root, "--out", str(out), "--classes", "fish"]) == 1


@pytest.mark.parametrize("single", [False, True])
def test_pairs_go_out_and_come_back(single: bool, shapes: Path, tmp_path: Path) -> None:
    pairs, out = tmp_path / "pairs", tmp_path / "out"
    assert main(["data", "to-pairs", str(shapes), "--out", str(pairs), *(["--single"] if single else [])]) == 0
    written = sorted((pairs / "train").rglob("*.png"))
    assert len(written) == 16
    with Image.open(written[0]) as pair:
        assert pair.size == (128, 64)
        original = np.asarray(pair)
    names = "ball" if single else "ball,box"
    command = [
        "data",
        "from-pairs",
        str(pairs),
        "--out",
        str(out),
        "--classes",
        names,
        "--keep-refused",
        "--workers",
        "1",
    ]
    assert main(command) == 0
    pictures = load_data(out, "train")
    assert pictures.classes == (("ball",) if single else ("ball", "box"))
    lines = [line for line in manifest(out) if line["source"] == written[0].relative_to(pairs).as_posix()]
    with Image.open(out / lines[0]["file"]) as again:
        assert np.array_equal(np.asarray(again), original)


def test_the_sample_set_is_drawn_the_same_and_can_be_trained_on(tmp_path: Path) -> None:
    command = ["data", "sample", "--out", str(tmp_path), "--count", "4", "--workers", "1", "--val-share", "0.3"]
    assert main(command) == 0
    first = contents(tmp_path)
    assert main(command) == 0
    assert contents(tmp_path) == first
    assert load_data(tmp_path, "train").classes == SYNTHETIC_CLASSES
    assert all("synthetic" in line["licence"] for line in manifest(tmp_path))
    assert np.array_equal(draw_synthetic("snail", 3, 4), draw_synthetic("snail", 3, 4))


def test_twins_are_found_as_by_comparing_all() -> None:
    random = np.random.default_rng(0)
    coarse, fine = random.integers(0, 256, (300, 8), np.uint8), random.integers(0, 256, (300, 40), np.uint8)
    for number in range(200, 300):
        coarse[number], fine[number] = coarse[number - 200], fine[number - 200]
        fine[number, number % 40] ^= 5
    found = twins(coarse.tobytes(), fine.tobytes(), 10)
    assert found == {number: (number - 200, 2) for number in range(200, 300)}


def test_settings_out_of_range() -> None:
    for wrong in (
        lambda: Making(4),
        lambda: Making(64, 0.6),
        lambda: Judging(val_share=1),
        lambda: Where(-1),
    ):
        with pytest.raises(ConfigError):
            wrong()
    with pytest.raises(DataError, match="is not a folder"):
        FolderReader(Path("none"))


def test_classes_with_few_pictures_are_named(sprites: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["data", "from-folder", str(sprites), "--out", str(tmp_path), "--workers", "1", "--val-share", "0"]
    assert main([*command, "--dark", "255"]) == 1  # refuses all
    shown = capsys.readouterr().out
    assert "note: Nothing to train on for balloon, cactus, fish" in shown
    kept = Options(judging=Judging(keep_refused=True, val_share=0), where=Where(1))
    summary = last(build(tmp_path, "folder", FolderReader(sprites), kept)).summary
    assert summary is not None
    assert summary.outcome == "0 set aside"
    assert not any("Nothing to train on" in warning for warning in summary.warnings)
    assert any("Nothing to validate on for" in warning for warning in summary.warnings)


def test_what_is_refused_but_kept_is_told(sprites: Path, tmp_path: Path) -> None:
    dark = Options(judging=Judging(Thresholds(dark=255), keep_refused=True), where=Where(1))
    summary = last(build(tmp_path, "folder", FolderReader(sprites), dark)).summary
    assert summary is not None
    assert summary.outcome == f"0 set aside, {summary.pictures.total()} refused but kept"
