"""Losses as pure functions of tensors; each names the equation it implements."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "critic_gap",
    "focal",
    "gaussian_kl",
    "gradient_penalty",
    "hinge_discriminator",
    "latent_l1",
]


def critic_gap(fake_logits: Tensor, real_logits: Tensor) -> Tensor:
    """mean(D(fake) - D(real)), the Wasserstein term of Gao et al. 2020, equation 1 (with the sign that D minimises)."""
    return (fake_logits - real_logits).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """mean((|grad| - 1)^2) between real and fake (Gulrajani et al., NeurIPS 2017, equation 3), not yet weighted.

    As the original's code has it, the gradient is that of ``sigmoid(D) + D`` and its length has no epsilon.

    Parameters
    ----------
    critic
        Pictures [N, C, H, W] -> logits [N, 1].
    real, fake
        [N, C, H, W]; ``fake`` is taken as given, the penalty trains the critic only.
    alpha
        [N, 1, 1, 1] in [0, 1), the share of the fake in the blend.
    """
    blend = (real + alpha * (fake - real)).detach().requires_grad_()
    logits = critic(blend)
    (gradient,) = torch.autograd.grad((torch.sigmoid(logits) + logits).sum(), blend, create_graph=True)
    length = gradient.square().sum(dim=(1, 2, 3)).sqrt()
    return (length - 1).square().mean()


def focal(logits: Tensor, labels: Tensor) -> Tensor:
    """mean((1 - p)^2 * cross entropy) (Lin et al., ICCV 2017, equation 4)."""
    cross_entropy = F.cross_entropy(logits, labels, reduction="none")
    right = logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
    return ((1 - right) ** 2 * cross_entropy).mean()


def latent_l1(latent: Tensor, recovered: Tensor) -> Tensor:
    """Mean |z - E(G_E(z))| (Gao et al. 2020, equation 4), not yet weighted."""
    return (latent - recovered).abs().mean()


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Hinge loss of a discriminator (Lim and Ye 2017, "Geometric GAN", equation 20)."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def gaussian_kl(mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Mean over numbers of KL(N(mean, sigma^2) || N(0, 1)) (Kingma and Welling 2014, appendix B)."""
    return 0.5 * (mean.square() + (2 * log_sigma).exp() - 2 * log_sigma - 1).mean()
