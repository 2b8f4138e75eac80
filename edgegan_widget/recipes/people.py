"""People's drawings to learn from: read once, a third of each set never trained on, classes drawn evenly.

Which third: see :func:`edgegan_widget.sketch_sets.is_kept_for_testing`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from edgegan_widget.augment import Hand, Placement, sketch_like
from edgegan_widget.dataset import Members, PairDataset, to_unit
from edgegan_widget.errors import DataError
from edgegan_widget.people_sets import read_people

__all__ = ["PeopleDrawings"]

log = logging.getLogger(__name__)

ENOUGH = 100  # drawings of a class; where there are fewer, drawings made from photos fill up
MADE = "person"  # the source of edge maps that such drawings are taken from, see edgegan_widget.sketch.person
_HAND_STRENGTH = 0.5  # they come from a hand already


class PeopleDrawings:
    """Drawings by class.

    Attributes
    ----------
    sketches_u8
        uint8 [N, 1, S, S], paper 255.
    labels
        int64 [N], numbers of the model's classes.
    """

    def __init__(self, sketches_u8: Tensor, labels: Tensor, classes: int) -> None:
        self.sketches_u8, self.labels = sketches_u8, labels
        self._members = Members(labels)
        self.counts = torch.bincount(labels, minlength=classes)

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
        drawings = cls(torch.from_numpy(np.stack(sketches))[:, None], torch.tensor(labels), len(classes))
        counts = zip(classes, drawings.counts.tolist())
        log.info("people's drawings: %s", ", ".join(f"{name} {count}" for name, count in counts))
        return drawings

    def choose(
        self, data: PairDataset, random: torch.Generator, count: int, mirrored: bool, poses: float
    ) -> tuple[Tensor, Tensor]:
        """Drawings as a step takes them, their classes drawn evenly.

        A class with fewer than :data:`ENOUGH` drawings is filled up with drawings made from photos of ``data``, if it
        has the source :data:`MADE`; without it, classes that have no drawings are left out.

        Returns
        -------
        float32 [count, 1, S, S] in [-1, 1] on the data's device, moved and a little distorted, and their labels int64
        [count] on the CPU.
        """
        device = data.labels.device
        made = [number for number, name in enumerate(data.sources) if name.partition("=")[0] == MADE]
        if made:
            labels = torch.randint(len(self.counts), (count,), generator=random)
            plane = made[int(torch.randint(len(made), (), generator=random))]
            drawn_u8 = data.edges_u8[data.choose_of(labels, random).to(device, non_blocking=True), plane][:, None]
            theirs = torch.nonzero(torch.rand(count, generator=random) < self.counts[labels] / ENOUGH)[:, 0]
            chosen = self._members.of(labels[theirs], random)
            drawn_u8[theirs.to(device, non_blocking=True)] = self.sketches_u8[chosen].to(device, non_blocking=True)
        else:
            chosen = self._members.choose(random, count)
            labels, drawn_u8 = self.labels[chosen], self.sketches_u8[chosen].to(device, non_blocking=True)
        placed = Placement.draw(random, count, mirrored, poses).apply(to_unit(drawn_u8))
        return sketch_like(placed, random, _HAND_STRENGTH, Hand()), labels
