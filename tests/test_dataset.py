from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import to_u8, to_unit
from edgegan_widget.sketch.hands.hand import sketch_like
from edgegan_widget.sketch.sets.folders import packed_people, people_folders, read_people
from edgegan_widget.training.dataset import Batch, PairDataset, load_data, pack
from tests.conftest import CLASSES


@pytest.fixture(scope="module")
def data(shapes: Path) -> PairDataset:
    return load_data(shapes, "train")


def same(a: object, b: object) -> bool:
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in ("images", "edges", "sketches", "labels"))


def shuffled(data: PairDataset, seed: int, index: int, count: int) -> Batch:
    return data.take(data.choose(seed, index, count))


def balanced(data: PairDataset, seed: int, index: int, count: int) -> Batch:
    return data.as_sketched(data.choose(seed, index, count, balanced=True), stream(seed, index, "sketched"))


def test_a_folder_becomes_pictures_edges_and_labels(data: PairDataset) -> None:
    assert data.images_u8.shape == (16, 3, 64, 64)
    assert data.edges_u8.shape == (16, 4, 64, 64)
    assert data.classes == CLASSES
    assert data.counts() == {"ball": 8, "box": 8}


def test_batches_are_a_function_of_seed_and_number(data: PairDataset) -> None:
    for make in (balanced, shuffled):
        assert same(make(data, 3, 5, 4), make(data, 3, 5, 4))
        assert not same(make(data, 3, 5, 4), make(data, 3, 6, 4))
        assert not same(make(data, 3, 5, 4), make(data, 4, 5, 4))


def test_an_epoch_visits_every_picture_once(data: PairDataset) -> None:
    assert data.batches_per_epoch(4) == 4
    seen = torch.cat([shuffled(data, 0, index, 4).images for index in range(4)])
    assert len(torch.unique(seen.flatten(1), dim=0)) == len(torch.unique(data.images_u8.flatten(1), dim=0))


def test_classes_are_drawn_evenly(shapes: Path) -> None:
    data = load_data(shapes, "train")
    few = PairDataset(data.images_u8[:9], data.edges_u8[:9], data.labels[:9], data.classes)  # eight balls, one box
    labels = torch.cat([balanced(few, 0, index, 16).labels for index in range(40)])
    assert labels.float().mean() == pytest.approx(0.5, abs=0.06)


def test_moved_pairs_stay_pairs(data: PairDataset) -> None:
    """Wherever a picture is moved or mirrored to, its edge map goes with it."""
    batch = balanced(data, 1, 2, 8)
    darker = (batch.images.min(dim=1).values < 0.9).float()
    ink = (batch.edges[:, 0] < 0.0).float()
    near = torch.nn.functional.max_pool2d(darker[:, None], 5, 1, 2)[:, 0]
    assert (ink * near).sum() / ink.sum() > 0.97


def test_poses_move_a_picture_and_its_drawing_alike() -> None:
    square_u8 = torch.full((1, 1, 64, 64), 255, dtype=torch.uint8)
    square_u8[..., 20:44, 16:48] = 0
    data = PairDataset(square_u8.expand(16, 3, -1, -1), square_u8.expand(16, 4, -1, -1), torch.zeros(16).long(), ("a",))
    still = {"full": 1.0, "hand": 0.0}
    chosen = torch.arange(16)
    plain = data.as_sketched(chosen, stream(0, 0, "pose"), True, still)
    posed = data.as_sketched(chosen, stream(0, 0, "pose"), True, still, poses=1.5)
    for batch in (plain, posed):
        assert torch.equal(batch.images[:, :1], batch.edges)
        assert torch.equal(batch.sketches, batch.edges)
    slopes = [_slope(batch.edges[:, 0] < 0) for batch in (plain, posed)]
    assert slopes[0].abs().max() < 0.01  # placed objects stay upright
    assert slopes[1].abs().mean() > 0.05
    assert (posed.edges[..., [0, -1], :] > 0.99).all()
    assert (posed.edges[..., [0, -1]] > 0.99).all()


def _slope(ink: torch.Tensor) -> torch.Tensor:
    """How far the middle of each row's ink moves from row to row; ink bool [N, H, W]."""
    rows = torch.arange(ink.shape[1], dtype=torch.float32)[:, None].expand(ink.shape[1:])
    columns = rows.T
    slopes = []
    for one in ink:
        x, y = columns[one] - columns[one].mean(), rows[one] - rows[one].mean()
        slopes.append((x * y).mean() / (y * y).mean())
    return torch.stack(slopes)


def test_distortion_keeps_paper_white_and_is_seeded() -> None:
    paper = torch.ones(4, 1, 64, 64)
    assert torch.allclose(sketch_like(paper, stream(0, 0, "t")), paper, atol=1e-6)
    lines = paper.clone()
    lines[:, :, 20, 10:50] = -1
    assert torch.equal(sketch_like(lines, stream(0, 0, "t")), sketch_like(lines, stream(0, 0, "t")))
    assert torch.equal(sketch_like(lines, stream(0, 0, "t"), strength=0), lines)
    changed = sketch_like(lines, stream(0, 0, "t"))
    assert not torch.equal(changed, lines)
    assert changed.min() >= -1
    assert changed.max() <= 1 + 1e-6


def test_ready_pairs_are_cut_in_two(tmp_path: Path) -> None:
    pair = np.full((64, 128, 3), 255, np.uint8)
    pair[10, :64] = 0
    pair[20:40, 80:100] = (10, 200, 30)
    (tmp_path / "train" / "thing").mkdir(parents=True)
    Image.fromarray(pair).save(tmp_path / "train" / "thing" / "0.png")
    data = load_data(tmp_path, "train")
    assert data.edges_u8.shape == (1, 1, 64, 64)
    assert torch.equal(data.images_u8[0], torch.from_numpy(pair[:, 64:]).permute(2, 0, 1))
    assert data.edges_u8[0, 0, 10].max() == 0


def test_a_picture_that_cannot_be_read_is_left_out_and_named(
    shapes: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "train" / "ball"
    folder.mkdir(parents=True)
    (folder / "broken.png").write_bytes(b"nothing")
    (folder / "good.png").write_bytes((shapes / "train" / "ball" / "ball_0.png").read_bytes())
    with caplog.at_level(logging.WARNING):
        assert len(load_data(tmp_path, "train")) == 1
    assert "broken.png cannot be read" in caplog.text


def test_missing_folders_and_classes(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder; data is laid out as"):
        load_data(tmp_path, "train")
    with pytest.raises(DataError, match="no folder for cat; it holds ball, box"):
        load_data(shapes, "train", classes=["cat"])
    (tmp_path / "train" / "empty").mkdir(parents=True)
    with pytest.raises(DataError, match="empty holds no readable picture"):
        load_data(tmp_path, "train")


def test_bytes_there_and_back() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_u8(to_unit(values)), values)


def test_a_packed_file_is_the_same_data(shapes: Path, tmp_path: Path, data: PairDataset) -> None:
    assert pack(shapes, tmp_path / "shapes.npz") == {"train": 16, "val": 6}
    again = load_data(tmp_path / "shapes.npz", "train")
    assert torch.equal(again.images_u8, data.images_u8)
    assert torch.equal(again.edges_u8, data.edges_u8)
    assert same(balanced(again, 1, 2, 4), balanced(data, 1, 2, 4))
    boxes = load_data(tmp_path / "shapes.npz", "train", classes=["box"])
    assert boxes.counts() == {"box": 8}
    turned = load_data(tmp_path / "shapes.npz", "val", classes=["box", "ball"])
    assert turned.classes == ("box", "ball")
    assert turned.labels.tolist() == [1, 1, 1, 0, 0, 0]


def test_packed_files_that_do_not_fit(shapes: Path, tmp_path: Path) -> None:
    pack(shapes, tmp_path / "shapes.npz")
    with pytest.raises(DataError, match="was packed at 64 pixels, 128 are needed"):
        load_data(tmp_path / "shapes.npz", "train", size_px=128)
    with pytest.raises(DataError, match="there is no class cat; the data has ball, box"):
        load_data(tmp_path / "shapes.npz", "train", classes=["cat"])
    (tmp_path / "other.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="holds no packed train pictures"):
        load_data(tmp_path / "other.npz", "train")
    with pytest.raises(DataError, match="has neither train nor val"):
        pack(tmp_path, tmp_path / "none.npz")


def test_packed_with_smaller_edge_maps_and_peoples_drawings(shapes: Path, people: Path, tmp_path: Path) -> None:
    """As the projected recipe wants it: the same data as from the folders, from one file."""
    packed = tmp_path / "shapes.npz"
    counts = pack(shapes, packed, 128, sketch_px=64, sketches=[people])
    assert counts == {"train": 16, "val": 6, "people's drawings": 6}
    ours, theirs = (load_data(place, "train", 128, sketch_px=64, alpha=True) for place in (packed, shapes))
    assert ours.images_u8.shape == (16, 4, 128, 128)
    assert torch.equal(ours.images_u8, theirs.images_u8)
    assert torch.equal(ours.edges_u8, theirs.edges_u8)
    for kept in (False, True):
        from_file, from_folder = (read_people([place], ("box", "ball"), 64, kept) for place in (packed, people))
        assert np.array_equal(from_file[0], from_folder[0])
        assert from_file[1] == from_folder[1] == [1] * len(from_file[1])
    assert len(read_people([packed], ("ball",), 64, kept=True, most=1)[1]) == 1
    assert [each.name for each in people_folders(packed, ("ball",))] == ["set/ball"]
    assert people_folders(packed, ("ball",))[0] == people_folders(people, ("ball",))[0]
    with pytest.raises(DataError, match="packed with edge maps of 64 pixels, 128 are needed"):
        load_data(packed, "train", 128, sketch_px=128)
    assert load_data(packed, "train", 128).edges_u8.shape[-1] == 64
    with pytest.raises(DataError, match="has drawings of 64 pixels, 128 are needed"):
        read_people([packed], ("ball",), 128)


def test_peoples_drawings_that_are_not_there(shapes: Path, people: Path, tmp_path: Path) -> None:
    pack(shapes, tmp_path / "shapes.npz")
    with pytest.raises(DataError, match="holds no packed drawings"):
        read_people([tmp_path / "shapes.npz"], ("ball",), 64)
    with pytest.raises(DataError, match="there are no drawings at"):
        read_people([tmp_path / "none"], ("ball",), 64)
    with pytest.raises(DataError, match="no drawings of box in the folders of sketches"):
        packed_people([people], ("box",), 64)
    assert read_people([people], ("box",), 64) == ([], [])
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match="holds no drawings in folders named after what they show"):
        people_folders(tmp_path / "bare", ("box",))
