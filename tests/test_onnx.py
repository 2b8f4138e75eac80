"""Drawing without torch: the same pictures as with it, from files that lie beside a model's weights."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.result import Asked, Result
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.find import packaged
from edgegan_widget.networks.guesser import Guesser, save_guesser
from edgegan_widget.networks.onnx.export import export_onnx
from edgegan_widget.networks.onnx.session import GUESS, MODEL
from edgegan_widget.networks.store import build_networks, save_model
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.modulated import modulated_config, modulated_networks


@pytest.fixture(scope="module")
def sketch() -> np.ndarray:
    outline = [(0.1, 0.6), (0.1, 0.4), (0.3, 0.35), (0.5, 0.5), (0.9, 0.55), (0.9, 0.65), (0.1, 0.65)]
    return rasterize(Drawing().add(Stroke.make(outline, 0.02)), fit=True)


def both(folder: Path | str) -> tuple[EdgeGAN, EdgeGAN]:
    """A model on onnxruntime and on torch."""
    return EdgeGAN.from_pretrained(folder, "cpu", "onnx"), EdgeGAN.from_pretrained(folder, "cpu", "torch_cpu")


def assert_same(ours: Result, theirs: Result) -> None:
    """Every pixel within 1 of 255, and the last digit of few of them."""
    for name in ("images", "edges", "alpha"):
        one, other = getattr(ours, name), getattr(theirs, name)
        assert (one is None) == (other is None), name
        if one is not None:
            away = np.abs(one.astype(int) - other)
            assert (one.shape, away.max()) == (other.shape, away.max())
            assert away.max() <= 1, name
            assert (away > 0).mean() < 0.01, name
    assert ours.latents == pytest.approx(theirs.latents, abs=1e-4)


def test_the_shipped_model_draws_the_same(sketch: np.ndarray) -> None:
    ours, theirs = both("default")
    assert ours.mode.startswith("onnxruntime")
    assert ours.advice == ""
    looks = ({}, {"seed": 7, "variations": 2}, {"style": 4}, {"style": "#2060c0", "seed": 2})
    for label, given in zip(("sneaker", "horse", "watch", "heel"), looks):
        assert_same(ours.generate(sketch, label, **given), theirs.generate(sketch, label, **given))
    sketches = np.stack([sketch, sketch[:, ::-1], np.roll(sketch, 9, axis=0)])
    asked = (sketches, ["heel", "sock", 3])
    assert_same(*(one.generate_many(*asked, seed=1, variations=2) for one in (ours, theirs)))
    ends = Asked(sketch, "heel", 3), Asked(sketch[:, ::-1].copy(), "sock", style="#2040c0")
    assert_same(*(one.interpolate(*ends, frames=3) for one in (ours, theirs)))
    closer = [one.generate(sketch, "heel", seed=3, closeness=0.25) for one in (ours, theirs)]
    assert np.abs(closer[0].images.astype(int) - closer[1].images).max() <= 2, "an optimizer carries last digits on"
    assert ours.guess(sketch) == [(name, pytest.approx(share, abs=1e-5)) for name, share in theirs.guess(sketch)]


def shipped() -> list[Path]:
    return [file.parent for root in packaged("models") for file in root.glob(f"*/{MODEL}")]


def test_what_is_shipped_is_drawn_without_torch() -> None:
    assert "default" in [folder.name for folder in shipped()]
    assert all((folder / GUESS).is_file() for folder in shipped() if (folder / "guess.safetensors").is_file())


NETWORKS = {
    "spatial": modulated_config(),
    "vector": modulated_config(latent="vector", size_px=64),
    "one class": modulated_config(("ball",)),
    "compact": ModelConfig(("a", "b", "c"), "compact", style_size=16, width=4, edge_channels=1),
    "paper": ModelConfig(("a", "b", "c"), width=8),
    "paper of one class": ModelConfig(("a",), width=8),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_recipes_networks_draw_the_same(name: str, sketch: np.ndarray, tmp_path: Path) -> None:
    config = NETWORKS[name]
    networks = build_networks(config)
    if config.architecture == "modulated":
        networks = modulated_networks(config.classes, latent=config.latent, size_px=config.size_px)
    save_model(tmp_path / "model", networks, half="class" not in name)
    (file,) = export_onnx(tmp_path / "model")
    weights = (tmp_path / "model" / "model.safetensors").stat().st_size
    assert file.stat().st_size < weights + 250_000, "no more digits than the weights have"
    ours, theirs = both(tmp_path / "model")
    last = len(config.classes) - 1
    for seed in (None, 1):
        assert_same(ours.generate(sketch, last, seed=seed), theirs.generate(sketch, last, seed=seed))
    many = ours.generate_many(np.stack([sketch, sketch[::-1]]), [0, last], seed=1)
    assert_same(many, theirs.generate_many(np.stack([sketch, sketch[::-1]]), [0, last], seed=1))
    alone = ours.generate(np.ascontiguousarray(sketch[::-1]), last, seed=1)
    assert np.abs(alone.images.astype(int) - many.images[1:]).max() <= 1, "each as if alone"


def test_export_writes_them_and_a_run_is_told_of_it(
    plain_model: Path,
    tmp_path: Path,
    sketch: np.ndarray,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        usual = EdgeGAN.from_pretrained(plain_model, "cpu")
    assert "thread" in usual.mode
    assert f"edgegan-widget export {plain_model} --out {plain_model} makes a model that draws quicker" in caplog.text
    assert main(["export", str(plain_model), "--out", str(tmp_path / "out")]) == 0
    assert f"{MODEL}: " in capsys.readouterr().out
    before = (plain_model / "model.safetensors").read_bytes()
    assert main(["export", str(plain_model), "--out", str(plain_model)]) == 0
    assert (plain_model / "model.safetensors").read_bytes() == before, "beside the weights, which stay"
    for folder in (plain_model, tmp_path / "out"):
        quicker = EdgeGAN.from_pretrained(folder, "cpu")
        assert quicker.mode.startswith("onnxruntime")
        assert_same(quicker.generate(sketch, 0, seed=2), usual.generate(sketch, 0, seed=2))


def test_files_of_other_weights_are_refused(plain_model: Path, small_model: ModelConfig) -> None:
    export_onnx(plain_model)
    kept = (plain_model / MODEL).read_bytes()
    torch.manual_seed(1)
    save_model(plain_model, build_networks(small_model))
    assert not (plain_model / MODEL).exists(), "a model that is saved anew takes the file of the old one away"
    (plain_model / MODEL).write_bytes(kept)
    with pytest.raises(ModelError, match=r"was made of other weights than those beside it; make it anew: .* export"):
        EdgeGAN.from_pretrained(plain_model, "cpu")
    (plain_model / MODEL).write_bytes(kept[:1000])
    with pytest.raises(ModelError, match=r"cannot be read; make it anew: edgegan-widget export"):
        EdgeGAN.from_pretrained(plain_model, "cpu")
    assert EdgeGAN.from_pretrained(plain_model, "cpu", "torch_cpu").mode


def test_networks_that_lie_nowhere_have_no_file(small_model: ModelConfig) -> None:
    with pytest.raises(ConfigError, match=r"'onnx' does not run on cpu; .* needs a CPU and a model folder with model"):
        EdgeGAN(build_networks(small_model), "cpu", runner="onnx")


def test_a_classifier_that_is_trained_later_names_the_same(tmp_path: Path, sketch: np.ndarray) -> None:
    save_model(tmp_path / "m", modulated_networks())
    guesser = Guesser(2)
    save_guesser(tmp_path / "m", guesser)
    on_torch = EdgeGAN.from_pretrained(tmp_path / "m", "cpu").guess(sketch)
    assert [file.name for file in export_onnx(tmp_path / "m")] == [MODEL, GUESS]
    on_onnx = EdgeGAN.from_pretrained(tmp_path / "m", "cpu").guess(sketch)
    assert on_onnx == [(name, pytest.approx(share, abs=1e-5)) for name, share in on_torch]
    shutil.copy(tmp_path / "m" / MODEL, tmp_path / "m" / GUESS)
    with pytest.raises(ModelError, match="made of other weights"):
        EdgeGAN.from_pretrained(tmp_path / "m", "cpu")
