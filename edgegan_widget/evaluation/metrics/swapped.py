"""Does the class count, or only the lines? The same drawing is asked for as other classes.

A drawing's outline betrays its class, so a model may ignore what it is asked for and still be right on every drawing of
its own class. Here each drawing is asked for as classes that it does not show; right is a picture in which the class
asked for is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgegan_widget.evaluation.metrics.bootstrap import Interval, mean_interval
from edgegan_widget.evaluation.metrics.told import Told

__all__ = ["SWAPPED", "Swapped", "swapped", "swaps"]

Numbers = npt.NDArray[np.int64]

MOST_OTHERS = 16  # classes that a drawing is asked for as

SWAPPED = Told(
    ("swapped labels ↑", ".1%", ("swapped", "right")),
    "Share of pictures in which the class asked for is seen although the drawing shows another one; every pair of "
    "classes weighs the same.",
    "This number is of pictures that are not kept: classes are sorted by how often their drawings can be asked for as "
    "another class, and shown as what they are.",
)


@dataclass(frozen=True)
class Swapped:
    """What is seen in drawings that were asked for as another class.

    Attributes
    ----------
    right
        Share in which the class asked for is seen, each ordered pair of classes weighing the same; the interval is over
        drawings.
    kept
        Share in which the class that was drawn is seen all the same.
    by_class
        The share of ``right`` by the number of the class that was drawn.
    pairs
        How many ordered pairs of classes there are.
    """

    right: Interval
    kept: float
    by_class: dict[int, float]
    pairs: int


def swaps(labels: npt.ArrayLike, classes: int, seed: int = 0, most: int = MOST_OTHERS) -> tuple[Numbers, Numbers]:
    """Which drawings are asked for as what.

    Parameters
    ----------
    labels
        [N] Class numbers of the drawings.
    classes
        How many classes there are.
    seed, most
        Where there are more than ``most`` other classes, so many are chosen by ``seed``, for each class once.

    Returns
    -------
    Numbers of drawings [P], and the classes that they are asked for as [P].
    """
    labels = np.asarray(labels, np.int64)
    random = np.random.Generator(np.random.PCG64(seed))
    others = {}
    for label in np.unique(labels):
        every = np.delete(np.arange(classes), label)
        others[label] = np.sort(random.choice(every, most, replace=False)) if len(every) > most else every
    numbers = [np.full(len(others[label]), place) for place, label in enumerate(labels)]
    return np.concatenate(numbers).astype(np.int64), np.concatenate([others[label] for label in labels])


def swapped(labels: npt.ArrayLike, numbers: Numbers, asked: Numbers, seen: Numbers) -> Swapped:
    """Count verdicts.

    Parameters
    ----------
    labels
        [N] Class numbers of the drawings.
    numbers, asked
        [P] What :func:`swaps` returned.
    seen
        [P] Class numbers that are seen in the pictures.
    """
    labels = np.asarray(labels, np.int64)
    of_drawing = np.bincount(numbers, seen == asked, len(labels)) / np.bincount(numbers, minlength=len(labels))
    drawn, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    # All drawings of a class are asked for as the same number of others, so pairs weigh the same where classes do.
    weights = len(labels) / (len(drawn) * counts[place])
    kept = np.bincount(numbers, seen == labels[numbers], len(labels)) / np.bincount(numbers, minlength=len(labels))
    by_class = {int(label): float(of_drawing[labels == label].mean()) for label in drawn}
    pairs = len(set(zip(labels[numbers].tolist(), asked.tolist())))
    return Swapped(mean_interval(weights * of_drawing), float((weights * kept).mean()), by_class, pairs)
