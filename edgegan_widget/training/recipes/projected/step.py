"""How ``projected`` learns: sharp pictures within minutes, from discriminators that look at frozen ImageNet features.

After Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021. What stays of EdgeGAN (Gao et al., CVPR 2020,
section 3.1): E, G_E and G_I, an edge map drawn beside the picture, D_J on both together, D_I on the picture (here heads
on frozen features) and a classifier C. Networks: ``modulated`` and ``critics`` of
:mod:`edgegan_widget.networks.architectures`.

A step draws four kinds of fakes from one pass of the networks:

- *redrawn*: the sketch of a photo in the photo's own style, held to it by the features (relative L1 at each depth;
  Johnson et al., ECCV 2016) and by L1 at half size;
- *restyled*: the same in the style of another photo of the class, which is what a seed shows;
- *swapped*: the same as another class, in a style of that class, so that the class counts and not the outline alone;
- *people's*: drawings that have no photo, in styles of their class. Nothing tells how they should look but the
  discriminators. D_J holds them together: picture and the network's own edge map have to belong to each other, and
  that edge map is held to the drawing, blurred, by L1. Where lines enclose an area, alpha is held to it: not beyond
  it, and about as much of it as photos of the class cover.

All fakes go to all discriminators and to C. A style's first numbers are the object's mean colour and contrast; every
picture is held to them, so that colours are not lost. One pass of the feature network over the fakes serves heads, C
and the perceptual loss. All is shown in random crops, as augmentation and because a smaller picture costs less.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.frechet import frechet_distance
from edgegan_widget.base.units import to_unit
from edgegan_widget.networks.architectures.critics import ProjectedCritics
from edgegan_widget.networks.architectures.features import load_features
from edgegan_widget.networks.architectures.modulated import STYLES, ModulatedEdgeGAN, colour_of
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.config import SKETCH_PX, SPATIAL_SIZE, ModelConfig
from edgegan_widget.networks.devices import channels_last
from edgegan_widget.networks.losses import gaussian_kl, hinge_discriminator
from edgegan_widget.sketch.contours import covered_share
from edgegan_widget.sketch.hands.hand import Hand
from edgegan_widget.sketch.schedule import scheduled
from edgegan_widget.training.dataset import Batch, PairDataset
from edgegan_widget.training.recipes.common import BaseRecipe, Inputs, Losses, adam, load_pictures, move
from edgegan_widget.training.recipes.projected.people import Drawn, PeopleDrawings

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__ = ["Recipe", "load", "model_config"]

STYLE_SIZE = 16
VECTOR_SIZE = 100  # the paper's latent, where it is asked for
WEIGHT_IMAGE_L1 = 4.0
WEIGHT_EDGE_L1 = 5.0
WEIGHT_DRAWING_L1 = 2.0  # people's lines are not where an object's are: the network's edge map need only be near them
WEIGHT_KL = 0.03
ADAM_BETAS = (0.0, 0.99)
ALMOST = 0.9  # of what photos of a class cover, a picture of a drawing has to
_FEATURE_STRIDE = 32
_BLUR_PX = 5
_LOOKED_AT_ONCE = 64


def model_config(classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:
    """The network that this recipe trains."""
    size = SPATIAL_SIZE if config.latent == "spatial" else VECTOR_SIZE - STYLE_SIZE
    return ModelConfig(
        classes, "modulated", size_px=config.size_px, latent_size=size + STYLE_SIZE, style_size=STYLE_SIZE,
        width=config.width, edge_channels=1, latent=config.latent,
    )  # fmt: skip


def load(config: TrainConfig) -> tuple[PairDataset, PairDataset]:
    """The pictures with their coverage."""
    return load_pictures(config, alpha=True)


class Recipe(BaseRecipe[ModulatedEdgeGAN, ProjectedCritics]):
    """One training state, and what never changes: features, drawings."""

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        super().__init__(model, config, device)
        self.features = channels_last(load_features().to(device))
        made = ("generator_edge", "generator_image", "style_encoder")
        frozen = {"all": (), "generators": ("encoder",), "encoder": made}
        for name in frozen[config.trains]:
            getattr(self.networks, name).requires_grad_(False)
        critics = self.critics
        judges = [p for part in (critics.image, critics.joint, critics.classifier) for p in part.parameters()]
        self.optimizers = {
            "optimizer_makers": adam(self.networks.parameters(), config.lr_generator, ADAM_BETAS),
            "optimizer_judges": adam(judges, config.lr_discriminator, ADAM_BETAS),
        }
        self.schedule = config.schedule
        self.hand = Hand(details=config.hand_details, proportions=config.hand_proportions)
        self._covered: Tensor | None = None
        self.people = PeopleDrawings.load(config.sketches, model.classes, SKETCH_PX) if config.sketches else None

    def _make(self) -> tuple[ModulatedEdgeGAN, ProjectedCritics]:
        return ModulatedEdgeGAN(self.model), ProjectedCritics(self.model, self.config.depths)

    def inputs(self, data: PairDataset, index: int) -> Inputs:
        """Real pictures, sketches of them, people's drawings, and the chance of step ``index``.

        What belongs to one kind of fakes has its name at the end; each kind has sketches and labels of its own, so that
        a batch can be worked on in parts.
        """
        config, count = self.config, self.config.batch_size
        chosen = data.choose(config.seed, index, count, config.balanced)
        sources = scheduled(self.schedule, index / data.batches_per_epoch(count))
        batch = data.as_sketched(
            chosen, stream(config.seed, index, "sketched"), config.mirror, sources, self.hand, config.poses
        )
        random = stream(config.seed, index, "step")
        labels = data.labels_on_cpu[chosen]
        few = round(count * config.restyled_share), round(count * config.swapped_share)
        restyled, swapped = slice(0, few[0]), slice(few[0], sum(few))
        others = self._other_labels(labels[swapped], random)
        drawn = self._drawings(data, round(count * config.people_share), random)
        shown: dict[str, tuple[Tensor, Tensor, Tensor]] = {
            "redrawn": (batch.sketches, batch.edges, labels),
            "restyled": (batch.sketches[restyled], batch.edges[restyled], labels[restyled]),
            "swapped": (batch.sketches[swapped], batch.edges[swapped], others),
            "people": (drawn.sketches, drawn.targets, drawn.labels),
        }
        found: dict[str, Tensor] = {
            "images": batch.images,
            "labels": batch.labels,
            "body": drawn.body,
            "paper": drawn.paper,
            "least_covered": self._least_covered(data)[drawn.labels],
        }
        for kind, (sketches, targets, asked) in shown.items():
            styled = chosen if kind == "redrawn" else data.choose_of(asked, random)
            styled_as = batch.images if kind == "redrawn" else to_unit(data.images_u8[styled.to(batch.labels.device)])
            found |= {
                f"sketches_{kind}": sketches,
                f"targets_{kind}": targets,
                f"labels_{kind}": asked,
                f"styled_as_{kind}": _looked_at(styled_as),
                f"style_noise_{kind}": torch.randn(len(asked), self.model.style_size, generator=random),
                f"crops_{kind}": torch.rand(len(asked), 3, generator=random),
            }
        return {name: value.to(self.device, non_blocking=True) for name, value in found.items()}

    def _drawings(self, data: PairDataset, count: int, random: torch.Generator) -> Drawn:
        if self.people is None:
            return Drawn.none(SKETCH_PX)
        return self.people.choose(data, random, count, self.config.mirror, self.config.poses)

    def _least_covered(self, data: PairDataset) -> Tensor:
        """How much of what its outline encloses an object of each class covers at least, float32 [classes].

        Almost what some of its photos cover: a belt is a ring, a horse has no holes.
        """
        if self._covered is None:
            random = stream(self.config.seed, 0, "covered")
            masks = (
                data.images_u8[data.choose_of(torch.full((STYLES,), label), random).to(data.labels.device), 3].cpu()
                > 127
                for label in range(len(self.model.classes))
            )
            shares = [[covered_share(mask.numpy().astype(np.uint8)) for mask in of_class] for of_class in masks]
            self._covered = ALMOST * torch.tensor(shares).mean(dim=1)
        return self._covered

    def _other_labels(self, labels: Tensor, random: torch.Generator) -> Tensor:
        """For each label another one."""
        classes = len(self.model.classes)
        if classes == 1:
            return labels
        return (labels + torch.randint(1, classes, labels.shape, generator=random)) % classes

    def updates(self, parts: Sequence[Inputs], variant: Hashable = "all") -> Losses:
        """One update of the discriminators and C, then one of E, both generators and S."""
        # Fakes of the whole batch serve both; where memory is short, those of a part are drawn twice.
        with torch.set_grad_enabled(variant != "critics"):
            kept = self._step_of(parts[0]) if len(parts) == 1 else None
        steps = [functools.partial(self._step_of, part) if kept is None else lambda: kept for part in parts]
        losses: Losses = {}
        if variant != "encoder":
            losses |= move([self.optimizers["optimizer_judges"]], self._loss_judges, steps)
        if variant != "critics":
            losses |= move([self.optimizers["optimizer_makers"]], self._loss_makers, steps)
        if self.averaged is not None:
            self.averaged.update(self.networks)
        return losses

    def class_logits(self, images: Tensor) -> Tensor | None:
        """C's, of the colours alone."""
        return self.critics.class_logits(self._features(images[:, :3]))

    def _step_of(self, part: Inputs) -> _Step:
        with self.autocast():
            fakes = self._fakes(part)
        crops = _of_all("crops", part)
        count = len(part["labels"])
        with torch.no_grad():
            real_features = self._features(self._cropped(part["images"][:, :3], crops[:count]))
        return _Step(part, fakes, self._features(self._cropped(fakes.images[:, :3].float(), crops)), real_features)

    def _fakes(self, part: Inputs) -> _Fakes:
        labels, styled_as = _of_all("labels", part), _of_all("styled_as", part)
        condition = class_condition(labels, self.model)
        shapes = self.networks.encoder(_of_all("sketches", part), condition)
        mean, log_sigma = self.networks.style_encoder(styled_as, condition)
        noise = _of_all("style_noise", part)[:, : mean.shape[1]]
        colours = colour_of(styled_as)
        styles = torch.cat([colours, mean + noise * log_sigma.exp()], dim=1)
        edges, images = self.networks.decode(torch.cat([shapes, styles.to(shapes.dtype)], dim=1), condition)
        kl = gaussian_kl(mean.float(), log_sigma.float())
        return _Fakes(edges, images, labels, _of_all("targets", part), colours, kl, len(part["labels"]))

    def _loss_judges(self, make: Callable[[], _Step]) -> Losses:
        step = make()
        fakes, part = step.fakes, step.part
        with self.autocast():
            real = self.critics.image_logits(step.real_features, part["labels"])
            fake = self.critics.image_logits([feature.detach() for feature in step.features], fakes.labels)
            real_joint = self.critics.joint(self._stacked(part["targets_redrawn"], part["images"]), part["labels"])
            fake_joint = self.critics.joint(self._stacked(fakes.edges, fakes.images).detach(), fakes.labels)
            seen = self.critics.class_logits(step.real_features)
        by_depth = [hinge_discriminator(r.float(), f.float()) for r, f in zip(real, fake)]
        return {
            "discriminator_image": torch.stack(by_depth).sum(),
            "discriminator_joint": hinge_discriminator(real_joint.float(), fake_joint.float()),
            "classifier": F.cross_entropy(seen.float(), part["labels"]),
        }

    def _loss_makers(self, make: Callable[[], _Step]) -> Losses:
        step = make()
        fakes, part, config = step.fakes, step.part, self.config
        count = fakes.redrawn
        with self.autocast():
            logits = self.critics.image_logits(step.features, fakes.labels)
            joint = self.critics.joint(self._stacked(fakes.edges, fakes.images), fakes.labels)
            seen = self.critics.class_logits(step.features)
        edges, images = fakes.edges.float(), fakes.images.float()
        redrawn = [feature[:count] for feature in step.features]
        halved = F.avg_pool2d(images[:count], 2), F.avg_pool2d(part["images"], 2)
        off_lines = _blurred(edges[count:]) - _blurred(fakes.targets[count:])
        return {
            "generator_image": -torch.stack([logit.float().mean() for logit in logits]).sum(),
            "generator_joint": -joint.float().mean(),
            "class": config.weight_class * F.cross_entropy(seen.float(), fakes.labels),
            "perceptual": config.weight_perceptual * _relative_l1(step.real_features, redrawn),
            "image_l1": WEIGHT_IMAGE_L1 * F.l1_loss(halved[0], halved[1]),
            "edge_l1": WEIGHT_EDGE_L1 * F.l1_loss(edges[:count], fakes.targets[:count]),
            "drawing_l1": WEIGHT_DRAWING_L1 * _mean_or_zero(off_lines.abs()),
            "coverage": config.weight_coverage * _off_coverage(images, part),
            "colour": config.weight_colour * F.l1_loss(colour_of(images), fakes.colours.float()),
            "kl": WEIGHT_KL * fakes.kl,
        }

    def _stacked(self, edges: Tensor, images: Tensor) -> Tensor:
        """What D_J sees: edge map, picture and alpha at the sketch's size, [N, 5, 64, 64]."""
        small = F.avg_pool2d(images, images.shape[-1] // SKETCH_PX) if images.shape[-1] > SKETCH_PX else images
        return torch.cat([edges, small], dim=1).contiguous(memory_format=torch.channels_last)

    def _features(self, pictures: Tensor) -> list[Tensor]:
        """On a CPU in float32: the backward pass of its convolutions is slower in bfloat16."""
        with torch.autocast(self.device.type, enabled=False) if self.device.type == "cpu" else self.autocast():
            found: list[Tensor] = self.features(pictures)
        return found

    def _cropped(self, pictures: Tensor, crops: Tensor) -> Tensor:
        """A random square of each picture, [N, 3, C, C] with a side that the feature network can halve five times."""
        size = pictures.shape[-1]
        side_px = _FEATURE_STRIDE * max(2, round(self.config.crop * size / _FEATURE_STRIDE))
        part = self.config.crop + (1 - self.config.crop) * crops[:, 0]
        theta = torch.zeros(len(pictures), 2, 3, device=pictures.device)
        theta[:, 0, 0] = theta[:, 1, 1] = part
        theta[:, :, 2] = (2 * crops[:, 1:] - 1) * (1 - part)[:, None]
        grid = F.affine_grid(theta, [len(pictures), 3, side_px, side_px], align_corners=False)
        cut = F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)
        return cut.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def score(self, batch: Batch, edges: Tensor, images: Tensor) -> float:  # noqa: ARG002
        """Frechet distance, in the coarsest features, between photos and what is drawn from their edge maps."""
        pooled = [
            torch.cat([self.features(part)[-1].mean(dim=(2, 3)) for part in pictures[:, :3].split(_LOOKED_AT_ONCE)])
            for pictures in (batch.images, images)
        ]
        real, drawn = (each.double().cpu().numpy() for each in pooled)
        return frechet_distance(real, drawn)

    @torch.no_grad()
    def before_saving(self, data: PairDataset) -> None:
        """Fill the bank of styles from the training pictures: some of each class, the most usual one first."""
        random = stream(self.config.seed, 0, "styles")
        networks = self.drawing_networks()
        networks.eval()
        for label in range(len(self.model.classes)):
            labels = torch.full((STYLES,), label)
            chosen = data.choose_of(labels, random)
            images = _looked_at(to_unit(data.images_u8[chosen.to(data.labels.device)])).to(self.device)
            mean, _ = networks.style_encoder(images, class_condition(labels.to(self.device), self.model))
            styles = torch.cat([colour_of(images), mean], dim=1)
            usual = torch.cdist(styles, styles).mean(dim=1).argmin()
            order = torch.arange(STYLES, device=self.device)
            order[0], order[usual] = usual, 0
            for each in {self.networks, networks}:
                each.styles[label] = styles[order]
        networks.train()


_KINDS = ("redrawn", "restyled", "swapped", "people")


@dataclass(frozen=True)
class _Fakes:
    """Edge maps [M, 1, 64, 64], pictures [M, 4, S, S], first the ``redrawn``; what edge maps are held to; colours."""

    edges: Tensor
    images: Tensor
    labels: Tensor
    targets: Tensor
    colours: Tensor
    kl: Tensor
    redrawn: int


@dataclass(frozen=True)
class _Step:
    """A part of the batch with its fakes, and the features of these and of the photos under the same crops."""

    part: Inputs
    fakes: _Fakes
    features: list[Tensor]
    real_features: list[Tensor]


def _of_all(name: str, part: Inputs) -> Tensor:
    """What every kind of fakes has, in the order of the kinds."""
    return torch.cat([part[f"{name}_{kind}"] for kind in _KINDS])


def _looked_at(images: Tensor) -> Tensor:
    """Pictures as S sees them, at 64 pixels at most."""
    return F.adaptive_avg_pool2d(images, min(64, images.shape[-1]))


def _off_coverage(images: Tensor, part: Inputs) -> Tensor:
    """How far people's fakes, the last ones, cover paper, and leave uncovered what their drawings enclose."""
    body, paper = part["body"], part["paper"]
    shares = (F.adaptive_avg_pool2d(images[len(images) - len(body) :, 3:], SKETCH_PX) + 1) / 2
    beyond = _mean_over(shares, paper)
    missing = F.relu(part["least_covered"] - _mean_over(shares, body)) * (body.sum(dim=(1, 2, 3)) > 0)
    return _mean_or_zero(beyond + missing)


def _mean_over(values: Tensor, where: Tensor) -> Tensor:
    """Mean of each plane where it is asked for, [N]; 0 where it is nowhere."""
    total: Tensor = (values * where).sum(dim=(1, 2, 3)) / where.sum(dim=(1, 2, 3)).clamp_min(1.0)
    return total


def _relative_l1(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Sum over depths of the mean absolute distance, by the size of the features there."""
    return torch.stack([(a - b).abs().mean() / a.abs().mean().clamp_min(1e-6) for a, b in zip(real, fake)]).sum()


def _blurred(planes: Tensor) -> Tensor:
    return F.avg_pool2d(planes, _BLUR_PX, stride=1, padding=_BLUR_PX // 2, count_include_pad=False)


def _mean_or_zero(values: Tensor) -> Tensor:
    return values.mean() if values.numel() else values.sum()
