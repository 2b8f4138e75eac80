"""Does a picture show the class that was asked for? Accuracy and confusion matrix of a classifier's verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Confusion", "confusion"]

Numbers = npt.NDArray[np.int64]


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
