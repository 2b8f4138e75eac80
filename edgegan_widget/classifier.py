"""A small classifier of the pictures at hand: the judge of classes, and where no other is to be had, of realism."""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional as F

from edgegan_widget.dataset import PairDataset

__all__ = ["CLASSIFIER_STEPS", "fresh_classifier", "train_classifier"]

CLASSIFIER_STEPS = 600
CLASSIFIER_BATCH = 64
_WIDTHS = (3, 32, 64, 128, 128)


def train_classifier(data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS) -> nn.Sequential:
    """A small convolutional classifier of pictures [N, 3, S, S] in [-1, 1], trained on mirrored and moved pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = fresh_classifier(len(data.classes))
        optimizer = torch.optim.AdamW(classifier.parameters(), lr=2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for step in range(steps):
            batch = data.balanced(seed, step, CLASSIFIER_BATCH)
            loss = F.cross_entropy(classifier(batch.images), batch.labels, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return classifier.eval()


def fresh_classifier(classes: int) -> nn.Sequential:
    """The same with its first weights: 512 features, then dropout and the linear head as its last two modules."""
    layers: list[nn.Module] = []
    for narrow, wide in itertools.pairwise(_WIDTHS):
        layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.BatchNorm2d(wide), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * _WIDTHS[-1], classes)]
    return nn.Sequential(*layers, *head)
