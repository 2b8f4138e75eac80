"""What a model drew -> numbers, each with what it rests on."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from edgegan_widget.base.frechet import F64, frechet_distance, unreliable
from edgegan_widget.evaluation.drawn import Drawn
from edgegan_widget.evaluation.metrics.bootstrap import Interval, mean_interval
from edgegan_widget.evaluation.metrics.cache import FeatureCache
from edgegan_widget.evaluation.metrics.colours import mean_colours
from edgegan_widget.evaluation.metrics.diversity import ClassDiversity, collapsed, diversity, overall
from edgegan_widget.evaluation.metrics.extractor import ClassifierFeatures, Extractor, PixelFeatures, features
from edgegan_widget.evaluation.metrics.faithful import fits
from edgegan_widget.evaluation.metrics.inception import InceptionFeatures
from edgegan_widget.evaluation.metrics.kernel import kernel_distance
from edgegan_widget.evaluation.metrics.manifold import NEIGHBOUR_DENSITY, manifold
from edgegan_widget.evaluation.metrics.memorisation import Memorisation, memorisation
from edgegan_widget.evaluation.metrics.rightness import confusion
from edgegan_widget.training.dataset import PairDataset

__all__ = ["FLAGS", "Judge", "Scored", "number"]

Json = dict[str, Any]
Numbers = npt.NDArray[np.int64]

WRONG_CLASS_SHARE = 0.5  # of the accuracy on real pictures
FLAGS = {
    "memorising": "pictures lie closer to training pictures than held-out ones do, and many are near-copies",
    "collapsed": "in half of the classes or more, different drawings end in (nearly) one picture",
    "wrong class": "the classifier sees the class asked for in less than half as many as in real pictures",
}


@dataclass(frozen=True, eq=False)
class Scored:
    """A set's numbers as JSON, and what galleries and comparisons need of each picture.

    Attributes
    ----------
    right, f_score, chamfer
        [M] Of each picture: the class asked for is seen; how well it follows the drawing.
    seen
        [M] Class number that the classifier sees.
    neighbour, relative
        [M] Nearest training picture by pixels (mirrored ones count as the picture itself), and its distance over the
        held-out pictures' median.
    partner
        [N] Of each drawing's first picture: the drawing whose first picture is nearest within the class, by features.
    partner_distance
        [N] Its distance in units of the mean distance between real pictures of the class.
    found, real
        Realism features of the pictures [M, D] and of the real ones that they were held against [R, D].
    """

    drawn: Drawn
    report: Json
    right: npt.NDArray[np.bool_]
    seen: Numbers
    f_score: F64
    chamfer: F64
    neighbour: Numbers
    relative: F64
    partner: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    partner_distance: F64 = field(default_factory=lambda: np.empty(0))
    found: F64 = field(default_factory=lambda: np.empty((0, 0)))
    real: F64 = field(default_factory=lambda: np.empty((0, 0)))


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
        self._pixels = PixelFeatures()
        self._cache, self._batch_size = cache, batch_size
        self._real = self.features(self.realism, held_out.images_u8)
        self._train = self.features(self.realism, train.images_u8)
        self._real_seen = classifier.verdicts(self.features(classifier, held_out.images_u8))
        self.real_accuracy = confusion(held_out.labels.numpy(), self._real_seen, held_out.classes).accuracy
        both_ways = torch.cat([train.images_u8, train.images_u8.flip(3)])  # training mirrors, so a copy may be mirrored
        self._train_pixels = self.features(self._pixels, both_ways)
        self._real_pixels = self.features(self._pixels, held_out.images_u8)

    @property
    def size_px(self) -> int:
        """Side of the pictures that are looked at."""
        return self.train.size_px

    @functools.cached_property
    def real_colours(self) -> F64:
        """Mean colours of the training pictures, [T, 3]."""
        return mean_colours(self.train.images_u8.permute(0, 2, 3, 1).numpy())

    def verdicts(self, drawn: Drawn) -> Numbers:
        """Class numbers [M] that the classifier sees in pictures; these are looked at once, so nothing is kept."""
        found = features(self.classifier, drawn.as_tensor(self.size_px), batch_size=self._batch_size)
        return self.classifier.verdicts(found)

    def rests_on(self, drawn: Drawn, extractor: Extractor | None = None) -> Json:
        """What a number of these pictures rests on; the classifier where no extractor is named."""
        extractor = extractor or self.classifier
        return {
            "extractor": extractor.name, "resize": self._resize(drawn, extractor), "generated": len(drawn.labels),
            "split": drawn.inputs.split,
        }  # fmt: skip

    def features(self, extractor: Extractor, pictures_u8: Tensor) -> F64:
        return features(extractor, pictures_u8, self._cache, self._batch_size)

    def reference(self) -> Json:
        """What the numbers are for real pictures: the classifier's accuracy, and training against held-out pictures."""
        common = {"extractor": self.realism.name, "resize": self.realism.resize, "split": "train"}
        numbers = self._realism(self._train, np.unique(self.held_out.labels.numpy()), common)
        accuracy = number(
            self.real_accuracy, extractor=self.classifier.name, resize=self.classifier.resize,
            real=len(self.held_out), split="val",
        )  # fmt: skip
        return {"real_accuracy": accuracy, "realism of the training pictures": numbers}

    def score(self, drawn: Drawn) -> Scored:
        """All numbers of one set."""
        pictures = drawn.as_tensor(self.size_px)
        judged = self.features(self.classifier, pictures)
        found = judged if self.realism is self.classifier else self.features(self.realism, pictures)
        seen = self.classifier.verdicts(judged)
        right = seen == drawn.labels
        following = fits(drawn.inputs.sketches_u8[drawn.number], drawn.pictures_u8)
        lines = {name: np.array([getattr(one, name) for one in following]) for name in _FIT_NUMBERS}
        first = np.arange(0, len(seen), drawn.variations)
        varied = self._diversity(found[first], drawn.inputs.labels)
        copies = self._memorisation(found, self.features(self._pixels, pictures), seen)
        report = {
            "name": drawn.inputs.name,
            "split": drawn.inputs.split,
            "drawings": len(drawn.inputs),
            "pictures": len(seen),
            "realism": self._realism(found, np.unique(drawn.labels), self.rests_on(drawn, self.realism)),
            "right_class": self._right_class(drawn, seen, right),
            "faithful": self._faithful(drawn, lines),
            "diversity": self._diversity_json(varied, drawn),
            "memorisation": {name: self._copies_json(one, name, drawn) for name, one in copies.items()},
            "milliseconds": {
                "median": float(np.median(drawn.milliseconds)),
                "p95": float(np.percentile(drawn.milliseconds, 95)),
            },
            "flags": self._flags(copies, varied, float(right.mean())),
        }
        pixels = copies["pixels"]
        return Scored(
            drawn, report, right, seen, lines["f_score"], lines["chamfer"],
            pixels.neighbour % len(self.train), pixels.relative, *_partners(varied, drawn.inputs.labels),
            found, self._real_of(np.unique(drawn.labels)),
        )  # fmt: skip

    def _real_of(self, classes: Numbers) -> F64:
        """Features of the held-out pictures of these classes."""
        chosen: F64 = self._real[np.isin(self.held_out.labels.numpy(), classes)]
        return chosen

    def _resize(self, drawn: Drawn, extractor: Extractor) -> str:
        """How pictures are brought to the extractor's size, in words."""
        enlarged = f"bicubic, from {drawn.size_px} to {self.size_px} pixels; then "
        return f"{enlarged if drawn.size_px != self.size_px else ''}{extractor.resize}"

    def _realism(self, found: F64, classes: Numbers, common: Json) -> Json:
        """Against held-out pictures of the classes that were drawn: those of training would reward copies."""
        real = self._real_of(classes)
        split = f"real val, drawn from {common['split']}"
        common = common | {"real": len(real), "generated": len(found), "split": split}
        if min(len(real), len(found)) <= NEIGHBOUR_DENSITY:
            return {
                "too_few": f"{len(real)} real and {len(found)} drawn pictures; more than {NEIGHBOUR_DENSITY} of each"
            }
        kid = kernel_distance(real, found)
        shares = dataclasses.asdict(manifold(real, found))
        frechet = number(
            frechet_distance(real, found),
            unreliable=unreliable(len(real), len(found), self.realism.dimension),
            **common,
        )
        name = "fid" if isinstance(self.realism, InceptionFeatures) else "frechet_distance"
        kernel = number(kid.value, kid.low, kid.high, subsets=kid.subsets, subset_size=kid.subset_size, **common)
        return {name: frechet, "kid": kernel} | {key: number(value, **common) for key, value in shares.items()}

    def _right_class(self, drawn: Drawn, seen: Numbers, right: npt.NDArray[np.bool_]) -> Json:
        table = confusion(drawn.labels, seen, self.train.classes)
        common = self.rests_on(drawn)
        name, worst, count = table.worst_class
        return {
            "accuracy": _interval(_mean_by_drawing(right, drawn), **common),
            "balanced_accuracy": number(table.balanced_accuracy, **common),
            "worst_class": number(worst, class_name=name, **common | {"generated": count}),
            "by_class": table.by_class(),
            "classes": list(table.classes),
            "confusion": table.counts.tolist(),
        }

    def _faithful(self, drawn: Drawn, lines: dict[str, F64]) -> Json:
        common: Json = {
            "extractor": "edges of the picture", "resize": _reduced(drawn), "generated": len(drawn.labels),
            "split": drawn.inputs.split,
        }  # fmt: skip
        overall_numbers = {name: _interval(_mean_by_drawing(values, drawn), **common) for name, values in lines.items()}
        by_class = {
            self.train.classes[k]: {name: float(values[drawn.labels == k].mean()) for name, values in lines.items()}
            for k in np.unique(drawn.labels)
        }
        return overall_numbers | {"by_class": by_class}

    def _diversity(self, first: F64, labels: Numbers) -> dict[int, ClassDiversity]:
        return diversity(self._real, first, self.held_out.labels.numpy(), labels, len(self.train.classes))

    def _diversity_json(self, found: dict[int, ClassDiversity], drawn: Drawn) -> Json:
        common = self.rests_on(drawn, self.realism) | {
            "real": sum(one.real_count for one in found.values()),
            "generated": sum(one.count for one in found.values()),
            "split": f"real val, drawn from {drawn.inputs.split}",
        }  # fmt: skip
        names = ("ratio", "same_share", "real_same_share")
        by_class = {
            self.train.classes[k]: {name: float(getattr(one, name)) for name in names} | {"collapsed": one.collapsed}
            for k, one in found.items()
        }
        numbers = {name: number(value, **common) for name, value in zip(names, overall(found))}
        return numbers | {"by_class": by_class}

    def _memorisation(self, found: F64, pixels: F64, seen: Numbers) -> dict[str, Memorisation]:
        """Cells are the classes that are seen, not asked for: what looks like a bar is compared with real bars."""
        return {
            "features": memorisation(self._train, self._real, found, self._real_seen, seen),
            "pixels": memorisation(self._train_pixels, self._real_pixels, pixels, self._real_seen, seen),
        }

    def _copies_json(self, found: Memorisation, space: str, drawn: Drawn) -> Json:
        extractor = self.realism if space == "features" else self._pixels
        common = self.rests_on(drawn, extractor) | {
            "train": len(self.train), "real": len(self.held_out), "split": f"drawn from {drawn.inputs.split}",
        }  # fmt: skip
        return {
            "statistic": number(found.statistic, **common),
            "copied_share": number(found.copied_share, **common),
            "closer_than_held_out": found.closer_than_held_out,
            "memorising": found.memorising,
        }

    def _flags(self, copies: dict[str, Memorisation], varied: dict[int, ClassDiversity], accuracy: float) -> list[str]:
        # Copies are literal: they show in pixels. In a classifier's features the training pictures, which it knows, and
        # every clear picture of a class lie close together, copied or not.
        raised = {
            "memorising": copies["pixels"].memorising,
            "collapsed": collapsed(varied),
            "wrong class": accuracy < WRONG_CLASS_SHARE * self.real_accuracy,
        }
        return [flag for flag in FLAGS if raised[flag]]


def _partners(found: dict[int, ClassDiversity], labels: Numbers) -> tuple[Numbers, F64]:
    """Nearest other drawing of the class by picture, and how near, for drawings [N]; -1 and nan where there is none."""
    partner, distance = np.full(len(labels), -1), np.full(len(labels), np.nan)
    for label, one in found.items():
        members = np.nonzero(labels == label)[0]
        partner[members], distance[members] = members[one.partner], one.nearest
    return partner, distance


_FIT_NUMBERS = ("f_score", "chamfer", "precision", "recall")


def number(value: float, low: float | None = None, high: float | None = None, **about: object) -> Json:
    """One number as JSON: what is not known is left out, and what is no number becomes null."""
    found: Json = {"value": _plain(value)}
    if low is not None and high is not None:
        found |= {"low": _plain(low), "high": _plain(high)}
    return found | {name: given for name, given in about.items() if given is not None}


def _reduced(drawn: Drawn) -> str:
    """How pictures are brought to the drawings' size, in words."""
    side = drawn.inputs.sketches_u8.shape[-1]
    return "none" if drawn.size_px == side else f"from {drawn.size_px} to {side} pixels, those of the drawing"


def _interval(values: F64, **about: object) -> Json:
    found: Interval = mean_interval(values)
    return number(found.value, found.low, found.high, drawings=found.count, **about)


def _mean_by_drawing(values: npt.NDArray[Any], drawn: Drawn) -> F64:
    """Variations of one drawing are not independent: their mean counts once."""
    means: F64 = values.astype(np.float64).reshape(-1, drawn.variations).mean(axis=1)
    return means


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
