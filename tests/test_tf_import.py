from __future__ import annotations

import json
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.store import load_model, save_model
from edgegan_widget.networks.tensorflow.bundle import TensorFlowCheckpoint
from edgegan_widget.networks.tensorflow.convert import CLASSES_14, import_tensorflow
from tests.parity.original import GOLDEN, build, golden, our_tensors
from tests.tf_bundle import write_bundle

SHARED_PARITY = Path(__file__).parents[2] / "shared" / "parity"
PREFIX = "EdgeGAN-Model-502"


def unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.rglob("*.index")).with_suffix("")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(GOLDEN / "ckpt_inference.tar.xz", tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def imported(prefix: Path) -> dict[str, torch.Tensor]:
    """The checkpoint's weights by our names."""
    return import_tensorflow(prefix)[0].state_dict()


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
    _draws_the_same_without_torch(tmp_path / "m", theirs)


def _draws_the_same_without_torch(folder: Path, theirs: dict[str, np.ndarray]) -> None:
    """Of the original's inputs those that a pad could have drawn: in grey, of 256 shades."""
    model = EdgeGAN.from_pretrained(folder, "cpu", "onnx")
    compared = []
    for name, label in zip(theirs["names"], theirs["classes"]):
        drawn = theirs[f"{name}__input"][:, :64]
        sketch = np.round((drawn[..., 0] + 1) * 127.5).astype(np.uint8)
        if np.abs(sketch[..., None] / 127.5 - 1 - drawn).max() < 1e-6:
            image = model.generate(sketch, int(label)).image
            assert np.abs(image - (theirs[f"{name}__image_noise0"] + 1) * 127.5).max() <= 1, name
            compared.append(name)
    assert compared


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


@pytest.mark.parametrize(
    "form", ["edgegan/{}", "a/b/{}", "{}/ExponentialMovingAverage", "run/{}/ExponentialMovingAverage"]
)
def test_scopes_and_moving_averages_are_taken(
    form: str, original_weights: dict[str, np.ndarray], imported: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    inference = {name: value for name, value in original_weights.items() if name.split("/")[0] in ("E", "G1", "G2")}
    written = write_bundle(tmp_path / "model-1", {form.format(name): value for name, value in inference.items()})
    ours = import_tensorflow(written)[0].state_dict()
    assert ours.keys() == imported.keys()
    assert all(torch.equal(ours[name], value) for name, value in imported.items())


def test_weights_that_are_no_numbers_are_refused_at_import_at_load_and_at_export(
    original_weights: dict[str, np.ndarray], prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {name: value for name, value in original_weights.items() if name.split("/")[0] in ("E", "G1", "G2")}
    broken["G2/g_dconv_4/deconv2d/w"] = np.full_like(broken["G2/g_dconv_4/deconv2d/w"], np.nan)
    path = write_bundle(tmp_path / "model-1", broken)
    assert main(["import-tf", str(path), "--out", str(tmp_path / "m")]) == 1
    assert "no finite numbers" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()

    networks, _ = import_tensorflow(prefix)
    save_model(tmp_path / "whole", networks)
    for file in (tmp_path / "whole").glob("model*.safetensors"):
        weights = load_file(file)
        save_file({name: torch.full_like(value, torch.inf) for name, value in weights.items()}, file)
    with pytest.raises(ModelError, match="no finite numbers"):
        load_model(tmp_path / "whole")
    next(networks.parameters()).data.fill_(torch.nan)
    with pytest.raises(ModelError, match="no finite numbers"):
        save_model(tmp_path / "never", networks)
    assert not (tmp_path / "never").exists()


def test_a_model_is_replaced_only_when_asked(prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["import-tf", str(prefix), "--out", str(tmp_path / "m")]
    assert main(command) == 0
    assert main(command) == 1
    assert "holds a model already; add --force" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    (tmp_path / "file").touch()
    assert main(["export", str(tmp_path / "m"), "--out", str(tmp_path / "file")]) == 1
    assert "is a file; name a folder" in capsys.readouterr().err
