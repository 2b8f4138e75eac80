"""Training the classifier that names what is drawn: people's drawings, and drawings made from photos.

Half of a batch are people's drawings (where a class has few, drawn from photos as people draw), the others edge maps of
all kinds, distorted as by a hand. A third of each set of people's drawings is never trained on and says how good it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.units import to_unit
from edgegan_widget.networks.config import SKETCH_PX
from edgegan_widget.networks.guesser import Guesser
from edgegan_widget.sketch.hands.hand import Hand
from edgegan_widget.sketch.schedule import parse_schedule, scheduled, sources_of
from edgegan_widget.sketch.sets.folders import read_people
from edgegan_widget.training.dataset import PairDataset, load_data
from edgegan_widget.training.recipes.projected.people import PeopleDrawings

__all__ = ["Score", "Step", "read", "score", "train_guesser"]

BATCH = 64
PEOPLE_SHARE = 0.5  # of a batch, where there are any
RATE = 2e-3  # at its highest; up in a straight line, then down a cosine
WARM_UP = 0.05  # share of the steps
SMOOTHING = 0.05
SCHEDULE = "0: full 1, outline 1, thin 1, coarse 1, person 2, person=1 2, hand 1"
TELL_EVERY = 20


@dataclass(frozen=True)
class Step:
    """Where the training stands: step of steps, and the mean loss of late."""

    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class Score:
    """On drawings that were not trained on: how many, the share named right, and the same by class."""

    count: int
    right: float
    by_class: dict[str, float]

    @property
    def mean_of_classes(self) -> float:
        return float(np.mean(list(self.by_class.values())))


def read(data: str, classes: Sequence[str], sketches: Sequence[str]) -> tuple[PairDataset, PeopleDrawings | None]:
    """Edge maps of the training pictures, and people's drawings to learn from.

    Raises
    ------
    DataError
        The data lacks a class, or a folder of drawings is missing.
    """
    pictures = load_data(data, "train", SKETCH_PX, classes, sources_of(parse_schedule(SCHEDULE)))
    return pictures, PeopleDrawings.load(sketches, classes, SKETCH_PX) if sketches else None


def train_guesser(
    guesser: Guesser, pictures: PairDataset, people: PeopleDrawings | None, steps: int, seed: int = 0
) -> Iterator[Step]:
    """Train in place.

    Raises
    ------
    ConfigError
        There are no steps.
    """
    if steps < 1:
        raise ConfigError(f"steps is {steps}; give at least 1, a few thousand for good names.")
    optimizer = torch.optim.AdamW(guesser.parameters(), lr=RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_share((step + 1) / steps))
    guesser.train()
    late = []
    for step in range(steps):
        sketches, labels = _batch(pictures, people, seed, step)
        loss = F.cross_entropy(guesser(sketches), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        late.append(loss.item())
        if (step + 1) % TELL_EVERY == 0 or step + 1 == steps:
            yield Step(step + 1, steps, float(np.mean(late)))
            late.clear()
    guesser.eval()


@torch.no_grad()
def score(guesser: Guesser, classes: Sequence[str], sketches: Sequence[str]) -> Score:
    """How often people's drawings that were kept for testing are named right."""
    drawings, labels = read_people(sketches, classes, SKETCH_PX, kept=True)
    found = torch.cat([guesser(to_unit(part)[:, None]).argmax(dim=1) for part in _stacked(drawings).split(256)])
    right = (found == torch.tensor(labels)).double()
    by_class = {classes[label]: float(right[torch.tensor(labels) == label].mean()) for label in sorted(set(labels))}
    return Score(len(labels), float(right.mean()), by_class)


def _stacked(drawings: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(drawings))


def _batch(pictures: PairDataset, people: PeopleDrawings | None, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Sketches [BATCH, 1, s, s] and labels."""
    random = stream(seed, step, "guess")
    of_photos = BATCH if people is None else round(BATCH * (1 - PEOPLE_SHARE))
    chosen = pictures.choose(seed, step, of_photos, balanced=True)
    sources = scheduled(parse_schedule(SCHEDULE), 0.0)
    batch = pictures.as_sketched(chosen, random, True, sources, Hand(details=0.5, proportions=0.3), 0.5)
    if people is None:
        return batch.sketches, batch.labels
    drawn = people.choose(pictures, random, BATCH - of_photos, True, 0.5)
    return torch.cat([batch.sketches, drawn.sketches]), torch.cat([batch.labels, drawn.labels])


def _rate_share(done: float) -> float:
    if done < WARM_UP:
        return done / WARM_UP
    return (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2
