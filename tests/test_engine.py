from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.app.cli import main
from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.result import Asked, Result, variation_seed
from edgegan_widget.networks import runners
from edgegan_widget.networks.architectures.paper import PaperEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.find import Source
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.runners import batches, register, runner_for
from edgegan_widget.networks.runners._tensors import torch_runner
from edgegan_widget.networks.runners.torch_cpu import cpu_candidates
from edgegan_widget.networks.store import build_networks
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke


@pytest.fixture(scope="module")
def model() -> EdgeGAN:
    return EdgeGAN.from_pretrained("default", device="cpu")


@pytest.fixture(scope="module")
def sketch() -> np.ndarray:
    outline = [(0.1, 0.6), (0.1, 0.4), (0.3, 0.35), (0.5, 0.5), (0.9, 0.55), (0.9, 0.65), (0.1, 0.65)]
    return rasterize(Drawing().add(Stroke.make(outline, 0.02)), fit=True)


def test_what_comes_out(model: EdgeGAN, sketch: np.ndarray) -> None:
    result = model.generate(sketch, "sneaker", seed=3, variations=3)
    assert result.images.shape == (3, 128, 128, 3)
    assert result.edges.shape == (3, 64, 64)
    assert result.latents.shape == (3, 8 * 8 * 64 + 16 * 16 * 16 + 16)
    assert (result.images.dtype, result.edges.dtype, result.latents.dtype) == (np.uint8, np.uint8, np.float32)
    assert np.array_equal(result.image, result.images[0])
    assert np.array_equal(result.edge, result.edges[0])
    assert result.to_pil().size == (128, 128)
    assert result.milliseconds > 0


def test_the_same_seed_gives_the_same_picture_whatever_else_is_asked_for(model: EdgeGAN, sketch: np.ndarray) -> None:
    alone, among = model.generate(sketch, "heel", seed=5), model.generate(sketch, "heel", seed=5, variations=4)
    assert np.array_equal(alone.image, among.image)
    again = EdgeGAN.from_pretrained("default", device="cpu").generate(sketch, "heel", seed=5)
    assert np.abs(alone.image.astype(int) - again.image).max() <= 1  # another way to run may round otherwise
    assert not np.array_equal(alone.image, model.generate(sketch, "heel", seed=6).image)


@pytest.mark.parametrize("seed", [None, 5])
def test_each_variation_has_a_seed_of_its_own(model: EdgeGAN, sketch: np.ndarray, seed: int | None) -> None:
    together = model.generate(sketch, "heel", seed=seed, variations=3).images
    alone = [model.generate(sketch, "heel", seed=variation_seed(seed, number)).image for number in range(3)]
    assert np.array_equal(together, alone)


def test_without_a_seed_the_usual_style_is_drawn(model: EdgeGAN, sketch: np.ndarray) -> None:
    first, second = model.generate(sketch, "heel"), model.generate(sketch, "heel")
    assert np.array_equal(first.images, second.images)
    assert first.latents[0, -16:] == pytest.approx(model.styles("heel")[0].numbers)
    assert not np.array_equal(*model.generate(sketch, "heel", variations=2).images)


def test_without_a_seed_older_models_draw_the_mean(plain_model: Path) -> None:
    result = EdgeGAN.from_pretrained(plain_model, device="cpu").generate(np.full((64, 64), 255, np.uint8), "ball")
    assert np.abs(result.latents[0, 84:]).max() == 0


def test_class_by_name_or_number(model: EdgeGAN, sketch: np.ndarray) -> None:
    by_name = model.generate(sketch, "horse")
    assert np.array_equal(by_name.image, model.generate(sketch, model.classes.index("horse")).image)
    assert not np.array_equal(by_name.image, model.generate(sketch, "watch").image)


@pytest.mark.parametrize("label", ["cow", 18, -1, 1.5, None])
def test_unknown_classes(model: EdgeGAN, sketch: np.ndarray, label: object) -> None:
    with pytest.raises(ConfigError, match=r"this model knows backpack, .* \(numbers 0 to 17\)"):
        model.generate(sketch, label)


@pytest.mark.parametrize(
    "given", [np.zeros((32, 32), np.uint8), np.zeros((64, 64), np.float32), np.zeros((64, 64, 3), np.uint8), [[1]]]
)
def test_sketches_of_another_kind(model: EdgeGAN, given: object) -> None:
    with pytest.raises(DataError, match=r"must be a uint8 array \[64, 64\] with white paper 255"):
        model.generate(given, 0)


@pytest.mark.parametrize("options", [{"seed": -1}, {"variations": 0}, {"variations": 65}, {"seed": 2**63}])
def test_numbers_out_of_range(model: EdgeGAN, sketch: np.ndarray, options: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"allowed are 1 to 64|give None or a whole number"):
        model.generate(sketch, 0, **options)


def test_a_device_that_is_not_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA GPU here")
    with pytest.raises(ConfigError, match="PyTorch finds no CUDA GPU here; choose 'auto' or 'cpu'"):
        EdgeGAN.from_pretrained("default", device="cuda")


def test_every_way_to_run_draws_the_same(small_model: ModelConfig, sketch: np.ndarray) -> None:
    module = Drawer(build_networks(small_model).eval()).eval().requires_grad_(False)
    inputs = (torch.from_numpy(sketch), torch.tensor([[1.0, 0.0]]), torch.randn(1, 100))
    with torch.inference_mode():
        drawn = {name: draw(*inputs) for name, draw in cpu_candidates(module, inputs)}
    assert set(drawn) == {"eager", "traced", "eager, channels last", "traced, channels last"}
    for image, edge, latent in drawn.values():
        assert (image.int() - drawn["eager"][0].int()).abs().max() <= 1
        assert (edge.int() - drawn["eager"][1].int()).abs().max() <= 1
        assert torch.allclose(latent, drawn["eager"][2], atol=1e-4)


def test_the_networks_given_are_left_as_they_were() -> None:
    networks = PaperEdgeGAN(ModelConfig(("a", "b"), width=8))
    EdgeGAN(networks, device="cpu")
    assert all(parameter.requires_grad for parameter in networks.parameters())
    assert networks.training


def test_threads_are_left_as_they_were(model: EdgeGAN, sketch: np.ndarray) -> None:
    before = torch.get_num_threads()
    model.generate(sketch, 0)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("count", [1, 3])
def test_the_papers_network_runs_with_any_number_of_classes(sketch: np.ndarray, count: int) -> None:
    classes = tuple(f"class_{number}" for number in range(count))
    model = EdgeGAN(PaperEdgeGAN(ModelConfig(classes, width=8)), device="cpu")
    result = model.generate(sketch, classes[-1], seed=1, variations=2)
    assert result.images.shape == (2, 64, 64, 3)
    assert result.edges.shape == (2, 64, 64)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_the_captured_graph_draws_what_the_cpu_draws(sketch: np.ndarray) -> None:
    slow, fast = (EdgeGAN.from_pretrained("default", device=device) for device in ("cpu", "cuda"))
    for seed in (None, 1, 2):
        difference = slow.generate(sketch, 5, seed=seed).image.astype(int) - fast.generate(sketch, 5, seed=seed).image
        assert np.abs(difference).mean() < 1.0
    assert fast.mode == "captured CUDA graph"


@pytest.mark.parametrize("architecture", ["modulated", "compact", "paper"])
def test_many_at_once_are_drawn_as_each_alone(model: EdgeGAN, sketch: np.ndarray, architecture: str) -> None:
    """The paper's batch norm spans the batch; here each row is as if alone."""
    if architecture == "paper":
        model = EdgeGAN(PaperEdgeGAN(ModelConfig(("a", "b", "c"), width=8)), device="cpu")
    if architecture == "compact":
        older = ModelConfig(("a", "b", "c"), "compact", style_size=16, width=4, edge_channels=1)
        model = EdgeGAN(build_networks(older), device="cpu")
    sketches = np.stack([sketch, sketch[:, ::-1], np.roll(sketch, 9, axis=0)])
    many = model.generate_many(sketches, [0, 2, 1], seed=4, variations=12)  # more than are drawn together
    alone = [model.generate(one, label, seed=4, variations=12) for one, label in zip(sketches, (0, 2, 1))]
    for name in ("images", "edges"):
        expected = np.concatenate([getattr(one, name) for one in alone]).astype(int)
        assert np.abs(getattr(many, name) - expected).max() <= 1, "the last digit may be rounded otherwise"
    assert np.concatenate([one.latents for one in alone]) == pytest.approx(many.latents, abs=1e-4)
    few = model.generate_many(sketches[1:2], [2], seed=4, variations=12)
    assert np.array_equal(few.images, many.images[12:24]), "whatever else is drawn"


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_with_its_own_class_and_seed_is_as_alone(model: EdgeGAN, sketch: np.ndarray, count: int) -> None:
    styles: list[int | str | None] = [None, 3, "#2060c0", None, 5, None, "#ff0000"]
    asked = [
        Asked(np.roll(sketch, number, axis=1), number % 3, None if number == 3 else number, styles[number])
        for number in range(count)
    ]
    for one, together in zip(asked, model.generate_each(asked)):
        alone = model.generate(one.sketch, one.label, seed=one.seed, style=one.style)
        assert together.images.shape == alone.images.shape
        assert np.abs(together.images.astype(int) - alone.images).max() <= 1, "the last digit may be rounded otherwise"
        assert np.abs(together.edges.astype(int) - alone.edges).max() <= 1
        assert together.latents == pytest.approx(alone.latents, abs=1e-4)


def test_one_that_cannot_be_drawn_is_told(model: EdgeGAN, sketch: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="the style is 99"):
        model.generate_each([Asked(sketch, 0), Asked(sketch, 0, style=99)])


def test_batches_are_of_the_sizes_that_are_drawn() -> None:
    class Way:
        def __init__(self, sizes: tuple[int, ...], fills: bool) -> None:
            self.sizes, self.fills = sizes, fills

    assert batches(Way((1, 2, 4), False), 7) == [(4, 4), (2, 2), (1, 1)]
    assert batches(Way((1, 2, 4, 8), True), 13) == [(8, 8), (5, 8)]
    assert batches(Way((1, 2, 4, 8), True), 0) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_captured_graphs_of_each_size_draw_what_one_draws(sketch: np.ndarray) -> None:
    model = EdgeGAN.from_pretrained("default", device="cuda")
    asked = [Asked(np.roll(sketch, number, axis=1), number % 18, number) for number in range(70)]
    for one, together in zip(asked, model.generate_each(asked)):
        alone = model.generate(one.sketch, one.label, seed=one.seed)
        assert np.abs(together.image.astype(int) - alone.image).mean() < 1.0


def test_what_cannot_be_drawn_at_once(model: EdgeGAN, sketch: np.ndarray) -> None:
    with pytest.raises(DataError, match="2 sketches and 1 labels"):
        model.generate_many(np.stack([sketch, sketch]), [0])
    with pytest.raises(DataError, match="give as many, one at least"):
        model.generate_many(np.empty((0, 64, 64), np.uint8), [])
    with pytest.raises(DataError, match="must be a uint8 array"):
        model.generate_many(sketch[None, :32], [0])
    with pytest.raises(ConfigError, match="this model knows backpack"):
        model.generate_many(sketch[None], ["cow"])


def test_a_model_is_loaded_once_for_all_that_draw_with_it(plain_model: Path) -> None:
    pad, tries = EdgeGAN.shared(plain_model, "cpu"), EdgeGAN.shared(str(plain_model), "cpu")
    assert pad is tries
    assert EdgeGAN.from_pretrained(plain_model, "cpu") is not pad
    weights = plain_model / "model.safetensors"
    os.utime(weights, ns=(weights.stat().st_atime_ns, weights.stat().st_mtime_ns + 1_000_000))
    assert EdgeGAN.shared(plain_model, "cpu") is not pad, "weights that changed are read again"


def test_a_runner_is_added_by_declaring_it(
    sketch: np.ndarray, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(module: Drawer, example: object) -> tuple[object, str]:
        return lambda *given: tuple(
            255 - part if part.dtype == torch.uint8 else part for part in module(*given)
        ), "negatives"

    monkeypatch.setattr(runners.REGISTRY, "items", runners.REGISTRY.known())
    usual = EdgeGAN.from_pretrained("default", device="cpu").generate(sketch, 0)
    register(torch_runner("negative", "cpu", "a CPU", make))
    model = EdgeGAN.from_pretrained("default", device="cpu", runner="negative")
    assert model.mode == "negatives"
    assert np.abs(255 - model.generate(sketch, 0).image.astype(int) - usual.image).max() <= 1
    assert EdgeGAN.shared("default", "cpu", "negative") is not EdgeGAN.shared("default", "cpu")
    with pytest.raises(SystemExit):
        main(["generate", "--help"])
    assert "negative" in capsys.readouterr().out


def test_a_runner_that_does_not_run_here() -> None:
    expected = r"'cuda_graph' does not run on cpu; choose one of auto, cuda_graph, .*needs an NVIDIA GPU"
    with pytest.raises(ConfigError, match=expected):
        runner_for(Source(ModelConfig(("a", "b"))), "cpu", "cuda_graph")


# Closer to the lines, and from one look to another ------------------------------------------------------------------


def test_closeness_moves_the_networks_own_lines_to_the_drawn_ones(model: EdgeGAN, sketch: np.ndarray) -> None:
    def away(result: Result) -> float:
        return float(np.abs(result.edge.astype(int) - sketch).mean())

    free = model.generate(sketch, "heel", seed=3, variations=2)
    half, strict = (model.generate(sketch, "heel", seed=3, variations=2, closeness=share) for share in (0.5, 1.0))
    assert away(strict) < away(half) < away(free)
    assert away(strict) < 0.6 * away(free)
    assert np.array_equal(strict.latents[:, -16:], free.latents[:, -16:]), "the style stays"
    assert np.array_equal(strict.latents[0, :-16], strict.latents[1, :-16]), "one way for all variations"
    *_, last = model.approach(sketch, "heel", free, 1.0)
    assert np.array_equal(last.images, strict.images), "the last step is what generate gives"
    assert np.array_equal(model.generate(sketch, "heel", seed=3, variations=2, closeness=0).images, free.images)
    with pytest.raises(ConfigError, match="closeness is 2; give a number from 0"):
        model.generate(sketch, "heel", closeness=2)


@pytest.mark.parametrize("architecture", ["paper", "compact"])
def test_closeness_with_other_networks(architecture: str, sketch: np.ndarray) -> None:
    wide = {"paper": {}, "compact": {"latent_size": 32, "style_size": 8, "width": 8}}[architecture]
    torch.manual_seed(0)
    drawer = EdgeGAN(build_networks(ModelConfig(("heel", "sock"), architecture, **wide)), "cpu")
    result = drawer.generate(sketch, 0, variations=2)
    (first, *_) = drawer.approach(sketch, 0, result, 0.25)
    assert first.images.shape == result.images.shape
    assert not np.array_equal(first.latents, result.latents)


def test_an_interpolation_goes_from_one_picture_to_the_other(model: EdgeGAN, sketch: np.ndarray) -> None:
    start, end = Asked(sketch, "heel", 3), Asked(sketch[:, ::-1].copy(), "sock", style="#2040c0")
    way = model.interpolate(start, end, frames=5)
    assert way.images.shape == (5, 128, 128, 3)
    for place, one in ((0, start), (-1, end)):
        alone = model.generate(one.sketch, one.label, seed=one.seed, style=one.style)
        assert np.abs(way.images[place].astype(int) - alone.image).max() <= 1  # another way to run may round otherwise
    steps = np.linalg.norm(np.diff(way.latents, axis=0), axis=1)
    assert steps == pytest.approx(steps.mean(), rel=1e-3), "even steps"
    with pytest.raises(ConfigError, match="frames is 1; allowed are 2 to 240"):
        model.interpolate(start, end, frames=1)
