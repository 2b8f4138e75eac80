"""A disk that is full and a folder that cannot be written: one sentence, no traceback, nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import DataError
from edgegan_widget.data.download import Remote, download
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.fake_evaluations import write_model
from tests.photo.drawn import photo, write_pairs
from tests.photo.test_scene import scene
from tests.prepare.test_download import Server

ROOM = 4096  # bytes that are left on the full disk: enough to begin, too few to end
QUICK = "--per-class 1 --robustness 0 --swapped 0 --colour-seeds 0 --classifier-steps 1 --inception none --cache none"
OUTPUTS = {  # command, and what must not be there afterwards
    "generate": ("generate {in}/sketch.json --class heel --out {out}/deep/o.png", "deep/o.png"),
    "edges": ("edges {in}/photo.png --edges xdog --out {out}/e.png", "e.png"),
    "export": ("export {in}/model --out {out}/m", "m/config.json"),
    "pack": ("pack {in}/shapes --out {out}/p.npz", "p.npz"),
    "evaluate": ("evaluate {in}/model --data {in}/shapes --out {out}/r " + QUICK, "r.html"),
    "train": ("train {in}/shapes --out {out}/run --preset paper --width 8 --batch-size 4 --epochs 1 --device cpu",
              "run/checkpoints/last.pt"),
    "train-guess": ("train-guess {in}/shapes --model {out}/model --steps 1", "model/guess.safetensors"),
    "train-cutout": ("train-cutout {in}/pairs --out {out}/cut --size 64 --batch 2 --kept 2 --steps 1",
                     "cut/model.safetensors"),
    "data": ("data from-folder {in}/shapes --out {out}/d --workers 1", "d/manifest.jsonl"),
    "audit": ("data audit {out}/shapes --workers 1", "shapes/audit.html"),
    "pairs": ("data to-pairs {in}/shapes --out {out}/x", "x/classes.txt"),
    "index": ("index {in}/shapes --out {out}/i", "i/index.json"),
    "cut-out": ("cut-out {in}/photo.png --out {out}/cut", "cut/photo.png"),
    "erase": ("erase {in}/photo.png --mask {in}/mask.png --out {out}/o.png", "o.png"),
    "replace": ("replace {in}/photo.png --mask {in}/mask.png --sketch {in}/sketch.json --class heel "
                "--out {out}/o.png", "o.png"),
    "compose": ("compose {in}/scene/scene.json --out {out}/o.png", "o.png"),
}  # fmt: skip


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, shapes: Path) -> Path:
    """What commands read."""
    folder = tmp_path_factory.mktemp("given")
    shutil.copytree(shapes, folder / "shapes")
    write_model(folder / "model", 0)
    pixels, mask = photo()
    Image.fromarray(pixels).save(folder / "photo.png")
    Image.fromarray(mask).save(folder / "mask.png")
    (folder / "sketch.json").write_text(Drawing().add(Stroke.make([(0.1, 0.2), (0.8, 0.7)], 0.02)).to_json())
    write_pairs(folder / "pairs", 6, 64)
    (folder / "scene").mkdir()
    Image.fromarray(np.full((90, 120, 3), 120, np.uint8)).save(folder / "scene" / "photo.png")
    (folder / "scene" / "scene.json").write_text(scene().to_json())
    return folder


@pytest.fixture(params=["full", "read-only"])
def place(request: pytest.FixtureRequest, tmp_path: Path, given: Path) -> Iterator[Path]:
    """A small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here: only an administrator may, outside of a container")
    try:
        for name in ("model", "shapes"):
            shutil.copytree(given / name, disk / name)
        if request.param == "full":
            _fill(disk)
        else:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def _fill(disk: Path) -> None:
    with (disk / "rest").open("wb") as stream:
        free = os.statvfs(disk)
        stream.write(bytes(free.f_bavail * free.f_bsize - ROOM))


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_command_without_room_ends_in_a_sentence(
    name: str, place: Path, given: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command, result = OUTPUTS[name]
    told = main(command.format_map({"in": given, "out": place}).split())
    shown, said = capfd.readouterr()
    assert told == 1, said
    (sentence,) = [line for line in said.splitlines() if "edgegan-widget: " in line]
    assert "should not happen" not in sentence
    why = shown if name == "cut-out" else sentence  # which goes on with the next photo
    assert "No space left" in why or "Read-only" in why or "full" in why
    assert "Traceback" not in said
    assert not (place / result).exists()
    assert not [stray for stray in place.rglob(".*") if stray.name.endswith((".new", ".tmp"))]


def test_a_download_without_room_goes_on_later(place: Path) -> None:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(DataError, match=r"cannot be written .*run the same command again to go on"):
            list(download(Remote("x.bin", f"{server.address}/x.bin"), place / "model"))
        server.shutdown()
    assert not (place / "model" / "x.bin").exists()


def test_what_is_there_stays_where_the_new_does_not_fit(place: Path, given: Path) -> None:
    before = np.asarray(Image.open(place / "shapes" / "train" / "ball" / "ball_0.png"))
    out = place / "shapes" / "train" / "ball" / "ball_0.png"
    command = f"erase {given}/photo.png --mask {given}/mask.png --out {out}"
    assert main(command.split()) == 1
    assert np.array_equal(np.asarray(Image.open(out)), before)
