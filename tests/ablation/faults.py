"""The paper's training step in which each fault of an earlier port can be switched on alone.

An earlier port of EdgeGAN to torch did not converge. Reading it tells what was wrong, not what mattered. Here every
fault is a switch, so that one can be trained at a time; without any, the step is the package's ``paper`` recipe.

The port's last fault, a checkpoint that was never written because its condition was never true, does not touch the
training and is left out.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.networks.architectures import paper as nets
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.losses import critic_gap, focal, gradient_penalty, latent_l1
from edgegan_widget.training.recipes.common import TensorFlowRMSProp

__all__ = ["VARIANTS", "Fault", "Inputs", "Setting", "Training", "draw_inputs"]

WEIGHT_PENALTY = 10.0
WEIGHT_CLASS = 0.5
WEIGHT_LATENT = 10.0
WIDE = 10.0  # 0.2 for 0.02
PORT_SLOPE = 0.01  # torch's own default
MAKERS = ("generator_edge", "generator_image")

Inputs = Mapping[str, Tensor]
Losses = dict[str, Tensor]


class Fault(enum.Enum):
    """What the earlier port did differently, each with the smallest change that brings it about."""

    ONE_OPTIMIZER = "one forward pass, all losses summed, one backward pass, one optimizer for every network"
    SWAPPED_SIGNS = "D_J and D_I minimise D(real) - D(fake), so they agree with the generators instead of opposing them"
    FIRST_ORDER_PENALTY = "the penalty's gradient is a constant to the backward pass, so the penalty trains nothing"
    INSTANCE_NORM_START = "instance norm where both generators have batch norm"
    SMALL_DECONV = "4x4 transposed convolutions for 5x5"
    BIASED_DISCRIMINATORS = "biases in the discriminators' convolutions and slope 0.01 for 0.2"
    FORGETFUL_CLASSIFIER = "the classifier's convolutions are made anew, with random weights, at every call"
    DOUBLE_SOFTMAX = "cross entropy of what is a softmax already; the focal factor multiplies a mean, not each picture"
    FROZEN_NOISE = "the encoder's noise is drawn once, when it is made"
    WIDE_INIT = "initial deviation 0.2 for 0.02, in every network"
    TORCH_RMSPROP = "torch's RMSprop as it comes: decay 0.99, epsilon 1e-8 outside the root, mean square from zero"
    SINGLE_GENERATOR_UPDATE = "both generators move once a step, not twice"

    @property
    def label(self) -> str:
        """The name on the command line."""
        return self.name.lower()


# With weights that start at random, the order in which a feature map is flattened before a linear layer is a renaming
# of that layer's inputs. It matters only when weights are carried over, so the port's wrong order is no switch here.

VARIANTS: dict[str, frozenset[Fault]] = {
    "none": frozenset(),
    "all": frozenset(Fault),
    **{fault.label: frozenset({fault}) for fault in Fault},
}


@dataclass(frozen=True)
class Setting:
    """How large the experiment is.

    The paper's rate is 2e-4 at width 64. RMSProp moves every weight by about the rate whatever its gradient, so that
    what a layer puts out moves by rate times width: a narrow network needs a higher rate to learn as much in as many
    steps. The classifier costs more than all else, so it has a width of its own.
    """

    classes: tuple[str, ...]
    width: int = 16
    classifier_width: int = 8
    latent_size: int = 100
    rate: float = 2e-4
    seed: int = 0

    def model(self) -> ModelConfig:
        return ModelConfig(self.classes, "paper", latent_size=self.latent_size, width=self.width)


def draw_inputs(edges: Tensor, images: Tensor, labels: Tensor, latent_size: int, random: torch.Generator) -> Inputs:
    """One step's real pairs (edges and images [N, 3, 64, 64]) and all the chance in it."""
    count = len(labels)
    alphas = torch.rand(3, count, 1, 1, 1, generator=random)
    return {
        "edges": edges,
        "images": images,
        "labels": labels,
        "latent": torch.randn(count, latent_size, generator=random),
        "noise": torch.randn((), generator=random),
        **{f"alpha_{name}": alpha for name, alpha in zip(("joint", "image", "edge"), alphas)},
    }


# --- networks


class NormedStart(nn.Linear):
    """The generators' first layer with instance norm on its 4x4 maps, which leaves the batch norm after it idle."""

    def forward(self, x: Tensor) -> Tensor:
        maps = super().forward(x).view(x.shape[0], -1, 4, 4)
        return nets.instance_norm(maps).flatten(1)


class BiasedDiscriminator(nets.Discriminator):
    """D with biases and torch's own slope. Behind instance norm a bias is subtracted again: only the first acts."""

    def __init__(self, config: ModelConfig, sides: tuple[int, int]) -> None:
        super().__init__(config, sides)
        for conv in self.convs:
            conv.bias = nn.Parameter(torch.zeros(conv.out_channels))

    def forward(self, picture: Tensor) -> Tensor:
        x = F.leaky_relu(self.convs[0](picture), PORT_SLOPE)
        for conv in self.convs[1:]:
            x = F.leaky_relu(nets.instance_norm(conv(x)), PORT_SLOPE)
        logit: Tensor = self.to_logit(x.flatten(1))
        return logit


class ForgetfulClassifier(nets.Classifier):
    """C that keeps its slopes and its last layer, and has new convolutions at every call."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.config = config

    def forward(self, picture: Tensor) -> Tensor:
        kept = {name: value for name, value in self.named_parameters() if is_kept(name)}
        fresh = nets.Classifier(self.config).requires_grad_(False)
        logits: Tensor = torch.func.functional_call(fresh, kept, (picture,))
        return logits


def is_kept(name: str) -> bool:
    """Does this parameter of the forgetful classifier survive a call?"""
    return name.endswith("slope") or name.startswith("to_logits")


def shrink_deconvs(generator: nets.Generator) -> None:
    """Put 4x4 kernels into a generator.

    With ``output_padding`` torch adds the row and column that the generator then cuts off, so the sides stay 8 to 64.
    """
    for number, old in enumerate(generator.deconvs):
        new = nn.ConvTranspose2d(old.in_channels, old.out_channels, 4, stride=2, padding=1, output_padding=1)
        nn.init.normal_(new.weight, std=nets.INIT_DEVIATION)
        nn.init.zeros_(new.bias)
        generator.deconvs[number] = new


def norm_start(generator: nets.Generator) -> None:
    """Put instance norm into a generator, keeping its weights."""
    old = generator.start
    generator.start = NormedStart(old.in_features, old.out_features)
    generator.start.load_state_dict(old.state_dict())


def widen(network: nn.Module) -> None:
    """Multiply what was drawn with deviation 0.02; C's last layer is drawn otherwise, biases and slopes not at all."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("weight") and not name.endswith("to_logits.weight"):
                parameter.mul_(WIDE)


def make_networks(setting: Setting, faults: frozenset[Fault]) -> nn.ModuleDict:
    """All seven networks. Without faults in the networks, the draws from the seed are those of the paper's recipe."""
    model = setting.model()
    discriminator = BiasedDiscriminator if Fault.BIASED_DISCRIMINATORS in faults else nets.Discriminator
    classifier = ForgetfulClassifier if Fault.FORGETFUL_CLASSIFIER in faults else nets.Classifier
    torch.manual_seed(setting.seed)
    makers = nets.PaperEdgeGAN(model)
    networks = nn.ModuleDict(dict(makers.named_children()))
    networks["joint"] = discriminator(model, (64, 128))
    networks["edge"] = discriminator(model, (128, 128))
    networks["image"] = discriminator(model, (128, 128))
    networks["classifier"] = classifier(dataclasses.replace(model, width=setting.classifier_width))
    for generator in (networks[name] for name in MAKERS):
        if Fault.SMALL_DECONV in faults:
            shrink_deconvs(generator)
        if Fault.INSTANCE_NORM_START in faults:
            norm_start(generator)
    if Fault.WIDE_INIT in faults:
        widen(networks)
    return networks


# --- losses


def flat_penalty(critic: nn.Module, real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    """The penalty's value without its derivative.

    The port took the gradient without ``create_graph``: the number is right, and training never sees it.
    """
    with torch.enable_grad():
        return gradient_penalty(critic, real, fake, alpha).detach()


def double_softmax_focal(logits: Tensor, labels: Tensor) -> Tensor:
    """mean((1 - p)^2) * mean(cross entropy of the softmax), for the paper's mean((1 - p)^2 * cross entropy)."""
    seen = logits.softmax(dim=1)
    right = seen.gather(1, labels[:, None])[:, 0]
    return ((1 - right).square() * F.cross_entropy(seen, labels)).mean()


# --- one step


class Training:
    """Networks, optimizers and the step, with these faults."""

    def __init__(self, setting: Setting, faults: Iterable[Fault] = ()) -> None:
        self.setting, self.faults = setting, frozenset(faults)
        self.model = setting.model()
        self.networks = make_networks(setting, self.faults)
        self.frozen_noise = torch.randn(1, setting.latent_size, generator=torch.Generator().manual_seed(setting.seed))
        self.optimizers = self._make_optimizers()

    def has(self, fault: Fault) -> bool:
        return fault in self.faults

    def step(self, inputs: Inputs) -> Losses:
        """Seven updates: D_J, D_I, D_E, C, both generators, E, both generators. Or what a fault makes of them."""
        if self.has(Fault.ONE_OPTIMIZER):
            return self._step_at_once(inputs)
        losses: Losses = {}
        fakes = self.draw(inputs["latent"], inputs["labels"])
        flat = [fake.detach() for fake in fakes]
        for name in ("joint", "image", "edge"):
            losses[name] = self._move([name], self.loss_critic(name, inputs, flat))
        losses["classifier"] = self._move(["classifier"], self.loss_classifier(inputs))
        losses["generators"] = self._move(MAKERS, self.loss_generators(inputs, fakes))
        fakes = self.draw(inputs["latent"], inputs["labels"])
        losses["latent"] = self._move(["encoder"], self.loss_latent(inputs, fakes[0].detach()))
        if not self.has(Fault.SINGLE_GENERATOR_UPDATE):
            losses["generators"] = self._move(MAKERS, self.loss_generators(inputs, fakes))
        return losses

    def draw(self, latent: Tensor, labels: Tensor) -> list[Tensor]:
        """Edge maps and pictures [N, 3, 64, 64] from z."""
        condition = nets.class_condition(labels, self.model)
        return [self.networks[name](latent, condition) for name in MAKERS]

    def encode(self, sketches: Tensor, noise: Tensor) -> Tensor:
        """z from sketches [N, 3, 64, 64]."""
        mean, log_sigma = self.networks["encoder"](sketches)
        noise = self.frozen_noise if self.has(Fault.FROZEN_NOISE) else noise
        latent: Tensor = mean + noise * log_sigma.exp()
        return latent

    def loss_critic(self, name: str, inputs: Inputs, fakes: Sequence[Tensor]) -> Tensor:
        """The loss of D_J, D_I or D_E (equation 1)."""
        critic = self.networks[name]
        real, fake = critic_views(name, [inputs["edges"], inputs["images"]]), critic_views(name, fakes)
        gap = critic_gap(critic(fake), critic(real))
        if self.has(Fault.SWAPPED_SIGNS) and name != "edge":
            gap = -gap
        penalty = flat_penalty if self.has(Fault.FIRST_ORDER_PENALTY) else gradient_penalty
        return gap + WEIGHT_PENALTY * penalty(critic, real, fake, inputs[f"alpha_{name}"])

    def loss_classifier(self, inputs: Inputs) -> Tensor:
        """C's focal loss on real pictures."""
        loss = double_softmax_focal if self.has(Fault.DOUBLE_SOFTMAX) else focal
        return loss(self.networks["classifier"](inputs["images"]), inputs["labels"])

    def loss_generators(self, inputs: Inputs, fakes: Sequence[Tensor], joint_terms: int = 1) -> Tensor:
        """Equations 2 and 3. D_J's term is in both; their gradients are taken apart, so once is enough."""
        scores = {name: self.networks[name](critic_views(name, fakes)).mean() for name in ("joint", "edge", "image")}
        logits = self.networks["classifier"](fakes[1])
        seen = logits.softmax(dim=1) if self.has(Fault.DOUBLE_SOFTMAX) else logits
        wrong = F.cross_entropy(seen, inputs["labels"])
        return -joint_terms * scores["joint"] - scores["edge"] - scores["image"] + WEIGHT_CLASS * wrong

    def loss_latent(self, inputs: Inputs, fake_edges: Tensor) -> Tensor:
        """E's loss (equation 4)."""
        return WEIGHT_LATENT * latent_l1(inputs["latent"], self.encode(fake_edges, inputs["noise"]))

    def losses_at_once(self, inputs: Inputs) -> Losses:
        """Every loss of one forward pass, with nothing detached, as their sum needs them.

        Summed, a generator's -D_E(fake) cancels D_E's own +D_E(fake): G_E learns nothing from D_E, and D_E only that
        real is high. D_J is even asked to find fakes high, for its term is in the losses of both generators.
        """
        fakes = self.draw(inputs["latent"], inputs["labels"])
        return {
            **{name: self.loss_critic(name, inputs, fakes) for name in ("joint", "image", "edge")},
            "classifier": self.loss_classifier(inputs),
            "generators": self.loss_generators(inputs, fakes, joint_terms=len(MAKERS)),
            "latent": self.loss_latent(inputs, fakes[0]),
        }

    def _step_at_once(self, inputs: Inputs) -> Losses:
        losses = self.losses_at_once(inputs)
        self._move(list(self.networks), torch.stack(list(losses.values())).sum())
        return {name: loss.detach() for name, loss in losses.items()}

    def _make_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        kind = torch.optim.RMSprop if self.has(Fault.TORCH_RMSPROP) else TensorFlowRMSProp
        if self.has(Fault.ONE_OPTIMIZER):
            return dict.fromkeys(self.networks, kind(self.networks.parameters(), lr=self.setting.rate))
        return {name: kind(network.parameters(), lr=self.setting.rate) for name, network in self.networks.items()}

    def _move(self, names: Sequence[str], loss: Tensor) -> Tensor:
        """One update of these networks. A parameter that the loss does not reach (forgotten weights) stays."""
        parameters = list(itertools.chain.from_iterable(self.networks[name].parameters() for name in names))
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True)):
            parameter.grad = gradient
        for optimizer in {id(self.optimizers[name]): self.optimizers[name] for name in names}.values():
            optimizer.step()
            optimizer.zero_grad()
        return loss.detach()


def critic_views(name: str, pair: Sequence[Tensor]) -> Tensor:
    """What D_J, D_E or D_I sees of edge maps and pictures."""
    edges, images = pair
    if name == "joint":
        return torch.cat([edges, images], dim=3)
    return nets.resize_bicubic_double(edges if name == "edge" else images)
