from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from edgegan_widget.networks.architectures.critics import ProjectedCritics
from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.networks.store import build_networks
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.transfer import carry_over, nearest_classes
from tests.modulated import modulated_config, modulated_networks

OLD = ("cup", "box", "hat")


def carried(networks: ModulatedEdgeGAN, classes: tuple[str, ...]) -> ModulatedEdgeGAN:
    old = networks.config
    new = dataclasses.replace(old, classes=classes)
    made = build_networks(new)
    like = [old.classes.index(name) if name in old.classes else -1 for name in classes]
    made.load_state_dict(carry_over(networks.state_dict(), made.state_dict(), old, new, like))
    return made.eval()


def assert_same_pictures(first: ModulatedEdgeGAN, second: ModulatedEdgeGAN, label: str) -> None:
    sketches = torch.ones(2, 1, 64, 64)
    sketches[:, :, 20:44, 12:52:6] = -1
    drawn = []
    for networks in (first, second):
        number = networks.config.classes.index(label)
        condition = class_condition(torch.tensor([number, number]), networks.config)
        with torch.no_grad():
            latent = networks.encode(sketches, condition, networks.styles[number, :2])
            drawn.append(networks.decode(latent, condition))
    for ours, theirs in zip(*drawn):
        assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("latent", ["spatial", "vector"])
@pytest.mark.parametrize("classes", [("hat", "box"), ("bag", "hat", "cup", "box", "ear"), ("box",)])
def test_carried_classes_draw_the_same_and_back_again(classes: tuple[str, ...], latent: str) -> None:
    start = modulated_networks(OLD, latent=latent)
    there = carried(start, classes)
    kept = [name for name in classes if name in OLD]
    for name in kept:
        assert_same_pictures(start, there, name)
    back = carried(there, OLD)
    for name in kept:
        assert_same_pictures(start, back, name)


def test_a_new_class_starts_from_the_mean() -> None:
    start = modulated_networks(OLD)
    made = carried(start, ("bag", "cup"))
    ours, theirs = made.generator_image.embed[0].weight, start.generator_image.embed[0].weight
    assert torch.allclose(ours[:, 0], theirs[:, :3].mean(dim=1))
    assert torch.equal(ours[:, 1], theirs[:, 0])
    assert torch.equal(ours[:, 2:], theirs[:, 3:]), "the style's columns stay"
    assert torch.allclose(made.styles[0], start.styles.mean(dim=0))
    assert torch.equal(made.styles[1], start.styles[0])


@pytest.mark.parametrize("classes", [("hat", "bag", "cup"), ("hat",)])
def test_what_judges_is_carried_over_too(classes: tuple[str, ...]) -> None:
    old, new = modulated_config(OLD), modulated_config(classes)
    critics, fresh = ProjectedCritics(old), ProjectedCritics(new)
    made = carry_over(critics.state_dict(), fresh.state_dict(), old, new, [2, -1, 0][: len(classes)])
    fresh.load_state_dict(made)
    for ours, theirs in [(fresh.joint, critics.joint), *zip(fresh.image, critics.image)]:
        rows = [one.class_rows.parametrizations.weight.original for one in (ours, theirs)]
        assert torch.equal(rows[0][0], rows[1][2])
    assert torch.equal(fresh.classifier.weight[0], critics.classifier.weight[2])
    assert torch.equal(fresh.classifier.bias[0], critics.classifier.bias[2])
    labels = torch.zeros(2, dtype=torch.int64)
    assert fresh.joint(torch.rand(2, 5, 64, 64), labels).isfinite().all()


@pytest.mark.parametrize("classes", [("hat", "bag", "cup"), ("hat",)])
def test_a_class_that_is_carried_over_has_its_styles_read_as_before(classes: tuple[str, ...]) -> None:
    start = modulated_networks(OLD)
    made = carried(start, classes)
    pictures = torch.rand(2, 4, 64, 64)
    conditions = torch.eye(3)[[2, 2]], torch.eye(3)[[0, 0]] if len(classes) > 1 else torch.zeros(2, 0)
    theirs, ours = (
        one.eval().style_encoder(pictures, condition)[0] for one, condition in zip((start, made), conditions)
    )
    assert torch.allclose(theirs, ours, atol=1e-5)


def test_one_class_of_the_older_networks_still_drops_its_column() -> None:
    old = ModelConfig(OLD, "compact", style_size=16, width=4, edge_channels=1)
    new = dataclasses.replace(old, classes=("box",))
    weights = [build_networks(config).state_dict() for config in (old, new)]
    made = carry_over(*weights, old, new, [1])
    assert all(made[name].shape == value.shape for name, value in weights[1].items())
    assert torch.equal(made["generator_edge.start.bias"], weights[0]["generator_edge.start.bias"])


def test_the_nearest_class_of_pictures_that_the_model_drew() -> None:
    """Whatever their colours: the pictures are drawn again in these."""
    networks = modulated_networks(OLD)
    sketches = torch.full((4, 64, 64), 255, dtype=torch.uint8)
    for row in range(4):
        sketches[row, 10 + 4 * row : 50, 12:52:6] = 0
    model = EdgeGAN(networks, device="cpu")
    drawn = [model.generate(sketch.numpy(), "hat", style=0) for sketch in sketches]
    images = torch.from_numpy(np.stack([np.concatenate([d.image, d.alpha[0][..., None]], axis=2) for d in drawn]))
    labels = torch.zeros(4, dtype=torch.int64)
    data = PairDataset(images.permute(0, 3, 1, 2).contiguous(), sketches[:, None], labels, ("thing",))
    assert nearest_classes(networks, data) == {"thing": "hat"}
