"""PhotoSketch against every fourth pixel of what its authors' code draws."""

from __future__ import annotations

import ast
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edgegan_widget.base.errors import ConfigError, DataError, ModelError
from edgegan_widget.sketch import edges
from edgegan_widget.sketch.photosketch import PhotoSketch, PhotoSketchNet

GOLDEN = Path(__file__).parent / "parity" / "golden" / "photosketch.npz"
OUTPUTS = {"picture": "output_batch_statistics", "running": "output_running_statistics"}


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def weights(golden: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The weights behind the golden vectors, from their seed."""
    rebuilt = {}
    for number, (name, shape) in enumerate(zip(golden["names"].tolist(), golden["shapes"].tolist())):
        random = np.random.Generator(np.random.PCG64(int(golden["seed"]) * 1000 + number))
        rebuilt[name] = torch.from_numpy(_scaled(name, np.float32(random.standard_normal(ast.literal_eval(shape)))))
    return rebuilt


def _scaled(name: str, normal: np.ndarray) -> np.ndarray:
    kind = name.rpartition(".")[2]
    if kind == "num_batches_tracked":
        return np.array(7)
    if normal.ndim == 4:
        return normal / np.float32(np.sqrt(np.prod(normal.shape[1:])))
    if kind == "running_var":
        return 1 + np.float32(0.1) * np.abs(normal)
    return np.float32(0.1) * normal + np.float32(kind == "weight")


@pytest.fixture(scope="module")
def published(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the authors' program writes it: torch's format before version 1.6."""
    path = tmp_path_factory.mktemp("photosketch") / "latest_net_G.pth"
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    return path


@pytest.mark.parametrize("statistics", ["picture", "running"])
def test_the_network_agrees_with_the_authors(published: Path, golden: dict[str, np.ndarray], statistics: str) -> None:
    drawn = PhotoSketch.load(published, statistics).contours(golden["image_u8"][None])[0]
    assert np.abs(drawn[1::4, 1::4] - golden[OUTPUTS[statistics]]).max() < 1e-4


def test_a_call_draws_one_photo_in_its_own_size(published: Path, golden: dict[str, np.ndarray]) -> None:
    draw = PhotoSketch.load(published)
    before = {name: value.clone() for name, value in draw.network.state_dict().items()}
    sketch = draw(golden["image_u8"])
    wanted = ((golden[OUTPUTS["picture"]] + 1) / 2 * 255).astype(np.uint8)
    assert sketch.dtype == np.uint8
    assert np.abs(sketch[1::4, 1::4].astype(int) - wanted).max() <= 1
    wide = np.asarray(Image.fromarray(golden["image_u8"]).resize((320, 96)))
    assert edges.draw(wide, f"photosketch={published}", 160).shape == (48, 160)
    after = draw.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items()), "drawing changes no statistics"


def test_a_small_picture_can_be_drawn_at_its_own_size(published: Path, golden: dict[str, np.ndarray]) -> None:
    small = np.asarray(Image.fromarray(golden["image_u8"]).resize((128, 128), Image.Resampling.BICUBIC))
    drawn = edges.draw(small, f"photosketch128={published}")
    contour = PhotoSketch.load(published).contours(small[None])[0]
    assert np.array_equal(drawn, ((contour + 1) / 2 * 255).astype(np.uint8))
    assert not np.array_equal(drawn, edges.draw(small, f"photosketch={published}"))
    for size_px in (30, 130, 2048):
        with pytest.raises(ConfigError, match="multiple of 4 from 32 to 1024"):
            PhotoSketch.load(published, size_px=size_px)


def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    draw = PhotoSketch(PhotoSketchNet())
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    assert np.allclose(draw.contours(pictures)[1], draw.contours(pictures[1:])[0], atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (0, 8, 3)])
def test_other_arrays_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="give a colour picture"):
        PhotoSketch(PhotoSketchNet())(np.zeros(shape, np.uint8))


def test_statistics_have_two_names() -> None:
    with pytest.raises(ConfigError, match="choose one of picture, running"):
        PhotoSketchNet("mine")


class _Harmful:
    """Pickled, it makes a file when it is read by a careless program."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("modern", [True, False])
def test_code_in_a_file_does_not_run(tmp_path: Path, modern: bool) -> None:
    path, trace = tmp_path / "harmful.pth", tmp_path / "trace"
    torch.save({"model.1.weight": _Harmful(trace)}, path, _use_new_zipfile_serialization=modern)
    with pytest.raises(ModelError, match="nothing in it was run"):
        PhotoSketch.load(path)
    assert not trace.exists()


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _archive(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("notes.txt", content[:100])
    return stream.getvalue()


@pytest.mark.parametrize("damage", [_cut, _archive, lambda content: b"", lambda content: b"not weights at all" * 9])
def test_damaged_files_are_refused(published: Path, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "damaged.pth"
    path.write_bytes(damage(published.read_bytes()))
    with pytest.raises(ModelError, match=r"damaged\.pth"):
        PhotoSketch.load(path)


def test_a_missing_file_and_other_weights_are_refused(weights: dict[str, torch.Tensor], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        PhotoSketch.load(tmp_path / "none.pth")
    cases: dict[str, object] = {
        "has no model.1.weight": {name: value for name, value in weights.items() if name != "model.1.weight"},
        r"is \[64\], PhotoSketch's generator has \[64, 3, 7, 7\]": weights | {"model.1.weight": torch.zeros(64)},
        "has model.99.bias, which": weights | {"model.99.bias": torch.zeros(1)},
        "holds no weights by name": [torch.zeros(3)],
    }
    for message, stored in cases.items():
        torch.save(stored, tmp_path / "other.pth")
        with pytest.raises(ModelError, match=message):
            PhotoSketch.load(tmp_path / "other.pth")


def test_weights_of_the_oldest_torch_and_of_several_devices_load(
    weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    older = {f"module.{name}": value for name, value in weights.items() if "num_batches" not in name}
    torch.save(older, tmp_path / "older.pth")
    loaded = PhotoSketch.load(tmp_path / "older.pth").network.state_dict()
    assert torch.equal(loaded["model.26.weight"], weights["model.26.weight"])
