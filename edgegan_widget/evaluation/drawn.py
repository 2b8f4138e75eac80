"""What models are asked to draw, and what they drew: the same drawings, classes and seeds for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.result import Result
from edgegan_widget.base.units import U8
from edgegan_widget.sketch.edges import scaled
from edgegan_widget.sketch.sets.folders import asked_sketches, readable

if TYPE_CHECKING:
    from edgegan_widget.training.dataset import PairDataset

__all__ = ["Drawn", "InputSet", "Model", "draw", "held_out_edges", "human_sketches", "people_set", "sketch_side"]

Numbers = npt.NDArray[np.int64]

PICTURES_AT_ONCE = 64  # between two reports of progress
TIMED = 16  # drawings of a set that are drawn alone as well, for the time it takes


class Model(Protocol):
    """What can be evaluated; :class:`~edgegan_widget.networks.engine.EdgeGAN` is one."""

    name: str

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def size_px(self) -> int: ...

    def generate(self, sketch: U8, label: str | int, *, seed: int | None = None, variations: int = 1) -> Result: ...


def sketch_side(model: Model) -> int:
    """Side of the sketches that a model takes; a model that does not say takes them as large as its pictures."""
    return int(getattr(model, "sketch_px", model.size_px))


@runtime_checkable
class _DrawsMany(Protocol):
    """A model that draws many at once quicker than one by one."""

    def generate_many(
        self, sketches: U8, labels: Sequence[str | int], *, seed: int | None = None, variations: int = 1
    ) -> Result: ...


@dataclass(frozen=True, eq=False)
class InputSet:
    """Drawings with the class that is asked for.

    Attributes
    ----------
    name
        In words.
    split
        Where the drawings are from: ``val``, or ``people``.
    sketches_u8
        uint8 [N, S, S], paper 255.
    labels
        int64 [N], numbers among the classes that are compared.
    sources
        [N] What each drawing is called.
    """

    name: str
    split: str
    sketches_u8: U8
    labels: Numbers
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def some(self, per_class: int) -> InputSet:
        """At most so many drawings of each class, spread over the set; 0 takes all."""
        if per_class <= 0:
            return self
        members = [np.nonzero(self.labels == number)[0] for number in np.unique(self.labels)]
        every = [own[np.linspace(0, len(own) - 1, min(per_class, len(own))).round().astype(int)] for own in members]
        kept = np.sort(np.concatenate(every))
        return InputSet(
            self.name, self.split, self.sketches_u8[kept], self.labels[kept], tuple(self.sources[k] for k in kept)
        )


@dataclass(frozen=True, eq=False)
class Drawn:
    """What one model made of a set: variation v of drawing n is row n * variations + v.

    Attributes
    ----------
    pictures_u8, edges_u8
        uint8 [N * V, T, T, 3] and [N * V, S, S]: as the model draws them, edges as large as the sketches.
    milliseconds
        [T] Times of drawing one picture alone, of some of the drawings.
    """

    inputs: InputSet
    variations: int
    pictures_u8: U8
    edges_u8: U8
    milliseconds: npt.NDArray[np.float64]

    @property
    def number(self) -> Numbers:
        """[N * V] Which drawing each picture is of."""
        return np.repeat(np.arange(len(self.inputs)), self.variations)

    @property
    def labels(self) -> Numbers:
        """[N * V] The class asked for."""
        repeated: Numbers = self.inputs.labels[self.number]
        return repeated

    @property
    def size_px(self) -> int:
        """Side of the pictures."""
        return int(self.pictures_u8.shape[1])

    def pictures_at(self, side_px: int) -> U8:
        """Pictures uint8 [N * V, side_px, side_px, 3]."""
        if side_px == self.size_px:
            return self.pictures_u8
        return np.stack([scaled(picture, side_px) for picture in self.pictures_u8])


def held_out_edges(data: PairDataset) -> InputSet:
    """The edge maps of the held-out pictures as drawings."""
    counted: dict[int, int] = {}
    sources = []
    for label in data.labels.tolist():
        counted[label] = counted.get(label, 0) + 1
        sources.append(f"val/{data.classes[label]} {counted[label]}")
    edges = data.edges_u8[:, 0].numpy()
    return InputSet("edge maps of held-out pictures", "val", edges, data.labels.numpy(), tuple(sources))


def human_sketches(
    root: Path | str,
    classes: Sequence[str],
    size_px: int,
    people: str = "all",
    tell: Callable[[str], object] | None = None,
) -> list[InputSet]:
    """People's sketches, one set for each folder directly below ``root``, see :mod:`sketch.sets.folders`.

    What cannot be read, or shows no line, is left out, and told in a sentence: in the log, or by ``tell``.

    Raises
    ------
    DataError
        There is none that can be used.
    """
    sets: dict[str, list[tuple[U8, int, str]]] = {}
    for folder in asked_sketches(root, classes, people):
        given = sets.setdefault(folder.set_name, [])
        label = list(classes).index(folder.asked)
        read = readable(folder.paths, size_px, tell)
        given += [(sketch, label, f"{folder.name}/{drawing.name}") for drawing, sketch in read]
    if not any(sets.values()):
        raise DataError(f"{root} has no sketch that can be read; each was named with its reason.")
    found = []
    for name, given in ((name, given) for name, given in sets.items() if given):
        sketches, labels, sources = zip(*given)
        found.append(InputSet(people_set(name), "people", np.stack(sketches), np.array(labels), sources))
    return found


def people_set(name: str) -> str:
    """What the set of people's sketches of this name is called."""
    return f"people's sketches: {name}"


def draw(
    model: Model,
    inputs: InputSet,
    classes: Sequence[str],
    variations: int = 1,
    timed: int = TIMED,
    seed: int | None = None,
) -> Iterator[Drawn | int]:
    """Let a model draw a set; yields how many drawings are done, and at last what came of them.

    Many are drawn at once where the model can; ``timed`` of them are drawn alone before, for the time that it takes.
    """
    side, edge_side = model.size_px, sketch_side(model)
    pictures = np.empty((len(inputs), variations, side, side, 3), np.uint8)
    edges = np.empty((len(inputs), variations, edge_side, edge_side), np.uint8)
    numbers = [model.classes.index(name) for name in classes]
    labels = [numbers[label] for label in inputs.labels]
    spread = np.linspace(0, len(inputs) - 1, min(timed, len(inputs))).round().astype(int)
    milliseconds = [model.generate(inputs.sketches_u8[place], labels[place]).milliseconds for place in spread]
    at_once = max(1, PICTURES_AT_ONCE // variations) if isinstance(model, _DrawsMany) else 1
    for start in range(0, len(inputs), at_once):
        rows = slice(start, start + at_once)
        result = _drawn(model, inputs.sketches_u8[rows], labels[rows], variations, seed)
        pictures[rows] = result.images.reshape(pictures[rows].shape)
        edges[rows] = result.edges.reshape(edges[rows].shape)
        yield min(start + at_once, len(inputs))
    flat = pictures.reshape(-1, side, side, 3), edges.reshape(-1, edge_side, edge_side)
    yield Drawn(inputs, variations, *flat, np.array(milliseconds))


def _drawn(model: Model, sketches: U8, labels: Sequence[int], variations: int, seed: int | None) -> Result:
    if isinstance(model, _DrawsMany):
        return model.generate_many(sketches, labels, seed=seed, variations=variations)
    return model.generate(sketches[0], labels[0], seed=seed, variations=variations)
