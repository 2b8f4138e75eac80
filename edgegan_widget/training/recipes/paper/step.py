"""The paper's recipe, as its code runs it: seven updates a step.

Order: D_J, D_I, D_E, C, both generators, E, both generators again. Losses: Gao et al. 2020, section 3.1, equations 1 to
4, with the weights of the training script. Every network has its own RMSProp, as TensorFlow 1 defines it.

The original runs a fresh forward pass for each update. Here the generators draw twice a step instead of nine times:
their weights change only at their own two updates, so what they drew before the first serves all three discriminators
and that update, and what they drew after it serves the encoder and the second. Both generators' losses hold the same
D_J term and share no weights, so one backward pass of the sum gives each its own gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor, nn

from edgegan_widget.base.chance import stream
from edgegan_widget.networks.architectures.paper import (
    Discriminator,
    PaperCritics,
    PaperEdgeGAN,
    class_condition,
    resize_bicubic_double,
)
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.losses import critic_gap, focal, gradient_penalty, latent_l1
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.recipes.common import (
    BaseRecipe,
    Inputs,
    Losses,
    Parts,
    TensorFlowRMSProp,
    load_pictures,
    move,
)

WEIGHT_PENALTY = 10.0
WEIGHT_CLASS = 0.5
WEIGHT_LATENT = 10.0

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__ = ["Recipe", "chance", "load", "model_config"]

Pair: TypeAlias = tuple[Tensor, Tensor]


def model_config(classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:
    """The network that this recipe trains."""
    return ModelConfig(classes, "paper", size_px=config.size_px, width=config.width)


def chance(count: int, latent_size: int, random: torch.Generator) -> dict[str, Tensor]:
    """The random numbers of one step.

    ``latent`` z [N, 100] and ``noise`` (E's, one number for the batch and all of z) are standard normal;
    ``alpha_joint``, ``alpha_image`` and ``alpha_edge`` [N, 1, 1, 1], where each penalty blends, are uniform.
    """
    latent = torch.randn(count, latent_size, generator=random)
    alpha = torch.rand(3, count, 1, 1, 1, generator=random)
    return {
        "latent": latent,
        "alpha_joint": alpha[0],
        "alpha_image": alpha[1],
        "alpha_edge": alpha[2],
        "noise": torch.randn((), generator=random),
    }


def load(config: TrainConfig) -> tuple[PairDataset, PairDataset]:
    """The pictures with their edge maps."""
    return load_pictures(config)


class Recipe(BaseRecipe[PaperEdgeGAN, PaperCritics]):
    """One training state: networks and their optimizers. :meth:`updates` moves it by one batch."""

    makers = ("encoder", "generator_edge", "generator_image")
    gain_on_cpu = False

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        super().__init__(model, config, device)
        modules = {**dict(self.networks.named_children()), **dict(self.critics.named_children())}
        self.optimizers = {
            name: TensorFlowRMSProp(module.parameters(), self.rate(name)) for name, module in modules.items()
        }

    def _make(self) -> tuple[PaperEdgeGAN, PaperCritics]:
        return PaperEdgeGAN(self.model), PaperCritics(self.model)

    def inputs(self, data: PairDataset, index: int) -> Inputs:
        """Real pairs and chance of step ``index``."""
        config = self.config
        chosen = data.choose(config.seed, index, config.batch_size, config.balanced)
        batch = data.take(chosen, stream(config.seed, index, "mirror") if config.mirror else None)
        drawn = chance(config.batch_size, self.model.latent_size, stream(config.seed, index, "step"))
        return {"edges": batch.edges, "images": batch.images, "labels": batch.labels} | {
            name: value.to(self.device, non_blocking=True) for name, value in drawn.items()
        }

    def updates(self, parts: Sequence[Inputs], variant: Hashable = "all") -> Losses:
        """The seven updates on real pairs (edges, images [N, 1 or 3, 64, 64] in [-1, 1]) with the given chance."""
        with self.autocast():
            drawn = [self._draw(part, keep_graph=len(parts) == 1) for part in parts]
            losses = self._move_critics(parts, drawn) if variant != "encoder" else {}
            if variant in ("all", "generators"):
                losses |= self._move_generators(parts, drawn)
                drawn = [self._draw(part, keep_graph=len(parts) == 1) for part in parts]
            if variant in ("all", "encoder"):
                losses |= self._move("encoder", self.loss_latent, parts, drawn, "latent_l1")
            if variant in ("all", "generators"):
                losses |= self._move_generators(parts, drawn)
        if self.averaged is not None:
            self.averaged.update(self.networks)
        return losses

    def loss_joint(self, part: Inputs, drawn: Pair) -> Tensor:
        """D_J's loss on edge map beside picture (equation 1)."""
        real = torch.cat([part["edges"].expand(-1, 3, -1, -1), part["images"]], dim=3)
        return _critic_loss(self.critics.joint, real, torch.cat(drawn, dim=3).detach(), part["alpha_joint"])

    def loss_image(self, part: Inputs, drawn: Pair) -> Tensor:
        """D_I's loss on pictures enlarged to 128."""
        real, fake = (resize_bicubic_double(images) for images in (part["images"], drawn[1].detach()))
        return _critic_loss(self.critics.image, real, fake, part["alpha_image"])

    def loss_edge(self, part: Inputs, drawn: Pair) -> Tensor:
        """D_E's loss on edge maps enlarged to 128."""
        real = part["edges"].expand(-1, 3, -1, -1)
        real, fake = (resize_bicubic_double(edges) for edges in (real, drawn[0].detach()))
        return _critic_loss(self.critics.edge, real, fake, part["alpha_edge"])

    def loss_classifier(self, part: Inputs, drawn: Pair) -> Tensor:  # noqa: ARG002
        """C's focal loss, on real pictures only."""
        return focal(self._classifier()(part["images"]), part["labels"])

    def loss_generators(self, part: Inputs, drawn: Pair) -> tuple[Tensor, Tensor, Tensor]:
        """D_J's term, which both generators share, and the terms of G_E and of G_I alone (equations 2 and 3)."""
        edge, image = drawn
        joint = -self.critics.joint(torch.cat([edge, image], dim=3)).mean()
        of_edge = -self.critics.edge(resize_bicubic_double(edge)).mean()
        of_image = -self.critics.image(resize_bicubic_double(image)).mean()
        if self.critics.classifier is not None:
            of_image = of_image + WEIGHT_CLASS * nn.functional.cross_entropy(
                self._classifier()(image).float(), part["labels"]
            )
        return joint, of_edge, of_image

    def loss_latent(self, part: Inputs, drawn: Pair) -> Tensor:
        """E's loss: z from the edge map that G_E drew of it (equation 4); it trains E alone."""
        recovered = self.networks.encode(drawn[0].detach(), self._condition(part), part["noise"])
        return WEIGHT_LATENT * latent_l1(part["latent"], recovered)

    def parts(self) -> Parts:
        """Everything that the next step depends on."""
        parts = super().parts()
        return {name: parts[name] for name in parts if name not in self.optimizers} | {"optimizers": self.optimizers}

    def _draw(self, part: Inputs, keep_graph: bool) -> Pair:
        with torch.set_grad_enabled(keep_graph):
            return self.networks.decode(part["latent"], self._condition(part))

    def _move_critics(self, parts: Sequence[Inputs], drawn: Sequence[Pair]) -> Losses:
        losses: Losses = {}
        for name in ("joint", "image", "edge"):
            losses |= self._move(name, getattr(self, f"loss_{name}"), parts, drawn, f"discriminator_{name}")
        if self.critics.classifier is not None:
            losses |= self._move("classifier", self.loss_classifier, parts, drawn, "classifier")
        return losses

    def _move_generators(self, parts: Sequence[Inputs], drawn: Sequence[Pair]) -> Losses:
        """Both generators from one forward pass; their losses as the paper has them, with D_J's term in each."""

        def losses_of(given: tuple[Inputs, Pair]) -> Losses:
            part, pair = given
            pair = pair if pair[0].requires_grad else self._draw(part, keep_graph=True)
            joint, of_edge, of_image = self.loss_generators(part, pair)
            return {"joint": joint, "edge": of_edge, "image": of_image}

        optimizers = [self.optimizers[name] for name in ("generator_edge", "generator_image")]
        terms = move(optimizers, losses_of, list(zip(parts, drawn)))
        return {f"generator_{name}": terms["joint"] + terms[name] for name in ("edge", "image")}

    def _move(
        self,
        network: str,
        loss: Callable[[Inputs, Pair], Tensor],
        parts: Sequence[Inputs],
        drawn: Sequence[Pair],
        name: str,
    ) -> Losses:
        def losses_of(given: tuple[Inputs, Pair]) -> Losses:
            return {name: loss(*given)}

        return move([self.optimizers[network]], losses_of, list(zip(parts, drawn)))

    def class_logits(self, images: Tensor) -> Tensor | None:
        """C's, of the colours alone."""
        if self.critics.classifier is None:
            return None
        logits: Tensor = self.critics.classifier(images[:, :3])
        return logits

    def _condition(self, part: Inputs) -> Tensor:
        return class_condition(part["labels"], self.model).to(part["latent"].dtype)

    def _classifier(self) -> nn.Module:
        if self.critics.classifier is None:
            raise ValueError("a model of one class has no classifier")
        return self.critics.classifier


def _critic_loss(critic: Discriminator, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    gap = critic_gap(critic(fake), critic(real))
    return gap + WEIGHT_PENALTY * gradient_penalty(critic, real, fake, alpha)
