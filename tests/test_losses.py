"""Losses against their definitions; the original's own values are in tests/parity."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgegan_widget.networks import losses
from tests.parity.original import golden

MICRO = golden("micro")


def tensor(name: str) -> torch.Tensor:
    return torch.from_numpy(MICRO[name])


def test_focal_and_adversarial_agree_with_the_original() -> None:
    labels = tensor("focal_labels").long()
    assert losses.focal(tensor("focal_logits_real"), labels) == pytest.approx(MICRO["focal_loss_d"], rel=1e-5)
    generator = 0.5 * torch.nn.functional.cross_entropy(tensor("focal_logits_fake"), labels)
    assert generator == pytest.approx(MICRO["focal_loss_g"], rel=1e-5)
    gap = losses.critic_gap(tensor("gan_fake"), tensor("gan_real"))
    assert gap == pytest.approx(MICRO["gan_dloss"], rel=1e-5)


def test_penalty_of_a_linear_critic() -> None:
    """For D(x) = <w, x> the gradient of sigmoid(D) + D is (s (1 - s) + 1) w, here at D = 0 everywhere."""
    weight = torch.zeros(1, 2, 2, 2)
    weight[0, 0, 0, 0] = 3.0
    real = fake = torch.zeros(5, 2, 2, 2)
    penalty = losses.gradient_penalty(
        lambda x: (x * weight).sum(dim=(1, 2, 3))[:, None], real, fake, torch.rand(5, 1, 1, 1)
    )
    assert penalty.item() == pytest.approx((1.25 * 3.0 - 1) ** 2)


def test_penalty_trains_the_critic() -> None:
    critic = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 1))
    penalty = losses.gradient_penalty(critic, torch.randn(4, 2, 2, 2), torch.randn(4, 2, 2, 2), torch.rand(4, 1, 1, 1))
    penalty.backward()
    assert critic[1].weight.grad.abs().max() > 0


def test_kl_of_the_prior_is_zero_and_otherwise_as_defined() -> None:
    zeros = torch.zeros(3, 4)
    assert losses.gaussian_kl(zeros, zeros) == 0
    mean, log_sigma = torch.randn(6, 4), torch.randn(6, 4)
    posterior = torch.distributions.Normal(mean, log_sigma.exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).mean()
    assert losses.gaussian_kl(mean, log_sigma) == pytest.approx(expected.item(), rel=1e-5)


def test_hinge_stops_where_the_discriminator_is_sure() -> None:
    assert losses.hinge_discriminator(torch.tensor([1.0, 5.0]), torch.tensor([-1.0, -9.0])) == 0
    assert losses.hinge_discriminator(torch.zeros(3), torch.zeros(3)) == 2


def test_latent_l1() -> None:
    assert losses.latent_l1(torch.tensor([1.0, -1.0]), torch.tensor([0.0, 2.0])) == pytest.approx(np.mean([1, 3]))
