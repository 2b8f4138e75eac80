"""The recipe of ``drawings``: a handful of one's own drawings move a trained model.

Wang, Bau, Zhu, "Sketch Your Own GAN", ICCV 2021: only the first layers of the generators learn, so that shapes move
while texture, colour and diversity stay. A discriminator on sketches compares with the drawings (equation 1), one on
pictures holds the look (equation 2). That paper's pictures go through a sketching network first; EdgeGAN draws the
edge map beside the picture anyway, so the discriminator looks at it, and a third one, on both, holds each picture to
its edge map. What is real to the second and the third is what the model drew before it was moved: no other pictures
are needed.

E learns too, since it has to find the latents of drawings like these: it decodes the drawings (L1) and finds random
latents again (the paper's equation 4).

The modulated networks have no latents to draw at random: theirs mean nothing but what E reads from a drawing. There
every picture, before and after, is drawn from the distorted drawings themselves, in styles of the model's bank.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import DataError
from edgegan_widget.base.pictures import SKETCH_SUFFIXES, is_sketch
from edgegan_widget.base.words import class_named, known_class
from edgegan_widget.networks.architectures.compact import Discriminator
from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.networks.losses import hinge_discriminator, latent_l1
from edgegan_widget.networks.store import Networks, build_networks
from edgegan_widget.sketch.hands.hand import sketch_like
from edgegan_widget.sketch.hands.warp import place
from edgegan_widget.sketch.sets.folders import readable
from edgegan_widget.training.dataset import Batch, PairDataset
from edgegan_widget.training.recipes import diffaugment
from edgegan_widget.training.recipes.common import BaseRecipe, Inputs, Losses, Parts, adam, move
from edgegan_widget.training.recipes.swd import sliced_wasserstein

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__ = ["Recipe", "load", "model_config"]

WEIGHT_LOOK = 0.7  # of the discriminators on pictures and on pairs, as the paper weighs its second term
WEIGHT_L1 = 10.0
WEIGHT_LATENT = 1.0
ADAM_BETAS = (0.0, 0.99)
MOST_CRITIC_WIDTH = 32  # a few drawings feed no large discriminator
HAND_STRENGTH = 0.5  # the drawings come from a hand already
MOVED = (
    "from_vector",
    "start",
    "start_norm",
    "norm_scale",
    "norm_shift",
)  # the first layers, as the networks name them


def model_config(classes: tuple[str, ...], config: TrainConfig) -> ModelConfig:  # noqa: ARG001
    """The network is the start model's own, whatever classes were drawn."""
    return read_config(find_model(config.start_from or "default"))


def load(config: TrainConfig) -> tuple[PairDataset, PairDataset]:
    """Read ``<drawings>/<class>/*`` as training data, and the same to look at; there is no photo, so none is shown.

    Raises
    ------
    DataError
        The folder holds no drawing of a class that the model knows, or drawings that cannot be read: all are named.
    """
    model = read_config(find_model(config.start_from))
    root = Path(config.drawings)
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    unknown = [folder.name for folder in folders if class_named(folder.name, model.classes) is None]
    if unknown or not folders:
        raise DataError(
            f"{root} has {'folders named ' + ', '.join(unknown) if unknown else 'no folders'}; put the drawings into "
            f"folders named after the model's classes: {', '.join(model.classes)}."
        )
    drawn: list[Tensor] = []
    labels, problems = list[int](), list[str]()
    for folder in folders:
        label = model.classes.index(known_class(folder.name, model.classes))
        for _, sketch in readable(sorted(filter(is_sketch, folder.iterdir())), model.sketch_px, problems.append):
            drawn.append(torch.from_numpy(sketch.copy()))
            labels.append(label)
    if problems:  # so few drawings count one by one: none is left out without being asked
        told, every = " ".join(problems), len(problems) + len(drawn)
        raise DataError(f"{len(problems)} of {every} drawings cannot be used; mend or remove them. {told}")
    if not drawn:
        raise DataError(
            f"{root} holds no drawing ({', '.join(SKETCH_SUFFIXES)}); draw some on the pad and save them there."
        )
    edges = torch.stack(drawn)[:, None]  # [N, 1, S, S]
    scale = model.size_px // model.sketch_px
    shown = edges.repeat_interleave(scale, dim=2).repeat_interleave(scale, dim=3).expand(-1, 3, -1, -1)
    data = PairDataset(shown.contiguous(), edges, torch.tensor(labels), model.classes)
    return data, data


class Recipe(BaseRecipe[Networks, "_Critics"]):
    """One training state, and what the networks were before."""

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        super().__init__(model, config, device)
        self.base = copy.deepcopy(self.networks).requires_grad_(False)
        self.reads_all = isinstance(self.base, ModulatedEdgeGAN)  # latents come from drawings alone
        for name, parameter in self.networks.named_parameters():
            part, _, layer = name.partition(".")
            parameter.requires_grad_(part == "encoder" or layer.partition(".")[0] in MOVED)
        makers = [parameter for parameter in self.networks.parameters() if parameter.requires_grad]
        self.optimizers = {
            "optimizer_makers": adam(makers, config.lr_generator, ADAM_BETAS),
            "optimizer_judges": adam(self.critics.parameters(), config.lr_discriminator, ADAM_BETAS),
        }

    def _make(self) -> tuple[Networks, _Critics]:
        networks = build_networks(self.model).eval()  # batch norm keeps its statistics, and with them the look
        return networks, _Critics(self.model)

    def adopt(self, networks: Mapping[str, Tensor], critics: Mapping[str, Tensor] | None) -> None:  # noqa: ARG002
        """Start from these weights; the critics are always new, since they judge drawings."""
        super().adopt(networks, None)
        self.base.load_state_dict(networks)

    def inputs(self, data: PairDataset, index: int) -> Inputs:
        """Drawings, moved and a little distorted, and the chance of step ``index``."""
        config, count = self.config, self.config.batch_size
        chosen = data.choose(config.seed, index, count, balanced=True).to(self.device)
        random = stream(config.seed, index, "step")
        batch = data.take(chosen)
        edges = place(batch.edges, random, config.mirror)
        drawn = {
            **self._noises(batch.labels, random),
            "augment_real": torch.rand(count, diffaugment.NUMBERS, generator=random),
            "augment_fake": torch.rand(count, diffaugment.NUMBERS, generator=random),
        }
        pictures = {"edges": edges, "sketches": sketch_like(edges, random, HAND_STRENGTH), "labels": batch.labels}
        if self.reads_all:
            others = place(batch.edges, random, config.mirror)
            pictures["base_sketches"] = sketch_like(others, random, HAND_STRENGTH)
        return pictures | {name: value.to(self.device, non_blocking=True) for name, value in drawn.items()}

    def _noises(self, labels: Tensor, random: torch.Generator) -> Inputs:
        """Latents to draw from and noise for E; or styles, where latents are read from drawings."""
        count, size = len(labels), self.model.latent_size
        if isinstance(self.base, ModulatedEdgeGAN):
            bank = self.base.styles[labels]
            chosen = torch.randint(bank.shape[1], (2, count), generator=random).to(bank.device)
            rows = torch.arange(count, device=bank.device)
            return {"noise": bank[rows, chosen[0]], "base_noise": bank[rows, chosen[1]]}
        return {
            "latent": torch.randn(count, size, generator=random),
            "base_latent": torch.randn(count, size, generator=random),
            "noise": torch.randn(count, self.networks.noise_size, generator=random),
        }

    def updates(self, parts: Sequence[Inputs], variant: Hashable = "all") -> Losses:  # noqa: ARG002
        """One update of the three critics, then one of E and the generators' first layers."""
        with self.autocast():
            losses = move([self.optimizers["optimizer_judges"]], self._loss_judges, parts)
            losses |= move([self.optimizers["optimizer_makers"]], self._loss_makers, parts)
        if self.averaged is not None:
            self.averaged.update(self.networks)
        return losses

    def _loss_judges(self, part: Inputs) -> Losses:
        condition = class_condition(part["labels"], self.model)
        with torch.no_grad():
            fake = self._pairs(self.networks, self._latent(self.networks, part, condition), condition)
            base = self._pairs(self.base, self._latent(self.base, part, condition, "base_"), condition)
        drawn = torch.cat([part["edges"], base[:, 1:]], dim=1)  # its picture part is not looked at
        views = {
            name: (self._augment(real, part["augment_real"]), self._augment(fake, part["augment_fake"]))
            for name, real in (("sketch", drawn), ("image", base), ("joint", base))
        }
        return {
            f"discriminator_{name}": hinge_discriminator(
                *(critic(view[:, channels], part["labels"])[0].float() for view in views[name])
            )
            for name, critic, channels in self._critics()
        }

    def _loss_makers(self, part: Inputs) -> Losses:
        condition = class_condition(part["labels"], self.model)
        drawn_from = self._latent(self.networks, part, condition)
        fake = self._pairs(self.networks, drawn_from, condition)
        seen = self._augment(fake, part["augment_fake"])
        losses = {
            f"generator_{name}": -critic(seen[:, channels], part["labels"])[0].float().mean()
            * (1.0 if name == "sketch" else WEIGHT_LOOK)
            for name, critic, channels in self._critics()
        }
        decoded = fake[:, :1]
        if not self.reads_all:
            latent = self._read(self.networks, part, condition)
            decoded = self._pairs(self.networks, latent, condition)[:, :1]
        losses["drawing_l1"] = WEIGHT_L1 * F.l1_loss(decoded.float(), part["edges"])
        own = fake[:, :1].detach().expand(-1, self.model.edge_channels, -1, -1)
        recovered = self.networks.encode(own, condition, torch.zeros_like(part["noise"]))
        size = self.model.shape_size
        losses["latent_l1"] = WEIGHT_LATENT * latent_l1(drawn_from[:, :size].detach(), recovered[:, :size].float())
        return losses

    def _latent(self, networks: Networks, part: Inputs, condition: Tensor, which: str = "") -> Tensor:
        """What pictures are drawn from: random latents, or what E reads from drawings."""
        return self._read(networks, part, condition, which) if self.reads_all else part[f"{which}latent"]

    def _read(self, networks: Networks, part: Inputs, condition: Tensor, which: str = "") -> Tensor:
        sketches = part[f"{which}sketches"].expand(-1, self.model.edge_channels, -1, -1)
        return networks.encode(sketches, condition, part[f"{which}noise"])

    @staticmethod
    def _pairs(networks: Networks, latent: Tensor, condition: Tensor) -> Tensor:
        """Edge map as one channel, and picture over white at its size: [N, 4, S, S]."""
        edge, image = networks.decode(latent, condition)
        image = F.avg_pool2d(image[:, :3], image.shape[-1] // edge.shape[-1])
        return torch.cat([edge.mean(dim=1, keepdim=True), image], dim=1)

    def _augment(self, pairs: Tensor, numbers: Tensor) -> Tensor:
        changed = diffaugment.augment(pairs, numbers, self.config.augment)
        return changed.contiguous(memory_format=torch.channels_last)

    def _critics(self) -> tuple[tuple[str, nn.Module, slice], ...]:
        critics = self.critics
        return (
            ("sketch", critics.sketch, slice(0, 1)), ("image", critics.image, slice(1, 4)),
            ("joint", critics.joint, slice(0, 4)),
        )  # fmt: skip

    def score(self, batch: Batch, edges: Tensor, images: Tensor) -> float:  # noqa: ARG002
        """Sliced Wasserstein distance between drawings and edge maps: there are no photos to compare with."""
        return sliced_wasserstein(batch.edges, edges.mean(dim=1, keepdim=True))

    def parts(self) -> Parts:
        """Everything that the next step depends on."""
        return {**super().parts(), "base": self.base}


class _Critics(nn.Module):
    """Discriminators on sketches, on pictures, and on both."""

    def __init__(self, model: ModelConfig) -> None:
        super().__init__()
        narrow = ModelConfig(
            model.classes,
            "compact",
            size_px=model.sketch_px,
            width=min(MOST_CRITIC_WIDTH, model.width),
            edge_channels=1,
        )
        self.sketch = Discriminator(narrow, 1)
        self.image = Discriminator(narrow, 3)
        self.joint = Discriminator(narrow, 4)
