from __future__ import annotations

import dataclasses

import pytest
import torch

from edgegan_widget.networks.architectures import compact as nets_compact
from edgegan_widget.networks.architectures import paper as nets
from edgegan_widget.networks.config import ModelConfig
from tests.parity.original import golden

MICRO = golden("micro")


def nchw(name: str) -> torch.Tensor:
    return torch.from_numpy(MICRO[name]).permute(0, 3, 1, 2)


@pytest.mark.parametrize("name", ["bicubic", "bicubic_ramp"])
def test_bicubic_as_tensorflow_one(name: str) -> None:
    ours = nets.resize_bicubic_double(nchw(f"{name}_x"))
    theirs = nchw(f"{name}_y")
    assert torch.allclose(ours[..., : theirs.shape[-1]], theirs, atol=1e-5)


def test_instance_norm_as_the_original() -> None:
    given, theirs = nchw("instnorm_x"), nchw("instnorm_y")
    varied = given.std(dim=(2, 3)) > 1e-3  # what is left of a constant is rounding, divided by epsilon
    assert varied.sum() == 2
    assert torch.allclose(nets.instance_norm(given)[varied], theirs[varied], atol=1e-5)


def test_the_mean_inside_the_variance_carries_no_gradient() -> None:
    """Invisible in the first derivative of the norm, not in the second, on which the penalty rests."""
    x = torch.randn(1, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    weight, direction = torch.randn_like(x), torch.randn_like(x)

    def second(norm: object) -> torch.Tensor:
        (first,) = torch.autograd.grad((norm(x) * weight).sum(), x, create_graph=True)
        return torch.autograd.grad((first * direction).sum(), x)[0]

    def textbook(y: torch.Tensor) -> torch.Tensor:
        mean = y.mean(dim=(2, 3), keepdim=True)
        return (y - mean) / ((y - mean).square().mean(dim=(2, 3), keepdim=True).sqrt() + 1e-5)

    assert torch.allclose(nets.instance_norm(x), textbook(x))
    assert not torch.allclose(second(nets.instance_norm), second(textbook), rtol=1e-3)


@pytest.mark.parametrize("count", [1, 2, 14])
@pytest.mark.parametrize("architecture", ["paper", "compact"])
def test_any_number_of_classes(architecture: str, count: int) -> None:
    classes = tuple(f"class_{number}" for number in range(count))
    channels = 3 if architecture == "paper" else 1
    config = ModelConfig(classes, architecture, width=8, edge_channels=channels)
    networks = nets.PaperEdgeGAN(config) if architecture == "paper" else nets_compact.CompactEdgeGAN(config)
    condition = nets.class_condition(torch.tensor([0, count - 1]), config)
    assert condition.shape == (2, count if count > 1 else 0)
    latent = networks.encode(torch.ones(2, channels, 64, 64), condition, torch.zeros(2, networks.noise_size))
    edge, image = networks.decode(latent, condition)
    assert latent.shape == (2, 100)
    assert edge.shape == (2, channels, 64, 64)
    assert image.shape == (2, 3, 64, 64)
    assert image.abs().max() <= 1


def test_one_class_has_no_classifier() -> None:
    assert nets.PaperCritics(ModelConfig(("only",), width=8)).classifier is None


@pytest.mark.parametrize("size", [64, 128, 256])
def test_compact_networks_of_every_size(size: int) -> None:
    config = ModelConfig(("a", "b"), "compact", size_px=size, style_size=16, width=4, edge_channels=1)
    networks = nets_compact.CompactEdgeGAN(config)
    condition = nets.class_condition(torch.tensor([0, 1]), config)
    latent = networks.encode(torch.ones(2, 1, size, size), condition, torch.zeros(2, 100))
    edge, image = networks.decode(latent, condition)
    assert edge.shape == (2, 1, size, size)
    narrow = dataclasses.replace(config, size_px=64)
    pair = torch.nn.functional.adaptive_avg_pool2d(torch.cat([edge, image], dim=1), 64)
    logits, features = nets_compact.Discriminator(narrow, 4)(pair, torch.tensor([0, 1]))
    assert logits.shape == (2,)
    assert features[-1].shape[2:] == (4, 4)


def test_style_is_not_read_from_the_sketch(small_model: ModelConfig) -> None:
    networks = nets_compact.CompactEdgeGAN(small_model).eval()
    condition = nets.class_condition(torch.tensor([0]), small_model)
    noise = torch.randn(1, 100)
    latent = networks.encode(torch.rand(1, 1, 64, 64), condition, noise)
    assert torch.equal(latent[:, 84:], noise[:, 84:])
    edges = [networks.decode(other, condition)[0] for other in (latent, torch.cat([latent[:, :84], -noise[:, 84:]], 1))]
    assert torch.equal(*edges)


def test_norms_taken_into_convolutions_draw_the_same(small_model: ModelConfig) -> None:
    networks = nets_compact.CompactEdgeGAN(small_model)
    condition = nets.class_condition(torch.tensor([0, 1, 1]), small_model)
    sketch, noise = torch.rand(3, 1, 64, 64), torch.randn(3, 100)
    for _ in range(3):  # gives the norms statistics to take in
        networks.decode(networks.encode(sketch, condition, noise), condition)
    networks.eval()
    fused = nets_compact.fuse_norms(networks)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in networks.encoder.norms)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fused.encoder.norms)
    for ours, theirs in zip(
        fused.decode(fused.encode(sketch, condition, noise), condition),
        networks.decode(networks.encode(sketch, condition, noise), condition),
    ):
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_initial_weights_are_as_wide_as_the_originals() -> None:
    config = ModelConfig(("a", "b"))
    networks, critics = nets.PaperEdgeGAN(config), nets.PaperCritics(config)
    truncated = [networks.encoder.blocks[2].first.weight, critics.joint.convs[3].weight]
    normal = [networks.generator_edge.deconvs[0].weight, networks.generator_image.start.weight]
    for weight in truncated:
        assert weight.abs().max() <= 0.04
        assert weight.std().item() == pytest.approx(0.02 * 0.88, rel=0.02)  # two deviations cut off leave 0.88 of one
    for weight in normal:
        assert weight.abs().max() > 0.06
        assert weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert critics.classifier.units[0].gate.bias.unique().tolist() == [0.5]
    assert networks.encoder.from_sketch.bias.abs().max() == 0


def test_parameters_are_as_many_as_the_originals() -> None:
    config = ModelConfig(tuple("abcde"))
    networks, critics = nets.PaperEdgeGAN(config), nets.PaperCritics(config)
    count = sum(value.numel() for part in (networks, critics) for value in part.state_dict().values())
    unused = 768 + 1 + 1 + 4 * 512  # a head without loss and its u, and the generators' moving averages
    assert count + unused == 45_760_355
