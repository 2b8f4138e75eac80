"""The compact recipe: encoder and generators trained together, so that the picture follows the drawing.

In the paper E never meets a real edge map and its loss never reaches the generators: pictures have the class but drift
from the drawing. Here E reads a distorted edge map of the photo, the decoded edge map and picture are held to the real
ones by L1 (as BicycleGAN's cVAE-GAN, Zhu et al., NeurIPS 2017, equations 2 to 4) and by the discriminators' features
(pix2pixHD), and the adversarial losses see three kinds of fakes: decoded ones, decoded ones in a random style (what the
pad shows for a seed), and ones from random latents (the paper's). The paper's latent L1 stays, and trains E alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from edgegan_widget.chance import stream
from edgegan_widget.config import ModelConfig, TrainConfig
from edgegan_widget.dataset import Batch, PairDataset
from edgegan_widget.devices import channels_last
from edgegan_widget.losses import feature_distance, gaussian_kl, hinge_discriminator, latent_l1
from edgegan_widget.nets import class_condition
from edgegan_widget.nets_compact import CompactCritics, CompactEdgeGAN

WEIGHT_L1 = 10.0
WEIGHT_FEATURES = 10.0
WEIGHT_KL = 0.05
WEIGHT_LATENT = 1.0
ADAM_BETAS = (0.0, 0.99)
SHIFT_PX = 5  # translation before the discriminators, at 64 pixels (DiffAugment, Zhao et al., NeurIPS 2020)
STYLE_SIZE = 16


def model_config(classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:
    """The network that this recipe trains."""
    return ModelConfig(
        classes, "compact", size_px=config.size_px, style_size=STYLE_SIZE, width=config.width, edge_channels=1
    )


class Recipe:
    """One training state: networks, optimizers, running mean. :meth:`step` moves it by one batch."""

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        self.model, self.config, self.device = model, config, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.networks = CompactEdgeGAN(model)
            self.critics = CompactCritics(model)
        for part in (self.networks, self.critics):
            channels_last(part.to(device))
        self.averaged = AveragedModel(self.networks, multi_avg_fn=_running_mean(config.ema_decay), use_buffers=True)
        makers = [*self.networks.parameters(), *self.critics.style_encoder.parameters()]
        judges = [*self.critics.joint.parameters(), *self.critics.image.parameters()]
        self.optimizer_makers = torch.optim.Adam(makers, lr=config.lr_generator, betas=ADAM_BETAS)
        self.optimizer_judges = torch.optim.Adam(judges, lr=config.lr_discriminator, betas=ADAM_BETAS)
        self.autocast_to = _autocast_type(config.precision, device)

    def batch(self, data: PairDataset, index: int) -> Batch:
        """Batch ``index`` of the run."""
        return data.balanced(self.config.seed, index, self.config.batch_size)

    def step(self, batch: Batch, index: int, rate_factor: float) -> dict[str, Tensor]:
        """One update of the discriminators, then one of encoder and generators; losses by name, still on the device."""
        for optimizer, rate in (
            (self.optimizer_makers, self.config.lr_generator),
            (self.optimizer_judges, self.config.lr_discriminator),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate * rate_factor
        random = stream(self.config.seed, index, "step")
        with torch.autocast(self.device.type, dtype=self.autocast_to, enabled=self.autocast_to is not None):
            fakes = _Fakes.make(self.networks, self.critics, batch, random)
            shifts = torch.randint(-SHIFT_PX, SHIFT_PX + 1, (2, len(fakes.labels), 2), generator=random)
            losses = self._update_judges(batch, fakes, shifts)
            losses |= self._update_makers(batch, fakes, shifts)
        self.averaged.update_parameters(self.networks)
        return losses

    def _update_judges(self, batch: Batch, fakes: _Fakes, shifts: Tensor) -> dict[str, Tensor]:
        real_pair = _shift(torch.cat([batch.edges, batch.images], dim=1), shifts[0])
        fake_pair = _shift(fakes.pairs.detach(), shifts[1])
        losses = {}
        for name, critic, channels in self._critics():
            real_logits, _ = critic(real_pair[:, channels], batch.labels)
            fake_logits, _ = critic(fake_pair[:, channels], fakes.labels)
            losses[f"discriminator_{name}"] = hinge_discriminator(real_logits.float(), fake_logits.float())
        self.optimizer_judges.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.optimizer_judges.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def _update_makers(self, batch: Batch, fakes: _Fakes, shifts: Tensor) -> dict[str, Tensor]:
        count = len(batch.labels)
        real_pair = _shift(torch.cat([batch.edges, batch.images], dim=1), shifts[1])  # as its decoded twin is shifted
        fake_pair = _shift(fakes.pairs, shifts[1])
        self.critics.requires_grad_(False)
        self.critics.style_encoder.requires_grad_(True)
        losses = {}
        features = []
        for name, critic, channels in self._critics():
            with torch.no_grad():
                _, real_features = critic(real_pair[:, channels], batch.labels)
            fake_logits, fake_features = critic(fake_pair[:, channels], fakes.labels)
            losses[f"generator_{name}"] = -fake_logits.float().mean()
            features.append(feature_distance(real_features, [feature[:count] for feature in fake_features]))
        edges, images = fakes.pairs[:count, :-3], fakes.pairs[:count, -3:]
        losses["features"] = WEIGHT_FEATURES * torch.stack(features).sum().float()
        losses["edge_l1"] = WEIGHT_L1 * F.l1_loss(edges.float(), batch.edges)
        losses["image_l1"] = WEIGHT_L1 * F.l1_loss(images.float(), batch.images)
        losses["kl"] = WEIGHT_KL * fakes.kl.float()
        last = slice(-len(fakes.random_shape), None)  # the fakes from random latents
        condition = class_condition(fakes.labels[last], self.model)
        recovered, _ = self.networks.encoder(fakes.pairs[last, :-3].detach(), condition)
        losses["latent_l1"] = WEIGHT_LATENT * latent_l1(fakes.random_shape, recovered.float())
        self.optimizer_makers.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.optimizer_makers.step()
        self.critics.requires_grad_(True)
        return {name: loss.detach() for name, loss in losses.items()}

    def _critics(self) -> tuple[tuple[str, nn.Module, slice], ...]:
        return ("joint", self.critics.joint, slice(None)), ("image", self.critics.image, slice(-3, None))

    def drawing_networks(self) -> CompactEdgeGAN:
        """The running mean of encoder and generators, which draws better than the latest weights."""
        return cast(CompactEdgeGAN, self.averaged.module) if self.config.ema_decay else self.networks

    def state_dict(self) -> dict[str, object]:
        """Everything that the next step depends on."""
        return {name: getattr(self, name).state_dict() for name in self._parts()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name in self._parts():
            getattr(self, name).load_state_dict(state[name])

    @staticmethod
    def _parts() -> tuple[str, ...]:
        return "networks", "critics", "averaged", "optimizer_makers", "optimizer_judges"


class _Fakes:
    """Generated pairs [M, edge_channels + 3, S, S]: first one for each real pair, then restyled, then random ones."""

    def __init__(self, pairs: Tensor, labels: Tensor, random_shape: Tensor, kl: Tensor) -> None:
        self.pairs, self.labels, self.random_shape, self.kl = pairs, labels, random_shape, kl

    @classmethod
    def make(cls, networks: CompactEdgeGAN, critics: CompactCritics, batch: Batch, random: torch.Generator) -> _Fakes:
        config, device, count = networks.config, batch.labels.device, len(batch.labels)
        extra = max(1, count // 4)
        condition = class_condition(batch.labels, config)

        def normal(rows: int, columns: int) -> Tensor:
            return torch.randn(rows, columns, generator=random).to(device)

        shape_mean, shape_log_sigma = networks.encoder(batch.sketches, condition)
        style_mean, style_log_sigma = critics.style_encoder(batch.images, condition)
        shape = shape_mean + normal(count, config.shape_size) * shape_log_sigma.exp()
        style = style_mean + normal(count, config.style_size) * style_log_sigma.exp()
        random_shape = normal(extra, config.shape_size)
        latents = torch.cat(
            [
                torch.cat([shape, style], dim=1),
                torch.cat([shape[:extra], normal(extra, config.style_size)], dim=1),
                torch.cat([random_shape, normal(extra, config.style_size)], dim=1),
            ]
        )
        rows = torch.cat([torch.arange(count), torch.arange(extra), torch.arange(extra)]).to(device)
        pairs = torch.cat(networks.decode(latents, condition[rows]), dim=1)
        kl = gaussian_kl(shape_mean, shape_log_sigma) + gaussian_kl(style_mean, style_log_sigma)
        return cls(pairs, batch.labels[rows], random_shape, kl)


def _shift(pictures: Tensor, shift_px: Tensor) -> Tensor:
    """Move each picture by whole pixels, paper coming in; ``shift_px`` [M, 2], its first N rows for N pictures."""
    side = pictures.shape[-1]
    most = SHIFT_PX * side // 64
    padded = F.pad(pictures, (most,) * 4, value=1.0)
    moves = (shift_px[: len(pictures)] * side // 64 + most).tolist()
    moved = [picture[:, y : y + side, x : x + side] for picture, (y, x) in zip(padded, moves)]
    return torch.stack(moved).contiguous(memory_format=torch.channels_last)


def _running_mean(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Exponential mean whose horizon grows with the run, so that early pictures do not show the initial weights."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], latest: Sequence[Tensor], count: Tensor | int) -> None:
        if not averaged[0].is_floating_point():  # batch norm's counters
            torch._foreach_copy_(list(averaged), list(latest))
            return
        seen = int(count)
        torch._foreach_lerp_(list(averaged), list(latest), 1 - min(decay, (1 + seen) / (10 + seen)))

    return update


def _autocast_type(precision: str, device: torch.device) -> torch.dtype | None:
    if precision == "float32":
        return None
    if precision == "bfloat16":
        return torch.bfloat16
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if fast else None
