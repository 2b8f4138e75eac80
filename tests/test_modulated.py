from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.base.errors import ConfigError, DataError
from edgegan_widget.base.result import Result
from edgegan_widget.networks import styles
from edgegan_widget.networks.architectures.modulated import STYLES
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.devices import channels_last
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.fused import Drawer, fused
from edgegan_widget.networks.runners.torch_cpu import cpu_candidates
from edgegan_widget.networks.store import build_networks, load_model, save_model
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, Stroke
from tests.modulated import modulated_config, modulated_networks


@pytest.fixture(scope="module")
def model() -> EdgeGAN:
    return EdgeGAN(modulated_networks(), device="cpu")


@pytest.fixture(scope="module")
def sketch() -> np.ndarray:
    outline = [(0.1, 0.6), (0.1, 0.4), (0.3, 0.35), (0.5, 0.5), (0.9, 0.55), (0.9, 0.65), (0.1, 0.65)]
    return rasterize(Drawing().add(Stroke.make(outline, 0.02)), fit=True)


def test_a_small_sketch_becomes_a_large_picture(model: EdgeGAN, sketch: np.ndarray) -> None:
    assert (model.sketch_px, model.size_px, model.alpha) == (64, 128, True)
    result = model.generate(sketch, "ball", seed=3, variations=3)
    assert (result.images.shape, result.edges.shape) == ((3, 128, 128, 3), (3, 64, 64))
    assert result.alpha is not None
    assert (result.alpha.shape, result.alpha.dtype) == ((3, 128, 128), np.uint8)
    assert result.latents.shape == (3, modulated_config().latent_size)
    assert result.to_pil().size == (128, 128)
    with pytest.raises(DataError, match=r"must be a uint8 array \[64, 64\]"):
        model.generate(np.full((128, 128), 255, np.uint8), "ball")


def over_white(rgba: np.ndarray) -> np.ndarray:
    share = rgba[..., 3:] / 255
    return (rgba[..., :3] * share + 255 * (1 - share)).round()


def test_off_its_paper_a_picture_is_the_same_over_white_again(model: EdgeGAN, sketch: np.ndarray) -> None:
    result = model.generate(sketch, "box", seed=1, variations=2)
    assert result.rgba.shape == (2, 128, 128, 4)
    assert np.array_equal(result.rgba[..., 3], result.alpha)
    assert np.abs(over_white(result.rgba) - result.images).max() <= 1
    assert result.to_pil(transparent=True).mode == "RGBA"
    assert result.to_pil().mode == "RGB"


def test_any_colour_under_any_alpha_comes_back() -> None:
    """Every alpha, and every value that a colour over white can have under it."""
    shares, colours = np.meshgrid(np.arange(256), np.linspace(0, 255, 200))
    over = (colours * shares / 255 + 255 - shares).round().astype(np.uint8)
    images = np.repeat(over[None, ..., None], 3, axis=3)
    result = Result(images, over[None], np.zeros((1, 1), np.float32), 0.0, shares[None].astype(np.uint8))
    assert np.abs(over_white(result.rgba) - images).max() <= 1


def test_a_model_without_alpha_says_so_in_one_sentence(sketch: np.ndarray, plain_model: Path) -> None:
    plain = EdgeGAN.from_pretrained(plain_model, device="cpu")
    assert not plain.alpha
    result = plain.generate(sketch, 0)
    assert result.alpha is None
    for transparent in (lambda: result.rgba, lambda: result.to_pil(transparent=True)):
        with pytest.raises(ConfigError, match="this model draws on white paper only"):
            transparent()


# Styles --------------------------------------------------------------------------------------------------------------


def drawn_style(result: Result) -> np.ndarray:
    return result.latents[:, -16:]


def test_the_bank_is_told(model: EdgeGAN) -> None:
    found = model.styles("box")
    assert len(found) == STYLES
    assert [one.index for one in found] == list(range(STYLES))
    assert all(len(one.numbers) == 16 and one.colour[0] == "#" and len(one.colour) == 7 for one in found)
    assert found[4].contrast == pytest.approx(found[4].numbers[3])
    assert model.styles(1) == found


def test_without_a_seed_the_most_usual_style_is_drawn(model: EdgeGAN, sketch: np.ndarray) -> None:
    result = model.generate(sketch, "box")
    assert drawn_style(result)[0] == pytest.approx(model.styles("box")[0].numbers)
    assert np.array_equal(result.images, model.generate(sketch, "box", style=0).images)


def test_seeds_and_variations_are_other_styles_of_the_bank(model: EdgeGAN, sketch: np.ndarray) -> None:
    bank = np.array([one.numbers for one in model.styles("ball")], np.float32)
    every = drawn_style(model.generate(sketch, "ball", variations=8))
    entries = [int(np.abs(bank - one).sum(axis=1).argmin()) for one in every]
    assert np.abs(bank[entries] - every).max() < 1e-5
    assert entries[0] == 0
    assert len(set(entries)) == 8, "no style twice"
    seeded = model.generate(sketch, "ball", seed=5, variations=2)
    assert np.array_equal(seeded.image, model.generate(sketch, "ball", seed=5).image)
    assert not np.array_equal(drawn_style(seeded)[0], bank[0])
    assert not np.array_equal(seeded.image, model.generate(sketch, "ball", seed=6).image)


def test_every_variation_is_another_style_however_many() -> None:
    bank = np.random.default_rng(1).normal(size=(STYLES, 16)).astype(np.float32)
    made = {styles.style_of(bank, None, seed).tobytes() for seed in range(7, 71)}
    assert len(made) == 64


def test_a_style_by_number_keeps_its_colour(model: EdgeGAN, sketch: np.ndarray) -> None:
    wanted = np.array(model.styles("ball")[9].numbers, np.float32)
    made = drawn_style(model.generate(sketch, "ball", style=9, variations=3))
    assert made[0] == pytest.approx(wanted)
    assert np.abs(made[:, :4] - wanted[:4]).max() < 1e-6
    assert not np.allclose(made[1, 4:], wanted[4:])
    assert not np.allclose(made[1, 4:], made[2, 4:])
    assert drawn_style(model.generate(sketch, "ball", style=9, seed=2))[0, :4] == pytest.approx(wanted[:4])


def test_a_colour_takes_the_nearest_style(model: EdgeGAN, sketch: np.ndarray) -> None:
    for one in (model.styles("ball")[3], model.styles("ball")[20]):
        made = drawn_style(model.generate(sketch, "ball", style=one.colour))[0]
        assert made[3:] == pytest.approx(one.numbers[3:]), "its own colour is the nearest"
    made = drawn_style(model.generate(sketch, "ball", style="#FF8000", variations=2))
    assert np.abs(made[:, :3] - [1, 1 / 127.5 * 128 - 1, -1]).max() < 1e-6


def test_near_is_what_looks_near() -> None:
    """In RGB the dark blue is nearer to the asked one; to an eye (CIE Lab) the violet is."""
    bank = np.zeros((2, 16), np.float32)
    bank[:, :3] = np.array([(0, 0, 110), (95, 40, 255)]) / 127.5 - 1
    wanted = np.array([(60, 20, 200)]) / 127.5 - 1
    distances = np.square(styles._lab(bank[:, :3]) - styles._lab(wanted.astype(np.float32))).sum(axis=1)
    assert styles.style_of(bank, "#3c14c8", None)[:3] == pytest.approx(wanted[0], abs=1e-6)
    assert distances.argmin() == styles._nearest(bank, wanted[0].astype(np.float32))
    white, grey = styles._lab(np.array([[1.0, 1, 1], [0, 0, 0]], np.float32))
    assert white == pytest.approx([100, 0, 0], abs=0.1)
    assert grey == pytest.approx([53.5, 0, 0], abs=0.2)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (32, "give a number from 0 to 31"), (-1, "give a number from 0 to 31"), (True, "give a number from 0 to 31"),
        (1.5, "give a number"), ("red", "write it as #"), ("#12345", "write it as #"), ("#12345g", "write it as #"),
    ],
)  # fmt: skip
def test_styles_that_are_none(model: EdgeGAN, sketch: np.ndarray, style: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        model.generate(sketch, "ball", style=style)
    with pytest.raises(ConfigError, match=message):
        model.generate_many(sketch[None], ["ball"], style=style)


def test_a_model_without_styles(sketch: np.ndarray, plain_model: Path) -> None:
    plain = EdgeGAN.from_pretrained(plain_model, device="cpu")
    assert plain.styles(0) == ()
    with pytest.raises(ConfigError, match="the style is '#102030', but this model keeps none"):
        plain.generate(sketch, 0, style="#102030")


# Ways to run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", ["spatial", "vector"])
@pytest.mark.parametrize("classes", [("ball", "box"), ("ball",)])
def test_made_ready_for_drawing_the_networks_give_the_same(classes: tuple[str, ...], latent: str) -> None:
    networks = modulated_networks(classes, latent=latent)
    ready = fused(networks)
    condition = class_condition(torch.tensor([0, len(classes) - 1, 0]), networks.config)
    sketches, noises = torch.rand(3, 1, 64, 64) * 2 - 1, networks.styles[0, :3]
    with torch.no_grad():
        expected = networks.encode(sketches, condition, noises)
        assert torch.allclose(ready.encode(sketches, condition, noises), expected, atol=1e-4)
        for ours, theirs in zip(ready.decode(expected, condition), networks.decode(expected, condition)):
            assert torch.allclose(ours, theirs, atol=1e-4)
    assert not [name for name, _ in ready.named_buffers() if "running" in name]
    assert any("running" in name for name, _ in networks.named_buffers()), "the networks given are left as they were"


def test_every_way_to_run_draws_the_same(sketch: np.ndarray) -> None:
    networks = modulated_networks()
    module = Drawer(networks).eval().requires_grad_(False)
    inputs = (torch.from_numpy(sketch), torch.tensor([[1.0, 0.0]]), networks.styles[0, :1])
    with torch.inference_mode():
        drawn = {name: draw(*inputs) for name, draw in cpu_candidates(module, inputs)}
    assert len(drawn) == 4
    for parts in drawn.values():
        for part, expected in zip(parts[:2], drawn["eager"][:2]):
            assert (part.int() - expected.int()).abs().max() <= 1


def test_in_half_precision_as_a_captured_graph_runs_it(sketch: np.ndarray) -> None:
    networks = modulated_networks()
    module = Drawer(networks).eval().requires_grad_(False)
    inputs = torch.from_numpy(sketch), torch.tensor([[1.0, 0.0]]), networks.styles[0, :1]
    with torch.inference_mode():
        expected = module(*inputs)
        halved = channels_last(module.half())(inputs[0], inputs[1].half(), inputs[2].half())
    for ours, theirs in zip(halved[:2], expected[:2]):
        assert ours.dtype == torch.uint8
        assert (ours.int() - theirs.int()).abs().float().mean() < 1
    assert halved[2].dtype == torch.float32


def test_many_at_once_are_drawn_as_each_alone(model: EdgeGAN, sketch: np.ndarray) -> None:
    sketches = np.stack([sketch, sketch[:, ::-1], np.roll(sketch, 9, axis=0)])
    many = model.generate_many(sketches, ["ball", "box", "ball"], seed=4, variations=12, style="#803010")
    alone = [
        model.generate(one, label, seed=4, variations=12, style="#803010")
        for one, label in zip(sketches, ("ball", "box", "ball"))
    ]
    for name in ("images", "edges", "alpha"):
        expected = np.concatenate([getattr(one, name) for one in alone]).astype(int)
        assert np.abs(getattr(many, name) - expected).max() <= 1
    assert np.concatenate([one.latents for one in alone]) == pytest.approx(many.latents, abs=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_the_captured_graph_draws_what_the_cpu_draws(model: EdgeGAN, sketch: np.ndarray) -> None:
    fast = EdgeGAN(modulated_networks(), device="cuda")
    for style in (None, 3, "#2060c0"):
        slow, quick = (one.generate(sketch, "box", style=style) for one in (model, fast))
        assert np.abs(slow.image.astype(int) - quick.image).mean() < 1.0
        assert np.abs(slow.alpha.astype(int) - quick.alpha).mean() < 1.0


def test_a_model_of_one_class_is_made_saved_and_drawn_with(tmp_path: object, sketch: np.ndarray) -> None:
    config = modulated_config(("ball",))
    save_model(tmp_path / "one", build_networks(config))
    networks = load_model(tmp_path / "one")
    assert networks.config == config
    model = EdgeGAN(networks, device="cpu")
    assert model.generate(sketch, "ball", seed=1).image.shape == (128, 128, 3)
    assert model.generate_many(sketch[None], [0]).image.shape == (128, 128, 3)


def test_sixty_four_pixels_too(sketch: np.ndarray) -> None:
    config: ModelConfig = dataclasses.replace(modulated_config(), size_px=64)
    assert EdgeGAN(build_networks(config), device="cpu").generate(sketch, 0).image.shape == (64, 64, 3)
