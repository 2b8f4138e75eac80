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
from edgegan_widget.dataset import Members, to_unit
from edgegan_widget.errors import DataError
from edgegan_widget.sketch_sets import is_kept_for_testing, sketch_folders
from edgegan_widget.trace import read_sketch

__all__ = ["PeopleDrawings"]

log = logging.getLogger(__name__)

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

    def __init__(self, sketches_u8: Tensor, labels: Tensor) -> None:
        self.sketches_u8, self.labels = sketches_u8, labels
        self._members = Members(labels)

    @classmethod
    def load(cls, folders: Sequence[str], classes: Sequence[str], size_px: int) -> PeopleDrawings:
        """Read what may be trained on of the sketches below ``folders``, see :mod:`edgegan_widget.sketch_sets`.

        Raises
        ------
        DataError
            A folder is missing, has no sketches of these classes, or all of them are kept for testing.
        """
        sketches, labels = [], []
        for folder in folders:
            for found in sketch_folders(folder, classes):
                trained_on = [path for path in found.paths if not is_kept_for_testing(path)]
                sketches += [read_sketch(path, size_px) for path in trained_on]
                labels += [list(classes).index(found.asked)] * len(trained_on)
        if not sketches:
            raise DataError(f"{', '.join(folders)}: all sketches are kept for testing, as one in three is; give more.")
        drawings = cls(torch.from_numpy(np.stack(sketches))[:, None], torch.tensor(labels))
        counts = torch.bincount(drawings.labels, minlength=len(classes)).tolist()
        log.info("people's drawings: %s", ", ".join(f"{name} {count}" for name, count in zip(classes, counts)))
        return drawings

    def choose(self, random: torch.Generator, count: int, mirrored: bool, poses: float) -> tuple[Tensor, Tensor]:
        """``count`` drawings float32 [count, 1, S, S] in [-1, 1], moved and a little distorted, and their labels."""
        chosen = self._members.choose(random, count)
        placed = Placement.draw(random, count, mirrored, poses).apply(to_unit(self.sketches_u8[chosen]))
        return sketch_like(placed, random, _HAND_STRENGTH, Hand()), self.labels[chosen]
