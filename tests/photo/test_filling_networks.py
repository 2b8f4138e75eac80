"""Holes filled by networks that somebody brings along."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from edgegan_widget.base.errors import ConfigError, DependencyError, ModelError, StoppedError
from edgegan_widget.photo import erase


class Filler(torch.nn.Module):
    """Grey in the hole; it insists on what LaMa insists on."""

    def forward(self, photo: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        assert photo.shape[2] % 8 == 0
        assert photo.shape[3] % 8 == 0
        assert photo.shape[2] <= 1024
        assert photo.shape[3] <= 1024
        assert mask.shape[1] == 1
        assert float(photo.max()) <= 1
        return photo * (1 - mask) + 0.5 * mask


class Wrong(torch.nn.Module):
    """Gives no picture."""

    def forward(self, photo: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return photo.mean() + mask.mean()


def saved(module: torch.nn.Module, path: Path) -> str:
    torch.jit.script(module).save(str(path))
    return f"lama={path}"


@pytest.mark.parametrize("shape", [(3, 3), (1, 2000), (90, 130), (700, 1500)])
def test_lama_fills_at_any_size(tmp_path: Path, shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    hole = np.zeros(shape, bool)
    hole[shape[0] // 2 : shape[0] // 2 + 300, 1 : shape[1] - 1] = True
    filled = erase(photo, hole, saved(Filler(), tmp_path / "lama.pt"), grow_px=0)
    assert (filled[~hole] == photo[~hole]).all()
    middle = filled[hole]
    assert np.abs(np.median(middle.astype(int), axis=0) - 128).max() <= 1
    if max(shape) < 1000:  # where it is not reduced
        assert (middle == 128).all()


def test_files_that_are_no_lama(tmp_path: Path) -> None:
    photo, hole = np.zeros((40, 40, 3), np.uint8), np.eye(40, dtype=bool)
    (tmp_path / "text.pt").write_bytes(b"no network")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "weights.pt")
    saved(Wrong(), tmp_path / "wrong.pt")
    for name in ("text.pt", "weights.pt", "wrong.pt", "missing.pt"):
        with pytest.raises(ModelError, match=name) as raised:
            erase(photo, hole, f"lama={tmp_path / name}")
        assert "\n" not in str(raised.value)
    with pytest.raises(ConfigError, match="lama=FILE"):
        erase(photo, hole, "lama")


def test_diffusers_is_asked_for_in_a_sentence(tmp_path: Path) -> None:
    photo, hole = np.zeros((40, 40, 3), np.uint8), np.eye(40, dtype=bool)
    with pytest.raises(ModelError, match=r"model_index\.json"):
        erase(photo, hole, f"diffusers={tmp_path}")
    if importlib.util.find_spec("diffusers") is None:
        (tmp_path / "model_index.json").write_text("{}")
        with pytest.raises(DependencyError, match="pip install diffusers"):
            erase(photo, hole, f"diffusers={tmp_path}")


class Pipeline:
    """Stands in for the library, which is not installed where this is tested: grey in the hole."""

    @classmethod
    def from_pretrained(cls, folder: str, local_files_only: bool) -> Pipeline:
        assert Path(folder).is_dir()
        assert local_files_only
        return cls()

    def set_progress_bar_config(self, disable: bool) -> None:
        assert disable

    def to(self, device: torch.device) -> Pipeline:
        assert device.type in ("cpu", "cuda")
        return self

    def __call__(self, image: Any, mask_image: Any, height: int, width: int, **options: Any) -> types.SimpleNamespace:
        assert image.size == mask_image.size == (width, height)
        assert height % 8 == width % 8 == 0
        for step in range(options["num_inference_steps"]):
            options["callback_on_step_end"](self, step, 0, {})
        return types.SimpleNamespace(images=[Image.composite(Image.new("RGB", image.size, "grey"), image, mask_image)])


def test_a_pipeline_of_diffusers_fills_and_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in: Any = types.ModuleType("diffusers")
    stand_in.AutoPipelineForInpainting = Pipeline
    monkeypatch.setitem(sys.modules, "diffusers", stand_in)
    (tmp_path / "model_index.json").write_text("{}")
    photo, hole = np.zeros((90, 130, 3), np.uint8), np.zeros((90, 130), bool)
    hole[30:60, 40:90] = True
    told: list[float] = []
    filled = erase(photo, hole, f"diffusers={tmp_path}", grow_px=0, on_progress=told.append)
    assert (filled[hole] == 128).all()
    assert not filled[~hole].any()
    assert told == sorted(told)
    assert len(told) > 10
    with pytest.raises(StoppedError):
        erase(photo, hole, f"diffusers={tmp_path}", on_progress=lambda done: done < 0.5)
