"""Does a picture show the class that was asked for, and does the class count at all, or only the lines?

Accuracy and confusion matrix of a classifier's verdicts. A drawing's outline betrays its class, so a model may ignore
what it is asked for and still be right on every drawing of its own class. With swapped labels each drawing is asked for
as classes that it does not show; right is a picture in which the class asked for is seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.metrics import (
    CLASSES,
    PICTURES,
    Asked,
    Measured,
    Metric,
    Question,
    number,
    register,
)
from edgegan_widget.evaluation.metrics.intervals import Interval, mean_interval, mean_of

if TYPE_CHECKING:
    from edgegan_widget.evaluation.config import EvaluationConfig
    from edgegan_widget.evaluation.drawn import Drawn, InputSet
    from edgegan_widget.evaluation.judge import Judge, Look

__all__ = ["MOST_OTHERS", "Confusion", "Swapped", "confusion", "swapped", "swaps"]

Numbers = npt.NDArray[np.int64]

WRONG_CLASS_SHARE = 0.5  # of the accuracy on real pictures
MOST_OTHERS = 16  # classes that a drawing is asked for as


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


def _accuracy(judge: Judge) -> float:
    """The classifier's on real held-out pictures."""
    return confusion(judge.real_labels, judge.real_seen, judge.train.classes).accuracy


def _compute(look: Look) -> Measured:
    drawn, judge = look.drawn, look.judge
    right = look.seen == drawn.labels
    table = confusion(drawn.labels, look.seen, judge.train.classes)
    common = judge.rests_on(drawn)
    name, worst, count = table.worst_class
    part = {
        "accuracy": mean_of(right, drawn, **common),
        "balanced_accuracy": number(table.balanced_accuracy, **common),
        "worst_class": number(worst, class_name=name, **common | {"generated": count}),
        "by_class": table.by_class(),
        "classes": list(table.classes),
        "confusion": table.counts.tolist(),
    }
    wrong = float(right.mean()) < WRONG_CLASS_SHARE * _accuracy(judge)
    return Measured(part, {"right": right}, flags=["wrong class"] if wrong else [])


def _reference(judge: Judge) -> Json:
    about: Json = {"extractor": judge.classifier.name, "resize": judge.classifier.resize}
    return {"real_accuracy": number(_accuracy(judge), real=len(judge.held_out), split="val", **about)}


def _curve(drawn: Drawn, _: object, judge: Judge) -> float:
    return float((judge.verdicts(drawn) == drawn.labels).mean())


register(Question(
    "right_class",
    (
        Metric(("right_class", "accuracy"), "right class", ".1%", "↑",
            "Share of pictures in which a classifier sees the class that was asked for.",
            per_picture="right", paired=True, short="right", by_class=True, curve=_curve),
        Metric(("right_class", "balanced_accuracy"), "mean over classes", ".1%", "↑",
            "Share of pictures of the right class, as a mean over classes: one of many drawings counts no more "
            "than others.",
            per_picture="right"),
        Metric(("right_class", "worst_class"), "worst class", ".1%", "↑",
            "Share of pictures of the right class in the class where it is smallest.",
            per_picture="right"),
    ),
    _compute,
    "Sorted by whether the class is seen, then by how well the lines meet.",
    PICTURES,
    flags={"wrong class": "the classifier sees the class asked for in less than half as many as in real pictures"},
    reference=_reference,
    place=20,
    several=True,
))  # fmt: skip


def _ask_swapped(inputs: InputSet, classes: int, config: EvaluationConfig) -> Asked | None:
    """Some drawings, each as other classes."""
    if not config.swapped_per_class:
        return None
    chosen = inputs.some(config.swapped_per_class)
    numbers, asked = swaps(chosen.labels, classes, config.seed)
    sources = tuple(chosen.sources[one] for one in numbers)
    given = dataclasses.replace(chosen, sketches_u8=chosen.sketches_u8[numbers], labels=asked, sources=sources)
    return Asked(given, about=(chosen.labels, numbers))


def _compute_swapped(look: Look) -> Measured:
    labels, numbers = look.about
    found = swapped(labels, numbers, look.drawn.labels, look.judge.verdicts(look.drawn))
    common = look.judge.rests_on(look.drawn) | {"drawings": len(labels), "pairs": found.pairs}
    right, classes = found.right, look.judge.train.classes
    return Measured({
        "right": number(right.value, right.low, right.high, **common),
        "kept": number(found.kept, **common),
        "by_class": {classes[k]: {"right": value} for k, value in found.by_class.items()},
    })  # fmt: skip


register(Question(
    "swapped",
    (
        Metric(("swapped", "right"), "swapped labels", ".1%", "↑",
            "Share of pictures in which the class asked for is seen although the drawing shows another one; every "
            "pair of classes weighs the same."),
    ),
    _compute_swapped,
    "This number is of pictures that are not kept: classes are sorted by how often their drawings can be asked for "
    "as another class, and shown as what they are.",
    CLASSES,
    asks=_ask_swapped,
    place=30,
    several=True,
))  # fmt: skip
