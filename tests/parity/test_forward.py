"""Forward passes, losses and inference in float32: within 1e-4 of each array's largest value."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from edgegan_widget.networks.architectures.paper import class_condition, resize_bicubic_double
from edgegan_widget.networks.losses import critic_gap, gradient_penalty
from edgegan_widget.networks.tensorflow.convert import links
from edgegan_widget.training.recipes.paper.step import Recipe
from tests.parity.original import GOLDEN, Inputs, build, golden, inputs

TOLERANCE = 1e-4


def assert_close(ours: torch.Tensor | float, theirs: np.ndarray) -> None:
    ours = np.asarray(ours.detach() if isinstance(ours, torch.Tensor) else ours)
    scale = np.abs(theirs).max()
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= TOLERANCE * scale, (np.abs(ours - theirs).max(), scale)


def nhwc(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


@pytest.fixture(scope="module")
def theirs() -> dict[str, np.ndarray]:
    return golden("forward")


@pytest.fixture(scope="module")
def given(theirs: dict[str, np.ndarray]) -> Inputs:
    return inputs(theirs, torch.float32)


@pytest.fixture(scope="module")
def recipe(original_weights: dict[str, np.ndarray]) -> Recipe:
    return build(original_weights, torch.float32)


def test_weights_are_the_recorded_ones(original_weights: dict[str, np.ndarray]) -> None:
    digest = hashlib.sha256()
    for name in sorted(original_weights):
        digest.update(name.encode() + original_weights[name].tobytes())
    assert digest.hexdigest() == (GOLDEN / "weights.sha256").read_text().split()[0]


@torch.no_grad()
def test_generators(recipe: Recipe, given: Inputs, theirs: dict[str, np.ndarray]) -> None:
    condition = class_condition(given["labels"], recipe.model)
    assert_close(torch.cat([given["latent"], condition], dim=1), theirs["z_onehot"])
    edge, image = recipe.networks.decode(given["latent"], condition)
    assert_close(nhwc(edge), theirs["edge_output"])
    assert_close(nhwc(image), theirs["image_output"])


@torch.no_grad()
def test_discriminators(recipe: Recipe, given: Inputs, theirs: dict[str, np.ndarray]) -> None:
    edge, image = recipe.networks.decode(given["latent"], class_condition(given["labels"], recipe.model))
    real_joint = recipe.critics.joint(torch.cat([given["edges"], given["images"]], dim=3))
    fake_joint = recipe.critics.joint(torch.cat([edge, image], dim=3))
    assert_close(real_joint, theirs["joint_real_logit"])
    assert_close(fake_joint, theirs["joint_fake_logit"])
    for name, real, fake in (("image", given["images"], image), ("edge", given["edges"], edge)):
        critic = getattr(recipe.critics, name)
        large_real, large_fake = resize_bicubic_double(real), resize_bicubic_double(fake)
        assert_close(nhwc(large_real[:1]), theirs[f"resized_real_{name}"])
        assert_close(nhwc(large_fake[:1]), theirs[f"resized_fake_{name}"])
        assert_close(critic(large_real), theirs[f"{name}_real_logit"])
        assert_close(critic(large_fake), theirs[f"{name}_fake_logit"])


@torch.no_grad()
def test_classifier(recipe: Recipe, given: Inputs, theirs: dict[str, np.ndarray]) -> None:
    assert recipe.critics.classifier is not None
    _, image = recipe.networks.decode(given["latent"], class_condition(given["labels"], recipe.model))
    assert_close(recipe.critics.classifier(given["images"]), theirs["class_logits_real"])
    assert_close(recipe.critics.classifier(image), theirs["class_logits_fake"])


@torch.no_grad()
def test_encoder(recipe: Recipe, given: Inputs, theirs: dict[str, np.ndarray]) -> None:
    condition = class_condition(given["labels"], recipe.model)
    edge = recipe.networks.generator_edge(given["latent"], condition)
    mean, log_sigma = recipe.networks.encoder(edge)
    assert_close(mean, theirs["enc_mu"])
    assert_close(log_sigma, theirs["enc_log_sigma"])
    assert_close(recipe.networks.encode(edge, condition, given["noise"]), theirs["z_recon"])


def test_losses(recipe: Recipe, given: Inputs, theirs: dict[str, np.ndarray]) -> None:
    drawn = recipe.networks.decode(given["latent"], class_condition(given["labels"], recipe.model))
    assert_close(recipe.loss_joint(given, drawn), theirs["loss_joint_dis_dloss"])
    assert_close(recipe.loss_image(given, drawn), theirs["loss_image_dis_dloss"])
    assert_close(recipe.loss_edge(given, drawn), theirs["loss_edge_dis_dloss"])
    assert_close(recipe.loss_classifier(given, drawn), theirs["loss_d_ac"])
    joint, of_edge, of_image = recipe.loss_generators(given, drawn)
    assert_close(joint + of_edge, theirs["loss_edge_gloss"])
    assert_close(joint + of_image, theirs["loss_image_gloss"])
    assert_close(recipe.loss_latent(given, drawn), theirs["loss_zl_loss"])


def test_gradient_penalty(recipe: Recipe, given: Inputs, theirs: dict[str, np.ndarray]) -> None:
    edge, image = recipe.networks.decode(given["latent"], class_condition(given["labels"], recipe.model))
    real, fake = torch.cat([given["edges"], given["images"]], dim=3), torch.cat([edge, image], dim=3).detach()
    penalty = 10 * gradient_penalty(recipe.critics.joint, real, fake, given["alpha_joint"])
    assert_close(penalty, theirs["gp_joint"])
    gap = critic_gap(recipe.critics.joint(fake), recipe.critics.joint(real))
    assert_close(gap + penalty, theirs["loss_joint_dis_dloss"])


@torch.no_grad()
def test_inference_draws_what_the_original_draws(recipe: Recipe) -> None:
    theirs = golden("inference")
    for name, label in zip(theirs["names"], theirs["classes"]):
        sketch = torch.from_numpy(theirs[f"{name}__input"][None, :, :64]).permute(0, 3, 1, 2)
        condition = class_condition(torch.tensor([int(label)]), recipe.model)
        mean, log_sigma = recipe.networks.encoder(sketch)
        assert_close(mean[0], theirs[f"{name}__mu"])
        assert_close(log_sigma[0], theirs[f"{name}__log_sigma"])
        for number, noise in enumerate(theirs["noises"]):
            latent = recipe.networks.encode(sketch, condition, torch.tensor(float(noise)))
            assert_close(torch.cat([latent, condition], dim=1)[0], theirs[f"{name}__z_onehot_noise{number}"])
            edge, image = recipe.networks.decode(latent, condition)
            assert_close(nhwc(edge)[0], theirs[f"{name}__edge_noise{number}"])
            assert_close(nhwc(image)[0], theirs[f"{name}__image_noise{number}"])


@torch.no_grad()
def test_spectral_norm_estimates(recipe: Recipe, original_weights: dict[str, np.ndarray]) -> None:
    theirs = golden("spectral")
    sigma_of = {
        f"critics.classifier.{name}.weight": module.sigma()
        for name, module in recipe.critics.classifier.named_modules()
        if hasattr(module, "sigma")
    }
    by_name = {
        link.theirs: sigma_of[link.ours] for link in links(recipe.networks, recipe.critics) if link.ours in sigma_of
    }
    compared = [name for name in theirs["weight_names"] if name in by_name]
    assert len(compared) == 22
    for name, sigma in zip(theirs["weight_names"], theirs["sigma"]):
        if name in by_name:
            assert abs(float(by_name[name]) - sigma) <= TOLERANCE * sigma
