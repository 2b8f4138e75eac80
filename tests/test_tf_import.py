from __future__ import annotations

import json
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks.paper import class_condition
from edgegan_widget.networks.store import load_model
from edgegan_widget.networks.tensorflow.bundle import TensorFlowCheckpoint
from edgegan_widget.networks.tensorflow.convert import CLASSES_14, import_tensorflow
from tests.parity.original import GOLDEN, build, golden, our_tensors

SHARED_PARITY = Path(__file__).parents[2] / "shared" / "parity"
PREFIX = "EdgeGAN-Model-502"


def unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.rglob("*.index")).with_suffix("")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(GOLDEN / "ckpt_inference.tar.xz", tmp_path_factory.mktemp("checkpoint"))


def test_every_tensor_is_read_as_tensorflow_wrote_it(prefix: Path, original_weights: dict[str, np.ndarray]) -> None:
    checkpoint = TensorFlowCheckpoint(prefix)
    assert len(checkpoint.shapes) == 58
    for name in checkpoint.shapes:
        assert np.array_equal(checkpoint.read(name), original_weights[name]), name


def test_an_imported_model_draws_what_the_original_drew(prefix: Path, tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    assert main(["import-tf", str(prefix), "--out", str(tmp_path / "m"), "--classes", *names]) == 0
    networks = load_model(tmp_path / "m")
    assert networks.config.classes == tuple(names)
    theirs = golden("inference")
    sketch = torch.from_numpy(theirs["resized__input"][None, :, :64]).permute(0, 3, 1, 2)
    label = int(theirs["classes"][list(theirs["names"]).index("resized")])
    condition = class_condition(torch.tensor([label]), networks.config)
    edge, image = networks.decode(networks.encode(sketch, condition, torch.zeros(1, 1)), condition)
    for ours, name in ((edge, "edge"), (image, "image")):
        difference = ours[0].permute(1, 2, 0).numpy() - theirs[f"resized__{name}_noise0"]
        assert np.abs(difference).max() < 1e-4


def test_a_training_checkpoint_brings_its_discriminators(
    tmp_path: Path, original_weights: dict[str, np.ndarray]
) -> None:
    archive = SHARED_PARITY / "ckpt_full.tar.xz"
    if not archive.is_file():
        pytest.skip("the original's complete training checkpoint is not here; it is too large to ship")
    networks, critics = import_tensorflow(unpack(archive, tmp_path))
    expected = our_tensors(build(original_weights, torch.float32))
    assert critics is not None
    for name, value in networks.state_dict().items():
        assert torch.equal(value, expected[name]), name
    for name, value in critics.state_dict().items():
        assert torch.equal(value, expected[f"critics.{name}"]), name


def test_fourteen_classes_get_their_names() -> None:
    variables = json.loads((GOLDEN / "variables_5.json").read_text())
    assert variables["meta"]["num_classes"] == 5
    assert len(CLASSES_14) == 14
    assert CLASSES_14[7] == "horse"


def test_a_wrong_number_of_names(prefix: Path) -> None:
    with pytest.raises(ModelError, match=r"the checkpoint has 5 classes and 1 names were given \(cat\); give 5 names"):
        import_tensorflow(prefix, ["cat"])


def test_missing_and_damaged_files(prefix: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist; give the checkpoint's path without its ending"):
        TensorFlowCheckpoint(tmp_path / "none")
    index = Path(f"{prefix}.index").read_bytes()
    (tmp_path / "a.index").write_bytes(index[:-60])
    with pytest.raises(ModelError, match="is not the index of a TensorFlow checkpoint"):
        TensorFlowCheckpoint(tmp_path / "a")
    (tmp_path / "b.index").write_bytes(index)
    with pytest.raises(ModelError, match=r"cannot be read .*copy it beside the \.index file"):
        import_tensorflow(tmp_path / "b")
    (tmp_path / "b.data-00000-of-00001").write_bytes(b"\0" * 1000)
    with pytest.raises(ModelError, match="is cut short at"):
        import_tensorflow(tmp_path / "b")


def test_a_checkpoint_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "other.index").write_bytes(empty_table())
    with pytest.raises(ModelError, match="holds no EdgeGAN"):
        import_tensorflow(tmp_path / "other")


def empty_table() -> bytes:
    """A LevelDB table that holds a bundle's header and nothing else."""

    def block(key: bytes, value: bytes) -> bytes:
        entry = bytes([0, len(key), len(value)]) + key + value
        return entry + struct.pack("<II", 0, 1) + b"\0" + b"\0" * 4

    data = block(b"", b"\x08\x01")
    index = block(b"\0", bytes([0, len(data) - 5]))
    handles = bytes([0, 0, len(data), len(index) - 5])
    return data + index + handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
