"""Models that find the object: the shipped one, somebody else's as TorchScript or ONNX, and what is none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edgegan_widget.base.errors import DependencyError, ModelError
from edgegan_widget.photo import cut_out
from edgegan_widget.photo.finders import describe_finder, load_finder
from tests.photo.drawn import overlap, photo


class _Red(nn.Module):
    """What is red, as logits; beside it an output that is no mask."""

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        return photos.mean(dim=(1, 2, 3)), 20 * (photos[:, :1] - photos[:, 2:] - 0.45)


def _script(path: Path) -> Path:
    torch.jit.script(_Red()).save(str(path))
    return path


def test_a_torchscript_file_used_as_the_file_beside_it_says(tmp_path: Path) -> None:
    pixels, mask = photo()
    path = _script(tmp_path / "red.pt")
    with pytest.raises(ModelError, match=r"gives no mask .*red\.pt\.json, see docs/photo\.md"):
        cut_out(pixels, model=path)
    beside = tmp_path / "red.pt.json"
    beside.write_text(json.dumps({"size_px": 96, "mean": [0, 0, 0], "deviation": [0.5, 0.5, 0.5], "output": 1}))
    path.touch()  # it is read once until it changes
    likely = load_finder(path)(pixels)
    assert likely.shape == (96, 96)
    assert 0 <= likely.min() <= likely.max() <= 1
    assert overlap(cut_out(pixels, model=path), mask) > 0.8
    beside.write_text(json.dumps({"size": 96}))
    path.touch()
    with pytest.raises(ModelError, match=r"red\.pt\.json, which says how red\.pt is used, cannot be read: unknown"):
        load_finder(path)


def _onnx(path: Path, side_px: int) -> Path:
    """Sigmoid of a photo [1, 3, side, side], written by hand: the package that writes such files is not needed."""

    def field(number: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return bytes([number << 3]) + _varint(value)
        return bytes([number << 3 | 2]) + _varint(len(value)) + value

    def tensor(name: bytes) -> bytes:
        shape = b"".join(field(1, field(1, side)) for side in (1, 3, side_px, side_px))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    node = field(1, b"photo") + field(2, b"mask") + field(4, b"Sigmoid")
    graph = field(1, node) + field(2, b"graph") + field(11, tensor(b"photo")) + field(12, tensor(b"mask"))
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 13)))
    return path


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def test_an_onnx_file(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pixels, _ = photo()
    likely = load_finder(_onnx(tmp_path / "red.onnx", 64))(pixels)
    assert likely.shape == (64, 64)
    red = (pixels[..., 0].mean() / 255 - 0.485) / 0.229
    assert likely.mean() == pytest.approx(1 / (1 + np.exp(-red)), abs=0.1)
    (tmp_path / "torn.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read as ONNX"):
        load_finder(tmp_path / "torn.onnx")


def test_without_onnxruntime_the_install_line_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match="install it: pip install onnxruntime"):
        load_finder(_onnx(tmp_path / "red.onnx", 32))


def test_what_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "torn.pt").write_bytes(b"nothing")
    (tmp_path / "odd.bin").write_bytes(b"nothing")
    for path, about in (
        (tmp_path / "none.onnx", "does not exist"),
        (tmp_path / "torn.pt", "cannot be read as TorchScript"),
        (tmp_path / "odd.bin", "ends in '.bin'; a model is"),
        (tmp_path, "holds no network that cuts out"),
    ):
        with pytest.raises(ModelError, match=about):
            load_finder(path)


def test_models_are_told_apart_without_loading_them(tmp_path: Path) -> None:
    path = _script(tmp_path / "red.pt")
    assert describe_finder(path) == describe_finder(path) != describe_finder()
