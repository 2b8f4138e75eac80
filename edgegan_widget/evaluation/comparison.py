"""Two models on the same drawings with the same seeds: where do they differ, and by more than chance?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ModelError
from edgegan_widget.evaluation.evaluate import Evaluation, differences
from edgegan_widget.evaluation.metrics.bootstrap import Interval, paired_difference
from edgegan_widget.evaluation.metrics.manifold import NEIGHBOUR_DENSITY
from edgegan_widget.evaluation.metrics.paired import frechet_difference, kernel_difference
from edgegan_widget.evaluation.scoring import Scored, number

__all__ = ["compare", "most_different"]

Json = dict[str, Any]

FORMAT = 1
MOST_DRAWINGS = 2000  # for distances between sets, whose cost grows with the square


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
    kept = ("version", "machine", "settings", "classes", "data", "reference", "people")
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
    realism = first.report["realism"]
    if min(len(first.real), len(first.drawn.inputs)) <= NEIGHBOUR_DENSITY or "kid" not in realism:
        return {}
    rows = slice(0, MOST_DRAWINGS * first.drawn.variations, first.drawn.variations)
    given = first.real, first.found[rows], second.found[rows]
    name = "fid" if "fid" in realism else "frechet_distance"
    about = {key: realism[name].get(key) for key in ("extractor", "resize", "real", "split", "unreliable")}
    found = {name: frechet_difference(*given), "kid": kernel_difference(*given)}
    return {key: _as_json(one, **(about | _only_frechet(key, about))) for key, one in found.items()}


def _only_frechet(name: str, about: Json) -> Json:
    """What makes a Frechet distance unreliable does not touch the kernel distance."""
    return {"unreliable": None if name == "kid" else about["unreliable"]}


def _of_class(first: Scored, second: Scored, chosen: npt.NDArray[np.bool_]) -> Json:
    found: Json = {"drawings": int(chosen.sum())}
    for name in ("right", "f_score"):
        left, right = (
            np.asarray(getattr(one, name), np.float64).reshape(-1, one.drawn.variations).mean(axis=1)[chosen]
            for one in (first, second)
        )
        found[name] = {"first": float(left.mean()), "second": float(right.mean())} | _as_json(
            paired_difference(left, right)
        )
    return found


def _as_json(found: Interval, **about: object) -> Json:
    return number(found.value, found.low, found.high, drawings=found.count, differs=found.differs, **about)
