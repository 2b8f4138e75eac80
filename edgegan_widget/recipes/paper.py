"""The paper's recipe, as its code runs it: seven updates a step, each after a fresh forward pass.

Order: D_J, D_I, D_E, C, both generators, E, both generators again. Losses: Gao et al. 2020, section 3.1, equations 1 to
4, with the weights of the training script. Every network has its own RMSProp, as TensorFlow 1 defines it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from edgegan_widget.chance import stream
from edgegan_widget.config import ModelConfig, TrainConfig
from edgegan_widget.dataset import Batch, PairDataset
from edgegan_widget.losses import critic_gap, focal, gradient_penalty, latent_l1
from edgegan_widget.nets import Discriminator, PaperCritics, PaperEdgeGAN, class_condition, resize_bicubic_double

WEIGHT_PENALTY = 10.0
WEIGHT_CLASS = 0.5
WEIGHT_LATENT = 10.0


def model_config(classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:
    """The network that this recipe trains."""
    return ModelConfig(classes, "paper", size_px=config.size_px, width=config.width)


class TensorFlowRMSProp(torch.optim.Optimizer):
    """RMSProp as TensorFlow 1 has it (Tieleman and Hinton 2012): p -= rate * g / sqrt(mean square + epsilon).

    The mean square starts at one and epsilon lies inside the root; torch's own starts at zero with epsilon outside,
    and its first steps are 4 to 26 times longer.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, decay: float = 0.9, epsilon: float = 1e-10
    ) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay, "epsilon": epsilon})
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["mean_square"] = torch.ones_like(parameter)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not moved:
                continue
            gradients = [parameter.grad for parameter in moved]
            means = [self.state[parameter]["mean_square"] for parameter in moved]
            torch._foreach_mul_(means, group["decay"])
            torch._foreach_addcmul_(means, gradients, gradients, value=1 - group["decay"])
            lengths = torch._foreach_add(means, group["epsilon"])
            torch._foreach_sqrt_(lengths)
            torch._foreach_addcdiv_(moved, gradients, lengths, value=-group["lr"])


class Chance:
    """The random numbers of one step: z [N, 100], penalty blends alpha [3, N, 1, 1, 1] (D_J, D_I, D_E), E's noise."""

    def __init__(self, latent: Tensor, alpha: Tensor, noise: Tensor) -> None:
        self.latent, self.alpha, self.noise = latent, alpha, noise

    @classmethod
    def draw(cls, count: int, latent_size: int, random: torch.Generator, device: torch.device) -> Chance:
        """Z and the noise are standard normal, alpha is uniform."""
        latent = torch.randn(count, latent_size, generator=random)
        alpha = torch.rand(3, count, 1, 1, 1, generator=random)
        noise = torch.randn((), generator=random)  # one number for the batch and all of z
        return cls(latent.to(device), alpha.to(device), noise.to(device))


class Recipe:
    """One training state: networks and their optimizers. :meth:`step` moves it by one batch."""

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        self.model, self.config, self.device = model, config, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.networks = PaperEdgeGAN(model).to(device)
            self.critics = PaperCritics(model).to(device)
        modules = {**dict(self.networks.named_children()), **dict(self.critics.named_children())}
        self.optimizers = {
            name: TensorFlowRMSProp(module.parameters(), self._rate(name)) for name, module in modules.items()
        }

    def batch(self, data: PairDataset, index: int) -> Batch:
        """Batch ``index`` of the run."""
        return data.shuffled(self.config.seed, index, self.config.batch_size)

    def step(self, batch: Batch, index: int, rate_factor: float) -> dict[str, Tensor]:
        """Seven updates; losses by name, still on the device."""
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self._rate(name) * rate_factor
        random = stream(self.config.seed, index, "step")
        chance = Chance.draw(len(batch.labels), self.model.latent_size, random, self.device)
        return self.updates(batch.edges.expand(-1, 3, -1, -1), batch.images, batch.labels, chance)

    def updates(self, edges: Tensor, images: Tensor, labels: Tensor, chance: Chance) -> dict[str, Tensor]:
        """The seven updates on real pairs (edges, images [N, 3, 64, 64] in [-1, 1]) with the given chance."""
        condition = class_condition(labels, self.model)
        losses = {}
        losses["discriminator_joint"] = self._move_one("joint", self.loss_joint(edges, images, condition, chance))
        losses["discriminator_image"] = self._move_one("image", self.loss_image(images, condition, chance))
        losses["discriminator_edge"] = self._move_one("edge", self.loss_edge(edges, condition, chance))
        if self.critics.classifier is not None:
            losses["classifier"] = self._move_one("classifier", self.loss_classifier(images, labels))
        losses |= self._move_generators(condition, labels, chance)
        losses["latent_l1"] = self._move_one("encoder", self.loss_latent(condition, chance))
        return losses | self._move_generators(condition, labels, chance)

    def loss_joint(self, edges: Tensor, images: Tensor, condition: Tensor, chance: Chance) -> Tensor:
        """D_J's loss on edge map beside picture (equation 1)."""
        with torch.no_grad():
            fake = torch.cat(self.networks.decode(chance.latent, condition), dim=3)
        return _critic_loss(self.critics.joint, torch.cat([edges, images], dim=3), fake, chance.alpha[0])

    def loss_image(self, images: Tensor, condition: Tensor, chance: Chance) -> Tensor:
        """D_I's loss on pictures enlarged to 128."""
        with torch.no_grad():
            fake = resize_bicubic_double(self.networks.generator_image(chance.latent, condition))
        return _critic_loss(self.critics.image, resize_bicubic_double(images), fake, chance.alpha[1])

    def loss_edge(self, edges: Tensor, condition: Tensor, chance: Chance) -> Tensor:
        """D_E's loss on edge maps enlarged to 128."""
        with torch.no_grad():
            fake = resize_bicubic_double(self.networks.generator_edge(chance.latent, condition))
        return _critic_loss(self.critics.edge, resize_bicubic_double(edges), fake, chance.alpha[2])

    def loss_classifier(self, images: Tensor, labels: Tensor) -> Tensor:
        """C's focal loss, on real pictures only."""
        return focal(self._classifier()(images), labels)

    def loss_generators(self, condition: Tensor, labels: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
        """Losses of G_E and of G_I; the second includes C's cross entropy on the fakes (equation 3)."""
        edge, image = self.networks.decode(chance.latent, condition)
        joint = -self.critics.joint(torch.cat([edge, image], dim=3)).mean()
        loss_edge = joint - self.critics.edge(resize_bicubic_double(edge)).mean()
        loss_image = joint - self.critics.image(resize_bicubic_double(image)).mean()
        if self.critics.classifier is not None:
            loss_image = loss_image + WEIGHT_CLASS * nn.functional.cross_entropy(self._classifier()(image), labels)
        return loss_edge, loss_image

    def loss_latent(self, condition: Tensor, chance: Chance) -> Tensor:
        """E's loss: z from the edge map that G_E drew of it (equation 4); it trains E alone."""
        with torch.no_grad():
            edge = self.networks.generator_edge(chance.latent, condition)
        return WEIGHT_LATENT * latent_l1(chance.latent, self.networks.encode(edge, condition, chance.noise))

    def drawing_networks(self) -> PaperEdgeGAN:
        """The latest weights; the paper keeps no running mean."""
        return self.networks

    def state_dict(self) -> dict[str, object]:
        """Everything that the next step depends on."""
        return {
            "networks": self.networks.state_dict(),
            "critics": self.critics.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.networks.load_state_dict(state["networks"])
        self.critics.load_state_dict(state["critics"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])

    def _rate(self, name: str) -> float:
        makers = ("encoder", "generator_edge", "generator_image")
        return self.config.lr_generator if name in makers else self.config.lr_discriminator

    def _classifier(self) -> nn.Module:
        if self.critics.classifier is None:
            raise ValueError("a model of one class has no classifier")
        return self.critics.classifier

    def _move_one(self, name: str, loss: Tensor) -> Tensor:
        optimizer = self.optimizers[name]
        parameters = optimizer.param_groups[0]["params"]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = gradient
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    def _move_generators(self, condition: Tensor, labels: Tensor, chance: Chance) -> dict[str, Tensor]:
        """Both generators from one forward pass, each by its own loss."""
        names = ("generator_edge", "generator_image")
        losses = self.loss_generators(condition, labels, chance)
        gradients = [
            torch.autograd.grad(loss, self.optimizers[name].param_groups[0]["params"], retain_graph=True)
            for name, loss in zip(names, losses)
        ]
        for name, of_one in zip(names, gradients):
            for parameter, gradient in zip(self.optimizers[name].param_groups[0]["params"], of_one):
                parameter.grad = gradient
            self.optimizers[name].step()
            self.optimizers[name].zero_grad(set_to_none=True)
        return {name: loss.detach() for name, loss in zip(names, losses)}


def _critic_loss(critic: Discriminator, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    gap = critic_gap(critic(fake), critic(real))
    return gap + WEIGHT_PENALTY * gradient_penalty(critic, real, fake, alpha)
