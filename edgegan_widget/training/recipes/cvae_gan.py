"""``compact`` and ``modern``: encoder and generators trained together, so that the picture follows the drawing.

In the paper E never meets a real edge map and its loss never reaches the generators: pictures have the class but
drift from the drawing. Here E reads a distorted edge map of the photo, the decoded edge map and picture are held to
the real ones by L1 (as BicycleGAN's cVAE-GAN, Zhu et al., NeurIPS 2017, equations 2 to 4) and by the discriminators'
features (pix2pixHD, Wang et al., CVPR 2018), and the adversarial losses see three kinds of fakes: decoded ones,
decoded ones in a random style (what the pad shows for a seed), and ones from random latents (the paper's). The
paper's latent L1 stays, and trains E alone.

``modern`` adds to ``compact``, by settings alone: DiffAugment instead of shifts, R1 on real pictures, and more width.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.networks.compact import CompactCritics, CompactEdgeGAN
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.devices import autocast, channels_last
from edgegan_widget.networks.losses import feature_distance, gaussian_kl, hinge_discriminator, latent_l1, r1_penalty
from edgegan_widget.networks.paper import class_condition
from edgegan_widget.sketch.hand import Hand
from edgegan_widget.sketch.schedule import scheduled
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import Batch, PairDataset
from edgegan_widget.training.recipes import diffaugment
from edgegan_widget.training.recipes.common import Inputs, Losses, Part, RunningMean, move, put_back, state_of
from edgegan_widget.training.recipes.optimizers import adam, set_rate
from edgegan_widget.training.recipes.swd import sliced_wasserstein

__all__ = ["Recipe", "model_config"]

WEIGHT_L1 = 10.0
WEIGHT_FEATURES = 10.0
WEIGHT_KL = 0.05
WEIGHT_LATENT = 1.0
ADAM_BETAS = (0.0, 0.99)
R1_EVERY_STEPS = 16  # lazy regularisation (Karras et al., StyleGAN2, CVPR 2020, section 3.1)
EXTRA_EVERY = 4  # every fourth picture is drawn in two more ways
STYLE_SIZE = 16


def model_config(classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:
    """The network that this recipe trains."""
    return ModelConfig(
        classes, "compact", size_px=config.size_px, style_size=STYLE_SIZE, width=config.width, edge_channels=1
    )


class Recipe:
    """One training state: networks, optimizers, running mean. :meth:`updates` moves it by one batch."""

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        self.model, self.config, self.device = model, config, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.networks = channels_last(CompactEdgeGAN(model).to(device))
            self.critics = channels_last(CompactCritics(model).to(device))
        frozen = {"all": (), "generators": ("encoder",), "encoder": ("generator_edge", "generator_image")}
        for name in frozen[config.trains]:
            getattr(self.networks, name).requires_grad_(False)
        makers = [*self.networks.parameters(), *self.critics.style_encoder.parameters()]
        judges = [*self.critics.joint.parameters(), *self.critics.image.parameters()]
        self.optimizer_makers = adam(makers, config.lr_generator, ADAM_BETAS)
        self.optimizer_judges = adam(judges, config.lr_discriminator, ADAM_BETAS)
        self.averaged = RunningMean(self.networks, config.ema_decay)
        self.schedule = config.schedule
        self.hand = Hand(details=config.hand_details, proportions=config.hand_proportions)
        self.autocast = autocast(config.precision, device)

    def adopt(self, networks: Mapping[str, Tensor], critics: Mapping[str, Tensor] | None) -> None:
        """Start from these weights; without critics, fresh ones stay."""
        self.networks.load_state_dict(networks)
        self.averaged.module.load_state_dict(networks)
        if critics is not None:
            self.critics.load_state_dict(critics)

    def inputs(self, data: PairDataset, index: int) -> Inputs:
        """Real pictures, sketches of them, and the chance of step ``index``."""
        config, count = self.config, self.config.batch_size
        chosen = data.choose(config.seed, index, count, config.balanced)
        sources = scheduled(self.schedule, index / data.batches_per_epoch(count))
        random = stream(config.seed, index, "sketched")
        batch = data.as_sketched(chosen, random, config.mirror, sources, self.hand, config.poses)
        random = stream(config.seed, index, "step")
        drawn = {
            "shape_noise": torch.randn(count, self.model.shape_size, generator=random),
            "style_noise": torch.randn(count, self.model.style_size, generator=random),
            "random_style": torch.randn(count, self.model.style_size, generator=random),
            "random_latent": torch.randn(count, self.model.latent_size, generator=random),
            "augment_real": torch.rand(count, diffaugment.NUMBERS, generator=random),
            "augment_fake": torch.rand(count, 3, diffaugment.NUMBERS, generator=random),
        }
        pictures = {"edges": batch.edges, "images": batch.images, "sketches": batch.sketches, "labels": batch.labels}
        return pictures | {name: value.to(self.device, non_blocking=True) for name, value in drawn.items()}

    def variant(self, index: int) -> tuple[bool, bool]:
        """Whether only the discriminators learn, and whether this step has the R1 penalty."""
        return index < self.config.critic_warmup_steps, bool(self.config.r1_gamma) and index % R1_EVERY_STEPS == 0

    def updates(self, parts: Sequence[Inputs], variant: tuple[bool, bool] = (False, False)) -> Losses:
        """One update of the discriminators, then one of encoder and generators."""
        critics_only, with_r1 = variant
        with self.autocast():
            kept = self._fakes(parts[0]) if len(parts) == 1 else None  # one graph serves both updates
            losses: Losses = {}
            if self.config.trains != "encoder":
                judge = functools.partial(self._loss_judges, fakes=kept, with_r1=with_r1)
                losses = move([self.optimizer_judges], judge, parts)
            if not critics_only:
                losses |= move([self.optimizer_makers], functools.partial(self._loss_makers, fakes=kept), parts)
        self.averaged.update(self.networks)
        return losses

    def _loss_judges(self, part: Inputs, fakes: _Fakes | None, with_r1: bool) -> Losses:
        fakes = fakes or self._fakes(part)
        real_pairs = self._augment(_real_pairs(part), part["augment_real"])
        fake_pairs = self._augment(fakes.pairs.detach(), fakes.augment_numbers)
        losses = {}
        for name, critic, channels in self._critics():
            real_logits, _ = critic(real_pairs[:, channels], part["labels"])
            fake_logits, _ = critic(fake_pairs[:, channels], fakes.labels)
            losses[f"discriminator_{name}"] = hinge_discriminator(real_logits.float(), fake_logits.float())
        return losses | ({"r1": self._r1(part, real_pairs)} if with_r1 else {})

    def _r1(self, part: Inputs, pairs: Tensor) -> Tensor:
        """The penalty of Mescheder et al. 2018, equation 9, in float32, scaled up for the steps that go without."""
        with torch.autocast(self.device.type, enabled=False):
            penalties = [
                r1_penalty(_logits_of(critic, part["labels"]), pairs[:, channels].float())
                for _, critic, channels in self._critics()
            ]
        return self.config.r1_gamma / 2 * R1_EVERY_STEPS * torch.stack(penalties).sum()

    def _loss_makers(self, part: Inputs, fakes: _Fakes | None) -> Losses:
        fakes = fakes or self._fakes(part)
        count = len(part["labels"])
        # A decoded pair and its real twin are changed alike, so that their features can be compared.
        real_pairs = self._augment(_real_pairs(part), fakes.augment_numbers[:count])
        fake_pairs = self._augment(fakes.pairs, fakes.augment_numbers)
        losses, features = {}, []
        for name, critic, channels in self._critics():
            with torch.no_grad():
                _, real_features = critic(real_pairs[:, channels], part["labels"])
            fake_logits, fake_features = critic(fake_pairs[:, channels], fakes.labels)
            losses[f"generator_{name}"] = -fake_logits.float().mean()
            features.append(feature_distance(real_features, [feature[:count] for feature in fake_features]))
        edges, images = fakes.pairs[:count, :-3], fakes.pairs[:count, -3:]
        losses["features"] = WEIGHT_FEATURES * torch.stack(features).sum().float()
        losses["edge_l1"] = WEIGHT_L1 * F.l1_loss(edges.float(), part["edges"])
        losses["image_l1"] = WEIGHT_L1 * F.l1_loss(images.float(), part["images"])
        losses["kl"] = WEIGHT_KL * fakes.kl.float()
        losses["latent_l1"] = WEIGHT_LATENT * self._latent_l1(fakes)
        return losses

    def _latent_l1(self, fakes: _Fakes) -> Tensor:
        """The paper's equation 4 on the fakes from random latents; it reaches E alone."""
        last = slice(-len(fakes.random_shape), None)
        condition = class_condition(fakes.labels[last], self.model)
        recovered, _ = self.networks.encoder(fakes.pairs[last, :-3].detach(), condition)
        return latent_l1(fakes.random_shape, recovered.float())

    def _fakes(self, part: Inputs) -> _Fakes:
        return _Fakes.make(self.networks, self.critics, part)

    def _augment(self, pairs: Tensor, numbers: Tensor) -> Tensor:
        changed = diffaugment.augment(pairs, numbers, self.config.augment)
        return changed.contiguous(memory_format=torch.channels_last)

    def _critics(self) -> tuple[tuple[str, nn.Module, slice], ...]:
        return ("joint", self.critics.joint, slice(None)), ("image", self.critics.image, slice(-3, None))

    def set_rates(self, factor: float, index: int) -> None:
        """Scale all rates for step ``index``."""
        set_rate(self.optimizer_makers, self.config.lr_generator * factor)
        set_rate(self.optimizer_judges, self.config.lr_discriminator * factor)
        self.averaged.prepare(index)

    def score(self, batch: Batch, edges: Tensor, images: Tensor) -> float:  # noqa: ARG002
        """Sliced Wasserstein distance between photos and what is drawn from their edge maps."""
        return sliced_wasserstein(batch.images, images)

    def before_saving(self, data: PairDataset) -> None:
        """Nothing of the data is kept."""

    def drawing_networks(self) -> CompactEdgeGAN:
        """The running mean of encoder and generators, which draws better than the latest weights."""
        return self.averaged.module if self.config.ema_decay else self.networks

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return state_of(self._parts())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        put_back(self._parts(), state)

    def _parts(self) -> dict[str, Part]:
        return {
            "networks": self.networks,
            "critics": self.critics,
            "averaged": self.averaged.module,
            "optimizer_makers": self.optimizer_makers,
            "optimizer_judges": self.optimizer_judges,
        }


@dataclass(frozen=True)
class _Fakes:
    """Generated pairs [M, edge_channels + 3, S, S]: first one for each real pair, then restyled, then random ones."""

    pairs: Tensor
    labels: Tensor
    augment_numbers: Tensor
    random_shape: Tensor
    kl: Tensor

    @classmethod
    def make(cls, networks: CompactEdgeGAN, critics: CompactCritics, part: Inputs) -> _Fakes:
        config, labels = networks.config, part["labels"]
        few = slice(None, None, EXTRA_EVERY)
        condition = class_condition(labels, config)
        shape_mean, shape_log_sigma = networks.encoder(part["sketches"], condition)
        style_mean, style_log_sigma = critics.style_encoder(part["images"], condition)
        shape = shape_mean + part["shape_noise"] * shape_log_sigma.exp()
        style = style_mean + part["style_noise"] * style_log_sigma.exp()
        random_latent = part["random_latent"][few]
        latents = [
            torch.cat([shape, style], dim=1), torch.cat([shape[few], part["random_style"][few]], dim=1), random_latent
        ]  # fmt: skip
        conditions = torch.cat([condition, condition[few], condition[few]])
        pairs = torch.cat(networks.decode(torch.cat(latents), conditions), dim=1)
        numbers = part["augment_fake"]
        return cls(
            pairs,
            torch.cat([labels, labels[few], labels[few]]),
            torch.cat([numbers[:, 0], numbers[few, 1], numbers[few, 2]]),
            random_latent[:, : config.shape_size],
            gaussian_kl(shape_mean, shape_log_sigma) + gaussian_kl(style_mean, style_log_sigma),
        )


def _logits_of(critic: nn.Module, labels: Tensor) -> Callable[[Tensor], Tensor]:
    def logits(pictures: Tensor) -> Tensor:
        found: Tensor = critic(pictures, labels)[0]
        return found

    return logits


def _real_pairs(part: Inputs) -> Tensor:
    return torch.cat([part["edges"], part["images"]], dim=1)
