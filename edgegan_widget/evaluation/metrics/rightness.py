"""Does a picture show the class that was asked for? Accuracy and confusion matrix of a classifier's verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgegan_widget.evaluation.metrics.told import Told

__all__ = ["MEAN_OVER_CLASSES", "WORST_CLASS", "Confusion", "confusion"]

Numbers = npt.NDArray[np.int64]

MEAN_OVER_CLASSES = Told(
    ("mean over classes ↑", ".1%", ("right_class", "balanced_accuracy")),
    "Share of pictures of the right class, as a mean over classes: one of many drawings counts no more than others.",
)
WORST_CLASS = Told(
    ("worst class ↑", ".1%", ("right_class", "worst_class")),
    "Share of pictures of the right class in the class where it is smallest.",
)


@dataclass(frozen=True)
class Confusion:
    """``counts[asked, seen]`` int64 [K, K]: how many pictures of the class asked for were seen as which."""

    classes: tuple[str, ...]
    counts: Numbers

    @property
    def accuracy(self) -> float:
        """Share of all pictures of the right class; nan where there is none."""
        total = int(self.counts.sum())
        return int(np.trace(self.counts)) / total if total else float("nan")

    def by_class(self) -> dict[str, float]:
        """Accuracy of each class that was asked for."""
        asked = self.counts.sum(axis=1)
        right = np.diag(self.counts)
        return {name: int(right[k]) / int(asked[k]) for k, name in enumerate(self.classes) if asked[k]}

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the classes' accuracies: a class of many pictures counts no more than one of few."""
        found = list(self.by_class().values())
        return sum(found) / len(found) if found else float("nan")

    @property
    def worst_class(self) -> tuple[str, float, int]:
        """The class that is seen least, its accuracy and its number of pictures; "", nan and 0 for none."""
        name, least = min(self.by_class().items(), key=lambda one: one[1], default=("", float("nan")))
        return name, least, int(self.counts[self.classes.index(name)].sum()) if name else 0


def confusion(asked: npt.ArrayLike, seen: npt.ArrayLike, classes: Sequence[str]) -> Confusion:
    """Count verdicts.

    Parameters
    ----------
    asked, seen
        Class numbers [N], indices into ``classes``.
    classes
        Their names.
    """
    size = len(classes)
    flat = np.asarray(asked, np.int64) * size + np.asarray(seen, np.int64)
    return Confusion(tuple(classes), np.bincount(flat, minlength=size * size).reshape(size, size).astype(np.int64))
