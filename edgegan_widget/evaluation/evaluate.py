"""Which model is better, at what, and where does it fail?

``evaluate`` lets every model draw the same drawings with the same seeds, and holds what comes against held-out
pictures, the drawings themselves, and the training pictures. It is a generator, as training is: one loop serves the
command line, a panel and the tests, and to stop is not to ask for the next step.
"""

from __future__ import annotations

import dataclasses
import logging
import platform
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from edgegan_widget._version import __version__
from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.units import Json
from edgegan_widget.base.words import sort_out
from edgegan_widget.evaluation import robustness
from edgegan_widget.evaluation.comparison import differences
from edgegan_widget.evaluation.config import EvaluationConfig
from edgegan_widget.evaluation.drawn import (
    Drawn,
    InputSet,
    Model,
    draw,
    held_out_edges,
    human_sketches,
    people_set,
    sketch_side,
)
from edgegan_widget.evaluation.features import ClassifierFeatures, FeatureCache
from edgegan_widget.evaluation.inception import InceptionFeatures
from edgegan_widget.evaluation.judge import Evaluation, Judge, Look, Scored
from edgegan_widget.evaluation.metrics import Asked, Question, flags, more_to_draw, unanswerable
from edgegan_widget.evaluation.report.table import FORMAT
from edgegan_widget.sketch.sets.files import broken_files
from edgegan_widget.sketch.sets.folders import left_out, sketch_folders
from edgegan_widget.training.data_folder import class_counts
from edgegan_widget.training.dataset import PairDataset, load_data

__all__ = ["Evaluation", "EvaluationConfig", "Step", "evaluate"]

log = logging.getLogger(__name__)


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
    classifier
        While the classifier learns, before any model draws: its steps that are taken, of how many.
    """

    fraction: float
    message: str
    row: Json | None = None
    evaluation: Evaluation | None = None
    so_far: Evaluation | None = None
    classifier: tuple[int, int] | None = None


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
        The classes that all of them and the data know are compared; of a single one, what needs several is left out.
        Where models draw at several sizes, the judge looks at all pictures at the largest; each model is given the
        drawings at the size that it reads.
    data
        Folder, or packed file, with ``train`` and ``val``, as for training.
    sketches
        Folder of people's sketches, see :mod:`edgegan_widget.sketch.sets.folders`.
    config
        How; None takes the defaults.

    Raises
    ------
    ModelError
        There is no model, two share a name, or they have no class in common.
    DataError
        Data or sketches cannot be used.
    ConfigError
        A class that is asked for is not among these.
    """
    config = config or EvaluationConfig()
    train, held_out = _load(models, data, config.classes)
    drawings = _Drawings(data, held_out, sketches, config)
    sets = drawings.of(models[0])  # before the classifier's minutes: there may be none to ask for
    cache = None if config.cache == "none" else FeatureCache(config.cache or None)
    classifier = yield from _classifier(train, config, cache)
    realism = InceptionFeatures(config.inception) if config.inception else None
    yield Step(0.0, "looking at the real pictures")
    judge = Judge(train, held_out, classifier, realism, cache, config.batch_size)
    report = _head(judge, sets, config)
    if sketches is not None:
        report["sketch_folders_of_no_class"] = left_out(sketches, train.classes)
        report["people"] = drawings.people(sketches)
    scored: dict[str, dict[str, Scored]] = {}
    so_far = Evaluation(report, scored, train)
    for position, model in enumerate(models):
        sides = {"size_px": model.size_px, "sketch_px": sketch_side(model)}
        row: Json = {"name": model.name, "classes": len(model.classes)} | sides | {"sets": []}
        scored[model.name] = {}
        for step in _one_model(model, judge, drawings.of(model), config, row, scored[model.name]):
            yield dataclasses.replace(step, fraction=(position + step.fraction) / len(models), so_far=so_far)
        report["models"].append(row)
    report["differences"] = _every_difference(models, scored)
    yield Step(1.0, "done", evaluation=so_far, so_far=so_far)


def _classifier(
    train: PairDataset, config: EvaluationConfig, cache: FeatureCache | None
) -> Generator[Step, None, ClassifierFeatures]:
    """What judges the class; it learns from the real pictures, unless it has done so before."""
    yield Step(0.0, "training the classifier")
    training = ClassifierFeatures.training_on(train, config.seed, config.classifier_steps, cache=cache)
    while True:
        try:
            done = next(training)
        except StopIteration as ended:
            made: ClassifierFeatures = ended.value
            return made
        yield Step(0.0, "training the classifier", classifier=(done, config.classifier_steps))


def _every_difference(models: Sequence[Model], scored: dict[str, dict[str, Scored]]) -> list[Json]:
    """The first model against each other one, on each set."""
    first = models[0].name
    return [
        {"first": first, "second": model.name, "set": name} | differences(found, scored[model.name][name])
        for model in models[1:]
        for name, found in scored[first].items()
    ]


class _Drawings:
    """What is to be drawn, read once for each side that the models' sketches have."""

    def __init__(
        self, data: Path | str, held_out: PairDataset, sketches: Path | str | None, config: EvaluationConfig
    ) -> None:
        self._data, self._held_out, self._sketches, self._config = data, held_out, sketches, config
        self._sets: dict[int, list[InputSet]] = {}
        self._left_out: dict[str, None] = {}  # sentences, each once however often the sketches are read

    def of(self, model: Model) -> list[InputSet]:
        """The sets at this model's side: held-out edge maps first."""
        side = sketch_side(model)
        if side not in self._sets:
            self._sets[side] = [given.some(self._config.per_class) for given in self._read(side)]
        return self._sets[side]

    def people(self, sketches: Path | str) -> Json:
        """How many of people's sketches are asked for, of how many."""
        every: dict[str, int] = {}
        for folder in sketch_folders(sketches, self._held_out.classes):
            every[folder.set_name] = every.get(folder.set_name, 0) + len(folder.paths)
        used = {given.name: len(given) for sets in self._sets.values() for given in sets}
        counts = [{"name": name, "used": used.get(people_set(name), 0), "of": of} for name, of in every.items()]
        return {"asked_for": self._config.people, "sets": counts, "left_out": list(self._left_out)}

    def _tell(self, problem: str) -> None:
        if problem not in self._left_out:
            log.warning("left out: %s", problem)
        self._left_out[problem] = None

    def _read(self, side: int) -> list[InputSet]:
        edges = self._held_out
        if edges.edges_u8.shape[-1] != side:
            edges = load_data(self._data, "val", edges.size_px, edges.classes, sketch_px=side)
        sets = [held_out_edges(edges)]
        if self._sketches is not None:
            self._left_out |= dict.fromkeys(broken_files(Path(self._sketches)))  # the log has them already
            sets += human_sketches(self._sketches, edges.classes, side, self._config.people, self._tell)
        return sets


def _load(models: Sequence[Model], data: Path | str, wanted: Sequence[str] = ()) -> tuple[PairDataset, PairDataset]:
    if not models:
        raise ModelError("there is no model to evaluate; name at least one.")
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise ModelError(
            f"two models have one name ({', '.join(names)}); give different models, and rename a folder where they are."
        )
    known = class_counts(data, "train")
    common = [name for name in known if all(name in model.classes for model in models)]
    if not common:
        raise ModelError(f"models and data have no class in common; the data has {', '.join(known)}.")
    chosen, unknown = sort_out(wanted, common)
    if unknown:
        raise ConfigError(f"models and data do not share {'; '.join(unknown)}; they share {', '.join(common)}.")
    common = [name for name in common if name in chosen or not wanted]
    size, side = max(model.size_px for model in models), sketch_side(models[0])
    train, held_out = (load_data(data, split, size, common, sketch_px=side) for split in ("train", "val"))
    return train, held_out


def _head(judge: Judge, sets: list[InputSet], config: EvaluationConfig) -> Json:
    settings = dataclasses.asdict(config) | {"cache": "", "inception": Path(config.inception).name}
    settings["classes"] = list(config.classes)
    return {
        "format": FORMAT,
        "version": __version__,
        "machine": {"platform": platform.platform(), "torch": torch.__version__},
        "settings": settings,
        "classes": list(judge.train.classes),
        "data": {"train": judge.train.counts(), "val": judge.held_out.counts()},
        "sets": [{"name": given.name, "split": given.split, "drawings": len(given)} for given in sets],
        "judged_at_px": judge.size_px,
        "not_measured": unanswerable(len(judge.train.classes)),
        "sketch_folders_of_no_class": [],
        "people": None,
        "flags": flags(),
        "reference": judge.reference(),
        "models": [],
        "differences": [],
    }


def _one_model(
    model: Model,
    judge: Judge,
    sets: list[InputSet],
    config: EvaluationConfig,
    row: Json,
    scored: dict[str, Scored],
) -> Iterator[Step]:
    """Fill ``row`` and ``scored``; fractions are of this model."""
    distorted = sets[0].some(config.robustness_per_class) if config.robustness_per_class else None
    asked = more_to_draw(sets[0], len(judge.train.classes), config)
    total = config.variations * sum(map(len, sets)) + sum(more.pictures for _, more in asked)
    total += 0 if distorted is None else robustness.steps_of(distorted)
    done = 0
    for given in sets:
        for step in draw(model, given, judge.train.classes, config.variations):
            if isinstance(step, int):
                yield Step((done + step * config.variations) / total, f"{model.name} draws: {given.name}")
            else:
                scored[given.name] = judge.score(step)
        done += len(given) * config.variations
        for question, more in asked if given is sets[0] else ():  # before its row is shown, which is then whole
            for found in _drawn_for(question, more, model, judge):
                if isinstance(found, int):
                    yield Step((done + found) / total, f"{model.name} draws: {question.numbers[0].name}")
                else:
                    scored[given.name].report[question.name] = found
            done += more.pictures
        row["sets"].append(scored[given.name].report)
        yield Step(done / total, f"{model.name} measured: {given.name}", row=row)
    row["flags"] = sorted({flag for one in row["sets"] for flag in one["flags"]})
    row["milliseconds"] = row["sets"][0]["milliseconds"]
    if distorted is not None:
        for point in robustness.curves(model, distorted, judge):
            if isinstance(point, int):
                yield Step((done + point) / total, f"{model.name} draws distorted drawings")
            else:
                row["robustness"] = point
    yield Step(1.0, f"{model.name} is done", row=row)


def _drawn_for(question: Question, asked: Asked, model: Model, judge: Judge) -> Iterator[Json | int]:
    """Yields how many pictures are drawn, and at last the numbers."""
    for step in draw(model, asked.inputs, judge.train.classes, asked.variations, timed=0, seed=asked.seed):
        if isinstance(step, Drawn):
            yield question.compute(Look(step, judge, asked.about)).part
        else:
            yield step * asked.variations
