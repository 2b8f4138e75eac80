"""Do different sketches of a class end in different pictures?

The distance between two pictures of one class, drawn from different sketches, is held against that between two real
pictures of the class; and pictures are counted that are nearly the same as that of another sketch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64, as_features
from edgegan_widget.evaluation.metrics.distances import mean_pair, nearest_other

__all__ = ["ClassDiversity", "collapsed", "diversity", "overall"]

# Two pictures closer than this share of the mean distance between two real ones of their class look nearly the same.
NEARLY_SAME = 0.15
COLLAPSED_SHARE = 0.5  # of a class's sketches that end in nearly the same picture
COLLAPSED_RATIO = 0.2  # of the real pictures' own variety


@dataclass(frozen=True)
class ClassDiversity:
    """Variety of one class.

    Attributes
    ----------
    ratio
        Mean distance between two pictures over that between two real ones; 1 is as varied as reality.
    same_share
        Share of sketches whose picture is nearly that of another sketch.
    real_same_share
        The same among the real pictures: product photographs do repeat.
    nearest, partner
        [N] Distance of each picture to the nearest other one, in units of the real mean distance, and its number.
    """

    count: int
    real_count: int
    ratio: float
    same_share: float
    real_same_share: float
    nearest: F64
    partner: npt.NDArray[np.int64]

    @property
    def collapsed(self) -> bool:
        """Whether the class has (almost) one picture: far less varied than reality, or mostly the same picture."""
        repeats = self.same_share >= COLLAPSED_SHARE and self.same_share > 2 * self.real_same_share
        return repeats or self.ratio < COLLAPSED_RATIO


def diversity(
    real: npt.ArrayLike, generated: npt.ArrayLike, real_labels: npt.ArrayLike, labels: npt.ArrayLike, classes: int
) -> dict[int, ClassDiversity]:
    """Variety by class number; classes with fewer than two pictures on either side are left out.

    Parameters
    ----------
    real, generated
        float [N, D] and [M, D]; one generated picture a sketch, no sketch twice.
    real_labels, labels
        Their class numbers.
    classes
        How many classes there are.
    """
    real, generated = as_features(real), as_features(generated)
    real_labels, labels = np.asarray(real_labels), np.asarray(labels)
    found = {}
    for number in range(classes):
        theirs, ours = real[real_labels == number], generated[labels == number]
        if len(theirs) > 1 and len(ours) > 1:
            found[number] = _of_class(theirs, ours)
    return found


def _of_class(real: F64, generated: F64) -> ClassDiversity:
    unit = mean_pair(real)
    unit = unit if unit > 0 else 1.0
    distances, partner = nearest_other(generated)
    real_distances, _ = nearest_other(real)
    return ClassDiversity(
        len(generated),
        len(real),
        mean_pair(generated) / unit,
        float((distances < NEARLY_SAME * unit).mean()),
        float((real_distances < NEARLY_SAME * unit).mean()),
        distances / unit,
        partner,
    )


def overall(found: dict[int, ClassDiversity]) -> tuple[float, float, float]:
    """Ratio, share of the nearly same and that among real pictures, each a mean over classes; nan for none."""
    if not found:
        return float("nan"), float("nan"), float("nan")
    every = [(one.ratio, one.same_share, one.real_same_share) for one in found.values()]
    ratio, same, real_same = np.mean(every, axis=0).tolist()
    return ratio, same, real_same


def collapsed(found: dict[int, ClassDiversity]) -> bool:
    """Whether half of the classes, or more, have collapsed."""
    return bool(found) and 2 * sum(one.collapsed for one in found.values()) >= len(found)
