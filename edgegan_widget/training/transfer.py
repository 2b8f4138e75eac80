"""Weights of a trained model for other classes: rows of the class condition are carried over by name.

Every other weight is taken as it is. A new class starts as the mean of the old ones, or as a copy of the old class
that it resembles most (:func:`nearest_classes`). A model of one class takes no condition: where its class's column can
be taken into the bias, it is, so that it draws what the larger model drew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN, colour_of
from edgegan_widget.networks.architectures.paper import class_condition
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.store import Networks
from edgegan_widget.networks.styles import COLOUR_NUMBERS
from edgegan_widget.training.dataset import Batch, PairDataset

__all__ = ["carry_over", "nearest_classes"]

ClassLogits = Callable[[Tensor], "Tensor | None"]

LOOKED_AT = 32  # pictures of a new class
ROUGHLY_PX = 4  # squares of pixels that are compared as one: details never agree


class _Slices(NamedTuple):
    """Weights with a slice for each class."""

    name: str  # pattern
    axis: int
    always: bool = False  # whether a model of one class has the slice too
    first: bool = False  # the classes' slices come before the others
    in_bias: bool = False  # the condition enters through a linear map, whose bias can take a column in


_VECTOR = (
    _Slices(r"generator_(edge|image)\.start\.weight", 1),
    _Slices(r"(encoder|style_encoder)\.from_picture\.weight", 1),
    _Slices(r"classifier\.to_logits\.(weight|bias|u)", 0, always=True),
)
_MODULATED = (
    _Slices(r"(encoder|style_encoder)\..*modulation\.weight", 1, in_bias=True),
    _Slices(r"generator_(edge|image)\.embed\.0\.weight", 1, first=True, in_bias=True),  # the style's columns follow
    _Slices(r"styles", 0, always=True),
    _Slices(r"(joint|image\.\d+)\.class_rows\.parametrizations\.weight\.(original|0\._u)", 0, always=True),
    _Slices(r"classifier\.(weight|bias)", 0, always=True),
)
CLASS_AXES = {"paper": _VECTOR, "compact": _VECTOR, "modulated": _MODULATED}


def carry_over(
    weights: Mapping[str, Tensor], fresh: Mapping[str, Tensor], old: ModelConfig, new: ModelConfig, like: Sequence[int]
) -> dict[str, Tensor]:
    """The old model's weights in the new model's shapes.

    Parameters
    ----------
    weights, fresh
        The old model's weights and freshly made ones of the new model, by name.
    old, new
        Their settings; all but the classes must agree.
    like
        For each new class the number of the old class it starts from, or -1 for the mean of all.

    Raises
    ------
    ModelError
        A weight does not fit for another reason than the classes.
    """
    made = {}
    for name, target in fresh.items():
        if name not in weights:
            made[name] = target.clone()  # a classifier that the model of one class did not need
            continue
        value, slices = weights[name], _slices_of(name, old)
        if slices is not None:
            had, needs = (len(each.classes) if slices.always else each.condition_size for each in (old, new))
            value = _reclassed(value, slices, had, needs, like)
        value = value + _dropped(weights, name, old, new, like)
        if value.shape != target.shape:
            raise ModelError(
                f"{name} is {list(value.shape)} in the model to start from, {list(target.shape)} are needed; "
                "fine-tuning keeps the model's width and picture size, so leave those settings alone."
            )
        made[name] = value
    return made


def _slices_of(name: str, config: ModelConfig) -> _Slices | None:
    return next((slices for slices in CLASS_AXES[config.architecture] if re.fullmatch(slices.name, name)), None)


def _dropped(
    weights: Mapping[str, Tensor], name: str, old: ModelConfig, new: ModelConfig, like: Sequence[int]
) -> Tensor | int:
    """What a bias takes in where the model becomes one of a single class: the column of that class."""
    beside = re.sub(r"bias$", "weight", name)
    slices = _slices_of(beside, old)
    if new.condition_size or not old.condition_size or beside == name or slices is None or not slices.in_bias:
        return 0
    rows = _parted(weights[beside], slices, old.condition_size)[1]
    return _row(rows, slices.axis, like[0]).squeeze(slices.axis)


def _reclassed(value: Tensor, slices: _Slices, had: int, needs: int, like: Sequence[int]) -> Tensor:
    """``value`` with the old classes' slices replaced by one for each new class."""
    axis = slices.axis
    kept, rows = _parted(value, slices, had)
    shape = list(value.shape)
    shape[axis] = needs  # none where a model of one class takes no condition
    if had and needs:
        made = torch.cat([_row(rows, axis, number) for number in like], dim=axis)
    else:
        made = value.new_zeros(shape)
    return torch.cat([made, kept] if slices.first else [kept, made], dim=axis)


def _parted(value: Tensor, slices: _Slices, had: int) -> tuple[Tensor, Tensor]:
    """What is no class's, and the slices of the ``had`` classes."""
    others = value.shape[slices.axis] - had
    parts = torch.split(value, [had, others] if slices.first else [others, had], dim=slices.axis)
    return (parts[1], parts[0]) if slices.first else (parts[0], parts[1])


def _row(rows: Tensor, axis: int, number: int) -> Tensor:
    """The slice of a class, or the mean of all for -1."""
    return rows.mean(dim=axis, keepdim=True) if number < 0 else rows.narrow(axis, number, 1)


@torch.no_grad()
def nearest_classes(
    networks: Networks, data: PairDataset, class_logits: ClassLogits = lambda _: None
) -> dict[str, str]:
    """For each class of the data that the model does not know, the one that its pictures resemble most.

    Parameters
    ----------
    networks
        The model.
    data
        Pictures of new classes, and perhaps of known ones.
    class_logits
        What the model's own classifier takes pictures for, as
        :meth:`~edgegan_widget.training.recipes.common.BaseRecipe.class_logits` gives it. Without one (None) that class
        is taken as which the model redraws the pictures best.

    Notes
    -----
    Of the shipped model's 18 classes, held out and under another name, the classifier finds all, redrawing half.
    """
    found = {}
    for label, name in enumerate(data.classes):
        if name in networks.config.classes:
            continue
        batch = data.take(torch.nonzero(data.labels == label)[:LOOKED_AT, 0])
        logits = class_logits(batch.images)
        likeness = _redrawn(networks, batch) if logits is None else logits.float().log_softmax(dim=1).mean(dim=0)
        found[name] = networks.config.classes[int(likeness.argmax())]
    return found


def _redrawn(networks: Networks, batch: Batch) -> Tensor:
    """How near pictures are to what the model decodes from their edge maps as each class: [classes], 0 at most."""
    config = networks.config
    sketches = batch.edges.expand(-1, config.edge_channels, -1, -1)
    real = F.avg_pool2d(batch.images, ROUGHLY_PX)
    likeness = []
    for number in range(len(config.classes)):
        labels = torch.full((len(sketches),), number, device=sketches.device)
        condition = class_condition(labels, config)
        noise = _noise_for(networks, number, batch.images)
        _, images = networks.decode(networks.encode(sketches, condition, noise), condition)
        likeness.append(-F.l1_loss(F.avg_pool2d(images, ROUGHLY_PX), real))
    return torch.stack(likeness)


def _noise_for(networks: Networks, number: int, images: Tensor) -> Tensor:
    """None, or where styles are kept the most usual one of a class in the colours of the pictures; [N, n]."""
    if not isinstance(networks, ModulatedEdgeGAN):
        return torch.zeros(len(images), networks.noise_size, device=images.device)
    learnt = networks.styles[number, :1, COLOUR_NUMBERS:].expand(len(images), -1)
    return torch.cat([colour_of(images), learnt], dim=1)
