"""Edge maps of any source: kept in a data folder, and what training sees of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.base.pictures import picture_rgb_u8
from edgegan_widget.sketch import edges as edge_maps
from edgegan_widget.sketch.edges import draw, edge_folder, edge_map, edge_path
from edgegan_widget.sketch.photosketch import PhotoSketchNet
from edgegan_widget.training.config import PRESETS, TrainConfig
from edgegan_widget.training.dataset import load_data, pack
from edgegan_widget.training.recipes.projected import step
from tests.small import pictures_of, small_run


@pytest.fixture
def data(shapes: Path, tmp_path: Path) -> Path:
    shutil.copytree(shapes, tmp_path / "data")
    return tmp_path / "data"


def recipe(config: TrainConfig, data: Path) -> tuple[step.Recipe, dict[str, torch.Tensor]]:
    pictures = pictures_of(config, data)
    made = step.Recipe(step.model_config(pictures.classes, config), config, torch.device("cpu"))
    return made, made.inputs(pictures, 0)


def small(**changes: object) -> TrainConfig:
    return small_run("projected", batch_size=8, **changes)


def test_training_sees_the_sources_that_are_named(data: Path) -> None:
    pictures = load_data(data, "train", sources=("contour", "xdog"))
    assert pictures.sources == ("full", "outline", "thin", "coarse", "contour", "xdog")
    assert pictures.edges_u8.shape == (16, 6, 64, 64)
    assert torch.equal(pictures.edges_u8[:, :4], load_data(data, "train").edges_u8)
    _, inputs = recipe(small(edges="contour", mirror=False), data)
    _, scheduled = recipe(small(edge_schedule="0: contour", mirror=False), data)
    assert torch.equal(inputs["sketches_redrawn"], scheduled["sketches_redrawn"])
    _, plain = recipe(small(edge_schedule="0: contour, hand 0"), data)
    assert not torch.equal(plain["sketches_redrawn"], plain["targets_redrawn"]), (
        "the sketch is a contour, the edge map stays full"
    )


def test_what_is_not_named_changes_nothing(data: Path) -> None:
    with_more = load_data(data, "train", sources=("contour",))
    chosen = torch.arange(8)
    for weights in ({"full": 1.0, "outline": 1.0, "thin": 2.0, "coarse": 0.0, "hand": 1.0}, None):
        one, other = (
            pictures.as_sketched(chosen, torch.Generator().manual_seed(3), sources=weights)
            for pictures in (load_data(data, "train"), with_more)
        )
        assert torch.equal(one.sketches, other.sketches)
        assert torch.equal(one.images, other.images)


def test_details_and_proportions_can_be_switched_on(data: Path) -> None:
    _, plain = recipe(small(), data)
    _, same = recipe(small(hand_details=0.0, hand_proportions=0.0), data)
    _, other = recipe(small(hand_proportions=1.0), data)
    _, fewer = recipe(small(hand_details=4.0), data)
    assert torch.equal(plain["sketches_redrawn"], same["sketches_redrawn"])
    assert torch.equal(plain["images"], other["images"])
    assert not torch.equal(plain["sketches_redrawn"], other["sketches_redrawn"])
    assert fewer["sketches_redrawn"].mean() > plain["sketches_redrawn"].mean(), "less ink"


@pytest.mark.parametrize(
    ("preset", "change", "message"),
    [
        ("projected", {"edges": "pencil"}, "each stage needs one of"),
        ("projected", {"edges": "full", "edge_schedule": "0: full"}, "both given"),
        ("projected", {"hand_details": 5.0}, "from 0 to 4"),
        ("projected", {"hand_proportions": -1.0}, "from 0 to 4"),
        ("paper", {"edges": "contour"}, "leave edges, poses and hand_... out"),
        ("paper", {"poses": 1.0}, "leave edges, poses and hand_... out"),
        ("projected", {"poses": 3.0}, "from 0 to 2"),
    ],
)
def test_settings_that_do_not_fit(preset: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(PRESETS[preset], **change)


def test_ready_pairs_have_other_sources_of_their_picture(tmp_path: Path) -> None:
    pair = np.full((64, 128, 3), 255, np.uint8)
    pair[10, :64] = 0
    pair[20:40, 80:100] = (10, 200, 30)
    (tmp_path / "train" / "thing").mkdir(parents=True)
    Image.fromarray(pair).save(tmp_path / "train" / "thing" / "0.png")
    pictures = load_data(tmp_path, "train", sources=("contour",))
    assert pictures.sources == ("full", "contour")
    assert pictures.edges_u8[0, 0, 10].max() == 0
    assert pictures.edges_u8[0, 1, 10].min() == 255, "drawn from the picture, not from the ready edge map"
    assert pictures.edges_u8[0, 1, 18:42, 14:38].min() < 128
    weights = {"full": 0.0, "outline": 1.0, "thin": 0.0, "coarse": 0.0, "contour": 0.0, "hand": 0.0}
    seen = pictures.as_sketched(torch.zeros(4, dtype=torch.long), torch.Generator(), sources=weights)
    assert torch.equal(seen.sketches, seen.edges), "its one edge map stands for any kind"


def test_what_is_kept_is_what_would_be_drawn(data: Path) -> None:
    picture = data / "train" / "ball" / "ball_0.png"
    assert edge_folder(data, "person=7", 128).name == "person-7-128px-1"
    folder = edge_folder(data, "contour", 128)
    drawn = edge_map(picture, "contour", folder, 128, keep=False)
    assert not folder.exists()
    assert np.array_equal(drawn, draw(picture_rgb_u8(picture), "contour"))
    edge_map(picture, "contour", folder, 128)
    (path,) = folder.rglob("*.png")
    before = load_data(data, "train", sources=("contour",)).edges_u8
    path.write_bytes(b"")  # as a full disk leaves it
    assert np.array_equal(edge_map(picture, "contour", folder, 128), drawn)
    assert path.stat().st_size > 0
    assert torch.equal(load_data(data, "train", sources=("contour",)).edges_u8, before)


def test_kept_edge_maps_are_taken(data: Path) -> None:
    picture = data / "train" / "ball" / "ball_0.png"
    path = edge_path(edge_folder(data, "canny", 128), edge_maps._digest(picture))
    path.parent.mkdir(parents=True)
    Image.new("L", (128, 128), 77).save(path)
    seen = load_data(data, "train", sources=("canny",)).edges_u8[:, 4]
    assert (seen == 77).all(dim=(1, 2)).sum() == 1


def test_photosketch_is_drawn_once_and_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(data / "train" / "box")
    for path in list((data / "train" / "ball").iterdir())[1:]:
        path.unlink()
    torch.save(PhotoSketchNet().state_dict(), tmp_path / "my weights.pth")
    source = f"photosketch={tmp_path / 'my weights.pth'}"
    assert small(edges=f"full, {source}").edge_sources == (source,)
    first = load_data(data, "train", sources=(source,)).edges_u8
    monkeypatch.setattr(edge_maps, "draw", None)
    assert torch.equal(load_data(data, "train", sources=(source,)).edges_u8, first)
    with pytest.raises(ModelError, match="does not exist"):
        load_data(data, "train", sources=("photosketch=nowhere.pth",))


def test_packed_files_keep_their_sources(data: Path, tmp_path: Path) -> None:
    main(["pack", str(data), "--out", str(tmp_path / "all.npz"), "--edges", "full,contour"])
    packed = load_data(tmp_path / "all.npz", "train", sources=("contour",))
    assert torch.equal(packed.edges_u8, load_data(data, "train", sources=("contour",)).edges_u8)
    assert packed.sources[4:] == ("contour",)
    pack(data, tmp_path / "plain.npz")
    with pytest.raises(DataError, match="packed without contour; pack it anew with --edges contour"):
        load_data(tmp_path / "plain.npz", "train", sources=("contour",))


def test_data_keeps_edge_maps_and_draws_only_what_is_new(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = ["data", "audit", str(data), "--workers", "1", "--keep-refused", "--edges"]
    main([*audit, "full,contour"])
    contour = edge_folder(data, "contour", 128)
    assert len(list(contour.rglob("*.png"))) == len({path.read_bytes() for path in data.glob("*/*/*.png")})
    times = {path: path.stat().st_mtime_ns for path in contour.rglob("*.png")}
    main([*audit, "full,contour,canny"])
    assert {path: path.stat().st_mtime_ns for path in contour.rglob("*.png")} == times
    (data / "val" / "ball" / "ball_0.png").rename(data / "train" / "ball" / "moved.png")
    gone = next((data / "train" / "box").iterdir())
    gone.unlink()
    main([*audit, "contour"])
    left = {path: path.stat().st_mtime_ns for path in contour.rglob("*.png")}
    assert left.items() <= times.items(), "a moved picture keeps its edge map"
    assert len(left) == len(times) - 1, "a deleted picture's edge map goes"
