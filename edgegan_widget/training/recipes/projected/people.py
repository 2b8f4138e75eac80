"""People's drawings to learn from: read once, a third of each set never trained on, classes drawn evenly.

Which third: see :func:`edgegan_widget.sketch.sets.folders.is_kept_for_testing`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.units import to_unit
from edgegan_widget.sketch.contours import body_and_paper
from edgegan_widget.sketch.hands.hand import Hand, sketch_like
from edgegan_widget.sketch.hands.warp import Placement
from edgegan_widget.sketch.sets.folders import read_people
from edgegan_widget.training.dataset import Members, PairDataset

__all__ = ["PeopleDrawings"]

log = logging.getLogger(__name__)

ENOUGH = 100  # drawings of a class; where there are fewer, drawings made from photos fill up
MADE = "person"  # the source of edge maps that such drawings are taken from, see edgegan_widget.sketch.hands.person
_HAND_STRENGTH = 0.5  # they come from a hand already


class PeopleDrawings:
    """Drawings by class, with what each encloses, see :mod:`edgegan_widget.sketch.contours`.

    Attributes
    ----------
    planes_u8
        uint8 [N, 3, S, S]: the drawing, where its object is not, and where there is surely paper; 255 is yes.
    labels
        int64 [N], numbers of the model's classes.
    """

    def __init__(self, sketches_u8: Tensor, labels: Tensor, classes: int) -> None:
        self.planes_u8, self.labels = _planes(sketches_u8), labels
        self._members = Members(labels)
        self.counts = torch.bincount(labels, minlength=classes)
        self._made: tuple[PairDataset, Tensor] | None = None  # of the data that was asked last

    @classmethod
    def load(cls, folders: Sequence[str], classes: Sequence[str], size_px: int) -> PeopleDrawings:
        """Read what may be trained on of the sketches below ``folders``, or in packed files.

        Raises
        ------
        DataError
            A folder is missing, or none has sketches of these classes that are not kept for testing.
        """
        sketches, labels = read_people(folders, classes, size_px)
        if not sketches:
            raise DataError(
                f"{', '.join(folders)}: there is no sketch of {', '.join(classes)} to train on, or all are kept for "
                "testing, as one in three is; give more, in folders named after classes."
            )
        drawings = cls(torch.from_numpy(np.stack(sketches)), torch.tensor(labels), len(classes))
        counts = zip(classes, drawings.counts.tolist())
        log.info("people's drawings: %s", ", ".join(f"{name} {count}" for name, count in counts))
        return drawings

    def choose(self, data: PairDataset, random: torch.Generator, count: int, mirrored: bool, poses: float) -> Drawn:
        """Drawings as a step takes them, their classes drawn evenly.

        A class with fewer than :data:`ENOUGH` drawings is filled up with drawings made from photos of ``data``, if it
        has the source :data:`MADE`; without it, classes that have no drawings are left out.
        """
        device, made = data.labels.device, self._made_of(data)
        if made is None:
            chosen = self._members.choose(random, count)
            labels, planes_u8 = self.labels[chosen], self.planes_u8[chosen].to(device, non_blocking=True)
        else:
            labels = torch.randint(len(self.counts), (count,), generator=random)
            kind = int(torch.randint(made.shape[1], (), generator=random))
            planes_u8 = made[data.choose_of(labels, random).to(device, non_blocking=True), kind]
            theirs = torch.nonzero(torch.rand(count, generator=random) < self.counts[labels] / ENOUGH)[:, 0]
            chosen = self._members.of(labels[theirs], random)
            planes_u8[theirs.to(device, non_blocking=True)] = self.planes_u8[chosen].to(device, non_blocking=True)
        placed = Placement.draw(random, count, mirrored, poses).apply(to_unit(planes_u8))
        sketches = sketch_like(placed[:, :1], random, _HAND_STRENGTH, Hand())
        shares = (placed[:, 1:] + 1) / 2
        return Drawn(sketches, placed[:, :1], labels, 1 - shares[:, :1], shares[:, 1:])

    def _made_of(self, data: PairDataset) -> Tensor | None:
        """Planes [N, kinds, 3, S, S] of the drawings made from the photos of ``data``; None where it has none."""
        kinds = [number for number, name in enumerate(data.sources) if name.partition("=")[0] == MADE]
        if not kinds:
            return None
        if self._made is None or self._made[0] is not data:
            made = [_planes(data.edges_u8[:, kind].cpu()) for kind in kinds]
            self._made = data, torch.stack(made, dim=1).to(data.labels.device)
        return self._made[1]


@dataclass(frozen=True)
class Drawn:
    """Drawings float32 [N, 1, S, S] in [-1, 1] as shown and as they are, labels int64 [N] on the CPU, and from 0 to 1
    where the object is (``body``) and where it is not (``paper``); both are empty where a drawing does not tell.
    """

    sketches: Tensor
    targets: Tensor
    labels: Tensor
    body: Tensor
    paper: Tensor

    @classmethod
    def none(cls, size_px: int) -> Drawn:
        nothing = torch.empty(0, 1, size_px, size_px)
        return cls(nothing, nothing, torch.empty(0, dtype=torch.int64), nothing, nothing)


def _planes(sketches_u8: Tensor) -> Tensor:
    """Of each drawing [N, S, S] the planes that :class:`PeopleDrawings` keeps."""
    found = []
    for sketch_u8 in sketches_u8.numpy():
        body, paper = body_and_paper(sketch_u8)
        found.append(np.stack([sketch_u8, 255 * (1 - body), 255 * paper]))
    return torch.from_numpy(np.stack(found))
