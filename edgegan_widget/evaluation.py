"""Validation on drawings: does a picture show the class that was asked for?

A small classifier learns the classes from the real training pictures; then it looks at real held-out pictures (how far
it can be trusted), at pictures drawn from held-out edge maps, and at pictures drawn from people's sketches.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.dataset import PairDataset, load_data, to_unit
from edgegan_widget.engine import EdgeGAN
from edgegan_widget.errors import DataError, ModelError
from edgegan_widget.trace import read_sketch

__all__ = ["Score", "as_json", "sketch_folders", "table", "train_classifier", "validate"]

U8 = npt.NDArray[np.uint8]

CLASSIFIER_STEPS = 600
CLASSIFIER_BATCH = 64
GRID_PER_CLASS = 2

# Folder of human sketches -> the class that is asked for. Folders not named here have the class of their own name.
SKETCH_CLASSES = {"shoe": "sneaker"}


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
    model: EdgeGAN, data: Path | str, sketches: Path | str | None = None, seed: int = 0
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

    Returns
    -------
    Scores of real pictures, of pictures from edge maps and of each folder of sketches; and a grid of sketch, edge map
    and picture, two of each class and folder.
    """
    if len(model.classes) < 2:
        raise ModelError(f"{model.name} has one class, so there is nothing to tell apart; give a model of two or more.")
    train = load_data(data, "train", model.size_px, model.classes)
    held_out = load_data(data, "val", model.size_px, model.classes)
    classifier = train_classifier(train, seed)
    scores = [Score("real held-out pictures", len(held_out), _right(classifier, held_out.images_u8, held_out.labels))]
    drawn = [(edge[0].numpy(), int(label)) for edge, label in zip(held_out.edges_u8, held_out.labels)]
    score, tiles = _score_drawn(model, classifier, "pictures from held-out edge maps", drawn)
    scores.append(score)
    if sketches is not None:
        for name, paths in sketch_folders(sketches, model.classes).items():
            label = model.classes.index(_class_of(name))
            given = [(read_sketch(path, model.size_px), label) for path in paths]
            score, more = _score_drawn(model, classifier, f"pictures from sketches: {name}", given)
            scores.append(score)
            tiles += more
    return scores, _grid(tiles)


def train_classifier(data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS) -> nn.Module:
    """A small convolutional classifier of pictures [N, 3, S, S] in [-1, 1], trained on mirrored and moved pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = _fresh_classifier(len(data.classes))
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


def _fresh_classifier(classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    widths = [3, 32, 64, 128, 128]
    for narrow, wide in itertools.pairwise(widths):
        layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.BatchNorm2d(wide), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * widths[-1], classes)]
    return nn.Sequential(*layers, *head)


def sketch_folders(root: Path | str, classes: Sequence[str]) -> dict[str, list[Path]]:
    """Folders below ``root`` that show one of the classes, as ``set/class``, with their pictures.

    Raises
    ------
    DataError
        There is none.
    """
    found = {}
    for folder in sorted(path for path in Path(root).rglob("*") if path.is_dir()):
        name = folder.relative_to(root).as_posix()
        paths = sorted(folder.glob("*.png"))
        if paths and _class_of(name) in classes:
            found[name] = paths
    if not found:
        raise DataError(f"{root} has no folder of PNG sketches named after a class ({', '.join(classes)}).")
    return found


def table(scores: Sequence[Score]) -> str:
    """The scores as text."""
    width = max(len(score.name) for score in scores)
    return "\n".join(f"{score.name:<{width}}  {score.count:>5}  {score.accuracy:6.1%}" for score in scores)


def as_json(scores: Sequence[Score]) -> list[Mapping[str, object]]:
    """The scores as plain values."""
    return [dataclasses.asdict(score) | {"accuracy": round(score.accuracy, 4)} for score in scores]


def _class_of(folder: str) -> str:
    name = folder.rpartition("/")[2]
    return SKETCH_CLASSES.get(name, name)


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
            grey = [np.repeat(plane[..., None], 3, axis=2) for plane in (sketch, edge)]
            yield np.concatenate([*grey, picture], axis=1)

    every = list(strips())
    every += [np.full_like(every[0], 255)] * (-len(every) % blocks)
    rows = [np.concatenate(every[start : start + blocks], axis=1) for start in range(0, len(every), blocks)]
    return Image.fromarray(np.concatenate(rows, axis=0))
