"""Two models on the same drawings with the same seeds: where do they differ, and by more than chance?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.judge import Evaluation, Scored
from edgegan_widget.evaluation.metrics import Metric, at, metrics
from edgegan_widget.evaluation.metrics.intervals import by_drawing, paired_difference

__all__ = ["compare", "differences", "most_different"]

FORMAT = 1
MOST_DRAWINGS = 2000  # for distances between sets, whose cost grows with the square
_ABOUT = ("extractor", "resize", "real", "split", "unreliable")  # what a difference of sets rests on


def differences(first: Scored, second: Scored) -> Json:
    """First minus second model on the same drawings, with paired bootstrap intervals; drawings count once.

    Raises
    ------
    ModelError
        They did not draw the same drawings.
    """
    same = first.drawn.inputs.sources == second.drawn.inputs.sources
    if first.drawn.variations != second.drawn.variations or not same:
        raise ModelError("the two models did not draw the same drawings; evaluate them together.")
    split = first.drawn.inputs.split
    found = {}
    for metric in metrics():
        if metric.paired and metric.per_picture in first.values:
            left, right = _pair(metric, first, second)
            found[metric.difference] = paired_difference(left, right).difference(split=split)
    return found


def compare(evaluation: Evaluation) -> Json:
    """First model minus second on each set of drawings, as JSON.

    Parameters
    ----------
    evaluation
        Of two models, see :func:`~edgegan_widget.evaluation.evaluate.evaluate`.

    Raises
    ------
    ModelError
        There are not two models in it.
    """
    names = list(evaluation.scored)
    if len(names) != 2:
        raise ModelError(f"the evaluation has {len(names)} models ({', '.join(names)}); compare two.")
    first, second = (evaluation.scored[name] for name in names)
    sets = [_one_set(first[name], second[name], evaluation.train.classes) for name in first]
    kept = ("version", "machine", "settings", "classes", "data", "reference", "people", "not_measured")
    return {"format": FORMAT, "models": names} | {name: evaluation.report[name] for name in kept} | {"sets": sets}


def most_different(first: Scored, second: Scored, count: int) -> npt.NDArray[np.int64]:
    """Numbers of the drawings whose first pictures lie farthest apart by features, farthest first."""
    variations = first.drawn.variations
    apart = np.linalg.norm(first.found[::variations] - second.found[::variations], axis=1)
    return np.argsort(-apart, kind="stable")[:count]


def _one_set(first: Scored, second: Scored, classes: tuple[str, ...]) -> Json:
    inputs = first.drawn.inputs
    return {
        "name": inputs.name,
        "split": inputs.split,
        "drawings": len(inputs),
        "differences": differences(first, second) | _of_sets(first, second),
        "by_class": [
            {"class": classes[label]} | _of_class(first, second, inputs.labels == label)
            for label in np.unique(inputs.labels)
        ],
    }


def _of_sets(first: Scored, second: Scored) -> Json:
    """Distances to the real pictures, by each drawing's first picture."""
    rows = slice(0, MOST_DRAWINGS * first.drawn.variations, first.drawn.variations)
    found: Json = {}
    for metric in metrics():
        about = at(first.report, metric.path)
        if metric.of_sets is not None and about is not None:
            interval = metric.of_sets(first.real, first.found[rows], second.found[rows])
            if interval is not None:
                found[metric.difference] = interval.difference(**{key: about.get(key) for key in _ABOUT})
    return found


def _of_class(first: Scored, second: Scored, chosen: npt.NDArray[np.bool_]) -> Json:
    found: Json = {"drawings": int(chosen.sum())}
    for metric in metrics():
        if metric.short and metric.per_picture in first.values:
            left, right = (values[chosen] for values in _pair(metric, first, second))
            means = {"first": float(left.mean()), "second": float(right.mean())}
            found[metric.difference] = means | paired_difference(left, right).difference()
    return found


def _pair(metric: Metric, first: Scored, second: Scored) -> list[npt.NDArray[np.float64]]:
    return [by_drawing(one.values[metric.per_picture], one.drawn) for one in (first, second)]
