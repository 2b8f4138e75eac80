"""Validation on drawings: does a picture show the class that was asked for?

A small classifier learns the classes from the real training pictures; then it looks at real held-out pictures (how far
it can be trusted), at pictures drawn from held-out edge maps, and at pictures drawn from people's sketches.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from edgegan_widget.base.errors import ModelError
from edgegan_widget.evaluation.judge import train_classifier
from edgegan_widget.networks.engine import EdgeGAN
from edgegan_widget.sketch.sketch_sets import asked_sketches
from edgegan_widget.sketch.trace import read_sketch
from edgegan_widget.training.dataset import load_data, to_unit

__all__ = ["Score", "as_json", "table", "validate"]

U8 = npt.NDArray[np.uint8]

GRID_PER_CLASS = 2


@dataclass(frozen=True)
class Score:
    """One set of pictures: how many, and in how many the classifier sees the class that was asked for."""

    name: str
    count: int
    right: int

    @property
    def accuracy(self) -> float:
        """Share of pictures of the right class; nan for an empty set."""
        return self.right / self.count if self.count else float("nan")


def validate(
    model: EdgeGAN, data: Path | str, sketches: Path | str | None = None, seed: int = 0, people: str = "held_out"
) -> tuple[list[Score], Image.Image]:
    """Measure a model on held-out edge maps and on people's sketches.

    Parameters
    ----------
    model
        The model; its classes must be those of the data.
    data
        Folder with ``train`` and ``val``, as for training.
    sketches
        Folder whose sub-folders, at any depth, hold pictures of sketches and are named after a class.
    seed
        Of the classifier.
    people
        Which of them: ``held_out`` from training, or ``all``.

    Returns
    -------
    Scores of real pictures, of pictures from edge maps and of each folder of sketches; and a grid of sketch, edge map
    and picture, two of each class and folder.
    """
    if len(model.classes) < 2:
        raise ModelError(f"{model.name} has one class, so there is nothing to tell apart; give a model of two or more.")
    train = load_data(data, "train", model.size_px, model.classes)
    held_out = load_data(data, "val", model.size_px, model.classes, sketch_px=model.sketch_px)
    classifier = train_classifier(train, seed)
    scores = [Score("real held-out pictures", len(held_out), _right(classifier, held_out.images_u8, held_out.labels))]
    drawn = [(edge[0].numpy(), int(label)) for edge, label in zip(held_out.edges_u8, held_out.labels)]
    score, tiles = _score_drawn(model, classifier, "pictures from held-out edge maps", drawn)
    scores.append(score)
    if sketches is not None:
        for folder in asked_sketches(sketches, model.classes, people):
            label = model.classes.index(folder.asked)
            given = [(read_sketch(path, model.sketch_px), label) for path in folder.paths]
            score, more = _score_drawn(model, classifier, f"pictures from sketches: {folder.name}", given)
            scores.append(score)
            tiles += more
    return scores, _grid(tiles)


def table(scores: Sequence[Score]) -> str:
    """The scores as text."""
    width = max(len(score.name) for score in scores)
    return "\n".join(f"{score.name:<{width}}  {score.count:>5}  {score.accuracy:6.1%}" for score in scores)


def as_json(scores: Sequence[Score]) -> list[Mapping[str, object]]:
    """The scores as plain values."""
    return [dataclasses.asdict(score) | {"accuracy": round(score.accuracy, 4)} for score in scores]


Tile = tuple[U8, U8, U8]


def _score_drawn(
    model: EdgeGAN, classifier: nn.Module, name: str, given: Sequence[tuple[U8, int]]
) -> tuple[Score, list[Tile]]:
    pictures, tiles = [], []
    shown: dict[int, int] = {}
    for sketch, label in given:
        result = model.generate(sketch, label)
        pictures.append(torch.from_numpy(result.image).permute(2, 0, 1))
        if shown.get(label, 0) < GRID_PER_CLASS:
            shown[label] = shown.get(label, 0) + 1
            tiles.append((sketch, result.edge, result.image))
    labels = torch.tensor([label for _, label in given])
    return Score(name, len(given), _right(classifier, torch.stack(pictures), labels)), tiles


@torch.no_grad()
def _right(classifier: nn.Module, pictures_u8: Tensor, labels: Tensor) -> int:
    seen = torch.cat([classifier(to_unit(part)).argmax(dim=1) for part in pictures_u8.split(256)])
    return int((seen == labels).sum())


def _grid(tiles: Sequence[Tile], blocks: int = 4) -> Image.Image:
    """Sketch, edge map and picture side by side, ``blocks`` of them in a row."""

    def strips() -> Iterator[U8]:
        for sketch, edge, picture in tiles:
            scale = len(picture) // len(sketch)
            grey = [
                np.repeat(plane.repeat(scale, 0).repeat(scale, 1)[..., None], 3, axis=2) for plane in (sketch, edge)
            ]
            yield np.concatenate([*grey, picture], axis=1)

    every = list(strips())
    every += [np.full_like(every[0], 255)] * (-len(every) % blocks)
    rows = [np.concatenate(every[start : start + blocks], axis=1) for start in range(0, len(every), blocks)]
    return Image.fromarray(np.concatenate(rows, axis=0))
