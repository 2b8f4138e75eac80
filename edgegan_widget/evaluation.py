"""Which model is better, at what, and where does it fail?

``evaluate`` lets every model draw the same drawings with the same seeds, and holds what comes against held-out
pictures, the drawings themselves, and the training pictures. It is a generator, as training is: one loop serves the
command line, a panel and the tests, and to stop is not to ask for the next step.
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edgegan_widget import robustness
from edgegan_widget._version import __version__
from edgegan_widget.config import EvaluationConfig
from edgegan_widget.dataset import PairDataset, load_data
from edgegan_widget.drawn import Drawn, InputSet, Model, draw, held_out_edges, human_sketches
from edgegan_widget.errors import ModelError
from edgegan_widget.metrics.bootstrap import paired_difference
from edgegan_widget.metrics.cache import FeatureCache
from edgegan_widget.metrics.extractor import ClassifierFeatures
from edgegan_widget.metrics.inception import InceptionFeatures
from edgegan_widget.report_table import FORMAT
from edgegan_widget.scoring import FLAGS, Judge, Scored, number
from edgegan_widget.sketch_sets import left_out

__all__ = ["Evaluation", "EvaluationConfig", "Step", "differences", "evaluate"]

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came of it: ``report`` is the JSON; ``scored[model][set]`` has the pictures behind it."""

    report: Json
    scored: dict[str, dict[str, Scored]]
    train: PairDataset


@dataclass(frozen=True, eq=False)
class Step:
    """How far it is, from 0 to 1, and what has just been done; the last step has the whole.

    Attributes
    ----------
    row
        The newest row of the table.
    so_far
        What is there already: models that are done in its report, and every set that was scored; None until the
        real pictures have been looked at.
    """

    fraction: float
    message: str
    row: Json | None = None
    evaluation: Evaluation | None = None
    so_far: Evaluation | None = None


def evaluate(
    models: Sequence[Model],
    data: Path | str,
    sketches: Path | str | None = None,
    config: EvaluationConfig | None = None,
) -> Iterator[Step]:
    """Measure models side by side.

    Parameters
    ----------
    models
        Of one size; the classes that all of them and the data know are compared.
    data
        Folder, or packed file, with ``train`` and ``val``, as for training.
    sketches
        Folder of people's sketches, see :mod:`edgegan_widget.sketch_sets`.
    config
        How; None takes the defaults.

    Raises
    ------
    ModelError
        There is no model, they differ in size, share a name, or have fewer than two classes in common.
    DataError
        Data or sketches cannot be used.
    """
    config = config or EvaluationConfig()
    train, held_out = _load(models, data)
    cache = None if config.cache == "none" else FeatureCache(config.cache or None)
    yield Step(0.0, "training the classifier")
    classifier = ClassifierFeatures.trained_on(train, config.seed, config.classifier_steps, cache=cache)
    realism = InceptionFeatures(config.inception) if config.inception else None
    yield Step(0.0, "looking at the real pictures")
    judge = Judge(train, held_out, classifier, realism, cache, config.batch_size)
    sets = [held_out_edges(held_out)]
    if sketches is not None:
        sets += human_sketches(sketches, train.classes, train.size_px)
    sets = [given.some(config.per_class) for given in sets]
    distorted = sets[0].some(config.robustness_per_class) if config.robustness_per_class else None
    report = _head(judge, sets, config, [] if sketches is None else left_out(sketches, train.classes))
    scored: dict[str, dict[str, Scored]] = {}
    so_far = Evaluation(report, scored, train)
    for position, model in enumerate(models):
        row: Json = {"name": model.name, "classes": len(model.classes), "size_px": model.size_px, "sets": []}
        scored[model.name] = {}
        for step in _one_model(model, judge, sets, distorted, config, row, scored[model.name]):
            yield dataclasses.replace(step, fraction=(position + step.fraction) / len(models), so_far=so_far)
        report["models"].append(row)
    report["differences"] = _every_difference(models, sets, scored)
    yield Step(1.0, "done", evaluation=so_far, so_far=so_far)


def differences(first: Scored, second: Scored) -> Json:
    """First minus second model on the same drawings, with paired bootstrap intervals; drawings count once."""
    if first.drawn.variations != second.drawn.variations or first.drawn.inputs is not second.drawn.inputs:
        raise ModelError("the two models did not draw the same drawings; evaluate them together.")
    found: Json = {}
    for name in ("right", "f_score", "chamfer"):
        pair = [
            np.asarray(getattr(one, name), np.float64).reshape(-1, one.drawn.variations).mean(axis=1)
            for one in (first, second)
        ]
        interval = paired_difference(*pair)
        about = {"drawings": interval.count, "split": first.drawn.inputs.split, "differs": interval.differs}
        found[name] = number(interval.value, interval.low, interval.high, **about)
    return found


def _every_difference(
    models: Sequence[Model], sets: list[InputSet], scored: dict[str, dict[str, Scored]]
) -> list[Json]:
    """The first model against each other one, on each set."""
    first = models[0].name
    return [
        {"first": first, "second": model.name, "set": given.name}
        | differences(scored[first][given.name], scored[model.name][given.name])
        for model in models[1:]
        for given in sets
    ]


def _load(models: Sequence[Model], data: Path | str) -> tuple[PairDataset, PairDataset]:
    if not models:
        raise ModelError("there is no model to evaluate; name at least one.")
    sizes = sorted({model.size_px for model in models})
    if len(sizes) > 1:
        raise ModelError(f"the models draw at {' and '.join(map(str, sizes))} pixels; evaluate sizes one by one.")
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise ModelError(
            f"two models have one name ({', '.join(names)}); give different models, and rename a folder where they are."
        )
    train = load_data(data, "train", sizes[0])
    common = [name for name in train.classes if all(name in model.classes for model in models)]
    if len(common) < 2:
        raise ModelError(
            f"models and data have {len(common)} classes in common, two are needed; the data has "
            f"{', '.join(train.classes)}."
        )
    return train.only(common), load_data(data, "val", sizes[0]).only(common)


def _head(judge: Judge, sets: list[InputSet], config: EvaluationConfig, skipped: list[str]) -> Json:
    settings = dataclasses.asdict(config) | {"cache": "", "inception": Path(config.inception).name}
    return {
        "format": FORMAT,
        "version": __version__,
        "machine": {"platform": platform.platform(), "torch": torch.__version__},
        "settings": settings,
        "classes": list(judge.train.classes),
        "data": {"train": judge.train.counts(), "val": judge.held_out.counts()},
        "sets": [{"name": given.name, "split": given.split, "drawings": len(given)} for given in sets],
        "sketch_folders_of_no_class": skipped,
        "flags": FLAGS,
        "reference": judge.reference(),
        "models": [],
        "differences": [],
    }


def _one_model(
    model: Model,
    judge: Judge,
    sets: list[InputSet],
    distorted: InputSet | None,
    config: EvaluationConfig,
    row: Json,
    scored: dict[str, Scored],
) -> Iterator[Step]:
    """Fill ``row`` and ``scored``; fractions are of this model."""
    classes = judge.train.classes
    curve_cost = 0 if distorted is None else robustness.steps_of(distorted)
    total = config.variations * sum(map(len, sets)) + curve_cost
    done = 0
    for given in sets:
        for step in draw(model, given, classes, config.variations):
            if not isinstance(step, Drawn):
                yield Step((done + step * config.variations) / total, f"{model.name} draws: {given.name}")
                continue
            scored[given.name] = judge.score(step)
            row["sets"].append(scored[given.name].report)
        done += len(given) * config.variations
        yield Step(done / total, f"{model.name} measured: {given.name}", row=row)
    row["flags"] = sorted({flag for one in row["sets"] for flag in one["flags"]})
    row["milliseconds"] = row["sets"][0]["milliseconds"]
    if distorted is not None:
        for point in robustness.curves(model, distorted, classes, judge.classifier):
            if isinstance(point, int):
                yield Step((done + point) / total, f"{model.name} draws distorted drawings")
            else:
                row["robustness"] = point
    yield Step(1.0, f"{model.name} is done", row=row)
