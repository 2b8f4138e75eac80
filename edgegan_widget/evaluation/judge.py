"""A small classifier of the pictures at hand: the judge of classes, and where no other is to be had, of realism."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.networks.devices import channels_last
from edgegan_widget.training.augment import place
from edgegan_widget.training.dataset import PairDataset, to_unit

__all__ = ["CLASSIFIER_STEPS", "fresh_classifier", "train_classifier"]

CLASSIFIER_STEPS = 900
CLASSIFIER_BATCH = 48
_WIDTHS = (3, 16, 48, 96, 96)  # twice as wide costs twice as much and sees no more
_RATE = 3e-3
_WARM_UP_SHARE = 0.2


def train_classifier(data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS) -> nn.Sequential:
    """A small convolutional classifier of pictures [N, 3, S, S] in [-1, 1], trained on mirrored and moved pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = channels_last(fresh_classifier(len(data.classes)))
        optimizer = torch.optim.AdamW(classifier.parameters(), lr=_RATE, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_share(step / steps))
        for step in range(steps):
            pictures, labels = _batch(data, seed, step)
            loss = F.cross_entropy(classifier(pictures), labels, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return classifier.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload, no-any-return]


def _rate_share(done: float) -> float:
    """Up in a straight line, then down a cosine to zero; ``done`` from 0 to 1."""
    if done < _WARM_UP_SHARE:
        return (done + 0.01) / (_WARM_UP_SHARE + 0.01)
    return (1 + math.cos(math.pi * (done - _WARM_UP_SHARE) / (1 - _WARM_UP_SHARE))) / 2


def _batch(data: PairDataset, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, S, S], classes drawn evenly; without the sketches, which cost more than the pictures do."""
    chosen = data.choose(seed, step, CLASSIFIER_BATCH, balanced=True)
    pictures = place(to_unit(data.images_u8[chosen]), stream(seed, step, "classifier"))
    return pictures.contiguous(memory_format=torch.channels_last), data.labels[chosen]


def fresh_classifier(classes: int) -> nn.Sequential:
    """The same with its first weights: 384 features, then dropout and the linear head as its last two modules.

    No more features than a few hundred held-out pictures can bear: a Frechet distance needs more pictures than that.
    """
    layers: list[nn.Module] = []
    for narrow, wide in itertools.pairwise(_WIDTHS):
        layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.BatchNorm2d(wide), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * _WIDTHS[-1], classes)]
    return nn.Sequential(*layers, *head)
