"""Weights of a trained model for other classes: rows of the class condition are carried over by name.

Every other weight is taken as it is. A new class starts as the mean of the old ones, or as a copy of the old class
that it resembles most (:func:`nearest_classes`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.checkpoint import Networks
from edgegan_widget.config import ModelConfig
from edgegan_widget.dataset import PairDataset
from edgegan_widget.errors import ModelError
from edgegan_widget.nets import class_condition

__all__ = ["carry_over", "nearest_classes"]

LOOKED_AT = 32  # pictures of a new class that are compared with what each old class makes of them

# Weights with a slice for each class: pattern of the name, axis, and whether a model of one class has the slice too.
CLASS_AXES: tuple[tuple[str, int, bool], ...] = (
    (r"generator_(edge|image)\.start\.weight", 1, False),
    (r"(encoder|style_encoder)\.from_picture\.weight", 1, False),
    (r"(joint|image)\.class_rows\.parametrizations\.weight\.original", 0, True),
    (r"(joint|image)\.class_rows\.parametrizations\.weight\.0\._u", 0, True),
    (r"(encoder|style_encoder)\..*modulation\.weight", 1, False),
    (r"generator_edge\.embed\.0\.weight", 1, False),
    (r"styles", 0, True),
    (r"classifier\.to_logits\.(weight|bias|u)", 0, True),
)


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
        axis = next((axis for pattern, axis, _ in CLASS_AXES if re.fullmatch(pattern, name)), None)
        always = any(always for pattern, _, always in CLASS_AXES if re.fullmatch(pattern, name))
        value = weights[name]
        if axis is not None:
            had, needs = (len(each.classes) if always else each.condition_size for each in (old, new))
            value = _reclassed(value, axis, had, needs, like)
        if value.shape != target.shape:
            raise ModelError(
                f"{name} is {list(value.shape)} in the model to start from, {list(target.shape)} are needed; "
                "fine-tuning keeps the model's width and picture size, so leave those settings alone."
            )
        made[name] = value
    return made


def _reclassed(value: Tensor, axis: int, had: int, needs: int, like: Sequence[int]) -> Tensor:
    """``value`` with its last ``had`` slices along ``axis`` replaced by one for each new class."""
    kept, rows = torch.split(value, [value.shape[axis] - had, had], dim=axis)
    if not needs:
        return kept  # a model of one class takes no condition
    if not had:
        shape = list(value.shape)
        shape[axis] = needs
        return torch.cat([kept, value.new_zeros(shape)], dim=axis)
    mean = rows.mean(dim=axis, keepdim=True)
    chosen = [mean if number < 0 else rows.narrow(axis, number, 1) for number in like]
    return torch.cat([kept, *chosen], dim=axis)


@torch.no_grad()
def nearest_classes(networks: Networks, data: PairDataset) -> dict[str, str]:
    """For each class of the data that the model does not know, the one as which it redraws its pictures best.

    Best is the least mean absolute difference between pictures and what the model decodes from their edge maps. That
    is a guess: of the shipped model's 14 classes under another name 8 are found, and most others fall on similar goods.
    """
    config = networks.config
    found = {}
    for label, name in enumerate(data.classes):
        if name in config.classes:
            continue
        batch = data.take(torch.nonzero(data.labels == label)[:LOOKED_AT, 0])
        sketches = batch.edges.expand(-1, config.edge_channels, -1, -1)
        noise = torch.zeros(len(sketches), networks.noise_size, device=sketches.device)
        differences = []
        for number in range(len(config.classes)):
            labels = torch.full((len(sketches),), number, device=sketches.device)
            condition = class_condition(labels, config)
            _, images = networks.decode(networks.encode(sketches, condition, noise), condition)
            differences.append(F.l1_loss(images, batch.images).item())
        found[name] = config.classes[differences.index(min(differences))]
    return found
