"""What a model drew -> numbers, each with what it rests on: looked at once, then every question is asked."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgegan_widget.base.frechet import F64
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.drawn import Drawn
from edgegan_widget.evaluation.features import ClassifierFeatures, Extractor, FeatureCache, PixelFeatures, features
from edgegan_widget.evaluation.metrics import answerable, flags
from edgegan_widget.training.dataset import PairDataset

__all__ = ["Evaluation", "Judge", "Look", "Scored", "as_tensor"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scored:
    """A set's numbers as JSON, and what galleries and comparisons need of each picture.

    Attributes
    ----------
    seen
        [M] Class number that the classifier sees.
    values, beside
        Values [M] of single pictures and numbers [M] of training pictures beside them, by name, see
        :class:`~edgegan_widget.evaluation.metrics.Measured`.
    details
        What questions need for their own sections of the page, by their names.
    found, real
        Realism features of the pictures [M, D] and of the real ones that they were held against [R, D].
    """

    drawn: Drawn
    report: Json
    seen: Numbers
    values: Mapping[str, npt.NDArray[Any]]
    beside: Mapping[str, Numbers] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    found: F64 = field(default_factory=lambda: np.empty((0, 0)))
    real: F64 = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came of it: ``report`` is the JSON; ``scored[model][set]`` has the pictures behind it."""

    report: Json
    scored: dict[str, dict[str, Scored]]
    train: PairDataset


class Judge:
    """Everything real that pictures are held against, loaded and looked at once.

    Parameters
    ----------
    train, held_out
        The same classes.
    classifier
        Trained on ``train``; judges classes.
    realism
        What realism, diversity and memorisation are measured with; None takes the classifier's own features.
    cache
        Where features lie on disk; None keeps none.

    Attributes
    ----------
    real, learned
        Realism features of the held-out pictures [H, D] and of the training pictures [T, D].
    real_pixels, learned_pixels
        The same for pixels; training pictures [2 T, D] as they are, then mirrored.
    real_labels, real_seen
        [H] Classes of the held-out pictures, and what the classifier sees in them.

    Pictures that are smaller than the real ones are enlarged before they are looked at.
    """

    def __init__(
        self,
        train: PairDataset,
        held_out: PairDataset,
        classifier: ClassifierFeatures,
        realism: Extractor | None = None,
        cache: FeatureCache | None = None,
        batch_size: int = 128,
    ) -> None:
        self.train, self.held_out, self.classifier = train, held_out, classifier
        self.realism: Extractor = realism or classifier
        self.pixels = PixelFeatures()
        self._cache, self._batch_size = cache, batch_size
        self._kept: dict[str, Any] = {}
        self.real = self.features(self.realism, held_out.images_u8)
        self.learned = self.features(self.realism, train.images_u8)
        self.real_labels: Numbers = held_out.labels.numpy()
        self.real_seen = classifier.verdicts(self.features(classifier, held_out.images_u8))
        both_ways = torch.cat([train.images_u8, train.images_u8.flip(3)])  # training mirrors, so a copy may be mirrored
        self.learned_pixels = self.features(self.pixels, both_ways)
        self.real_pixels = self.features(self.pixels, held_out.images_u8)

    @property
    def size_px(self) -> int:
        """Side of the pictures that are looked at."""
        return self.train.size_px

    def once(self, name: str, make: Callable[[], F64]) -> F64:
        """What a question needs of the real pictures, made when it is first asked for."""
        if name not in self._kept:
            self._kept[name] = make()
        kept: F64 = self._kept[name]
        return kept

    def real_of(self, labels: npt.ArrayLike) -> F64:
        """Features of the held-out pictures of these classes."""
        chosen: F64 = self.real[np.isin(self.real_labels, labels)]
        return chosen

    def verdicts(self, drawn: Drawn) -> Numbers:
        """Class numbers [M] that the classifier sees in pictures; these are looked at once, so nothing is kept."""
        found = features(self.classifier, as_tensor(drawn, self.size_px), batch_size=self._batch_size)
        return self.classifier.verdicts(found)

    def rests_on(self, drawn: Drawn, extractor: Extractor | None = None) -> Json:
        """What a number of these pictures rests on; the classifier where no extractor is named."""
        extractor = extractor or self.classifier
        enlarged = f"bicubic, from {drawn.size_px} to {self.size_px} pixels; then " * (drawn.size_px != self.size_px)
        return {
            "extractor": extractor.name, "resize": enlarged + extractor.resize, "generated": len(drawn.labels),
            "split": drawn.inputs.split,
        }  # fmt: skip

    def features(self, extractor: Extractor, pictures_u8: Tensor) -> F64:
        """Features of pictures uint8 [N, 3, S, S], kept on disk."""
        return features(extractor, pictures_u8, self._cache, self._batch_size)

    def reference(self) -> Json:
        """What the numbers are for real pictures."""
        able = answerable(len(self.train.classes))
        asked = [question.reference(self) for question in able if question.reference is not None]
        return {name: found for part in asked for name, found in part.items()}

    def score(self, drawn: Drawn) -> Scored:
        """All numbers of one set, but those for which something else has to be drawn."""
        look = Look(drawn, self)
        able = answerable(len(self.train.classes))
        found = {one.name: one.compute(look) for one in able if one.asks is None}
        raised = {flag for one in found.values() for flag in one.flags}
        report = {
            "name": drawn.inputs.name,
            "split": drawn.inputs.split,
            "drawings": len(drawn.inputs),
            "pictures": len(look.seen),
            **{name: one.part for name, one in found.items()},
            "milliseconds": {
                "median": float(np.median(drawn.milliseconds)),
                "p95": float(np.percentile(drawn.milliseconds, 95)),
            },
            "flags": [flag for flag in flags() if flag in raised],
        }
        values, beside = ({name: row for one in found.values() for name, row in getattr(one, kind).items()}
                          for kind in ("values", "beside"))  # fmt: skip
        details = {name: one.details for name, one in found.items()}
        return Scored(drawn, report, look.seen, values, beside, details, look.found, self.real_of(drawn.labels))


@dataclass(frozen=True, eq=False)
class Look:
    """Pictures of one set, looked at once for all questions; ``about`` is what a question asked for them with."""

    drawn: Drawn
    judge: Judge
    about: Any = None

    @functools.cached_property
    def _pictures(self) -> Tensor:
        return as_tensor(self.drawn, self.judge.size_px)

    @functools.cached_property
    def judged(self) -> F64:
        """The classifier's features [M, C]."""
        return self.judge.features(self.judge.classifier, self._pictures)

    @functools.cached_property
    def seen(self) -> Numbers:
        """Class numbers [M] that the classifier sees."""
        return self.judge.classifier.verdicts(self.judged)

    @functools.cached_property
    def found(self) -> F64:
        """Realism features [M, D]."""
        own = self.judge.realism is self.judge.classifier
        return self.judged if own else self.judge.features(self.judge.realism, self._pictures)

    @functools.cached_property
    def pixels(self) -> F64:
        """Pixels as features [M, P]."""
        return self.judge.features(self.judge.pixels, self._pictures)


def as_tensor(drawn: Drawn, side_px: int) -> Tensor:
    """Pictures uint8 [M, 3, side_px, side_px]."""
    return torch.from_numpy(drawn.pictures_at(side_px)).permute(0, 3, 1, 2).contiguous()
