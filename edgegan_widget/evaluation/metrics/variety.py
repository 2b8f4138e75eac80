"""Do different sketches of a class end in different pictures, and other seeds in other colours?

The distance between two pictures of one class, drawn from different sketches, is held against that between two real
pictures of the class; and pictures are counted that are nearly the same as that of another sketch.

Lines say nothing of colour, so one drawing may end in many. The mean colour of the object, in CIE Lab (1976), where
distances are about those that people see, spreads over the seeds of one drawing; it is held against its spread over the
real pictures of the class. Spread is the root of the covariance's trace, in units of CIE Lab.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64, as_features
from edgegan_widget.base.units import U8, Json
from edgegan_widget.evaluation.metrics import (
    CLASSES,
    Asked,
    Measured,
    Metric,
    Question,
    Section,
    number,
    register,
)
from edgegan_widget.evaluation.metrics.distances import mean_pair, nearest
from edgegan_widget.sketch.contours import filled_mask

if TYPE_CHECKING:
    from edgegan_widget.evaluation.config import EvaluationConfig
    from edgegan_widget.evaluation.drawn import Drawn, InputSet
    from edgegan_widget.evaluation.judge import Judge, Look, Scored

__all__ = ["COLOUR_DRAWINGS", "ClassColours", "ClassDiversity", "collapsed", "colours", "diversity", "mean_colours",
           "overall", "overall_colours"]  # fmt: skip

Numbers = npt.NDArray[np.int64]

# Two pictures closer than this share of the mean distance between two real ones of their class look nearly the same.
NEARLY_SAME = 0.15
COLLAPSED_SHARE = 0.5  # of a class's sketches that end in nearly the same picture
COLLAPSED_RATIO = 0.2  # of the real pictures' own variety
COLOUR_DRAWINGS = 4  # of a class: how many are drawn with many seeds
COLOUR_SEED = 0  # all seeds follow from it


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
    for label in range(classes):
        theirs, ours = real[real_labels == label], generated[labels == label]
        if len(theirs) > 1 and len(ours) > 1:
            found[label] = _of_class(theirs, ours)
    return found


def _of_class(real: F64, generated: F64) -> ClassDiversity:
    unit = mean_pair(real)
    unit = unit if unit > 0 else 1.0
    distances, partner = nearest(generated)
    real_distances, _ = nearest(real)
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


_NUMBERS = ("ratio", "same_share", "real_same_share")


def _compute(look: Look) -> Measured:
    """By each drawing's first picture."""
    drawn, judge = look.drawn, look.judge
    labels, classes = drawn.inputs.labels, judge.train.classes
    found = diversity(judge.real, look.found[:: drawn.variations], judge.real_labels, labels, len(classes))
    common = judge.rests_on(drawn, judge.realism) | {
        "real": sum(one.real_count for one in found.values()),
        "generated": sum(one.count for one in found.values()),
        "split": f"real val, drawn from {drawn.inputs.split}",
    }
    part: Json = {name: number(value, **common) for name, value in zip(_NUMBERS, overall(found))}
    part["by_class"] = {
        classes[k]: {name: float(getattr(one, name)) for name in _NUMBERS} | {"collapsed": one.collapsed}
        for k, one in found.items()
    }
    return Measured(part, flags=["collapsed"] if collapsed(found) else [], details=_partners(found, labels))


def _partners(found: dict[int, ClassDiversity], labels: Numbers) -> tuple[Numbers, F64]:
    """Nearest other drawing of the class by picture, and how near, for drawings [N]; -1 and nan where there is none."""
    partner, distance = np.full(len(labels), -1), np.full(len(labels), np.nan)
    for label, one in found.items():
        members = np.nonzero(labels == label)[0]
        partner[members], distance[members] = members[one.partner], one.nearest
    return partner, distance


def _nearly_the_same(scored: Scored, _: Any, most: int) -> Iterator[tuple[Sequence[U8], str]]:
    """Nearest first, no pair twice."""
    drawn, inputs = scored.drawn, scored.drawn.inputs
    partner, distance = scored.details["diversity"]
    seen: set[frozenset[int]] = set()
    for one in np.argsort(np.nan_to_num(distance, nan=np.inf), kind="stable"):
        pair = frozenset((int(one), int(partner[one])))
        if partner[one] < 0 or pair in seen or len(seen) == most:
            continue
        seen.add(pair)
        both = [(inputs.sketches_u8[k], drawn.pictures_u8[k * drawn.variations]) for k in (one, partner[one])]
        told = f"{distance[one]:.2f}; {inputs.sources[one]}; {inputs.sources[partner[one]]}"
        yield [plane for planes in both for plane in planes], told


register(Question(
    "diversity",
    (
        Metric(("diversity", "ratio"), "variety, 1 is real", ".2f", "",
            "How much pictures of a class differ, against how much real ones do."),
        Metric(("diversity", "same_share"), "nearly the same", ".1%", "↓",
            "Share of drawings whose picture is nearly that of another drawing."),
    ),
    _compute,
    "This number compares pictures of a class with each other: whole classes are sorted by it.",
    CLASSES,
    flags={"collapsed": "in half of the classes or more, different drawings end in (nearly) one picture"},
    section=Section("Different drawings, nearly the same picture",
        "A drawing and its picture | the drawing and picture nearest to it, nearest first. The distance is a share "
        "of that between two real pictures of the class; below 0.15 they count as nearly the same.",
        _nearly_the_same),
    place=50,
))  # fmt: skip


@dataclass(frozen=True)
class ClassColours:
    """Colours of one class: spread over the seeds of a drawing, over real pictures, and the first over the second."""

    drawn: float
    real: float
    count: int
    real_count: int

    @property
    def ratio(self) -> float:
        """1 is as many colours as reality has, 0 is one."""
        return self.drawn / self.real


def mean_colours(pictures_u8: U8) -> F64:
    """Mean colour of the object, whatever is not white paper, in CIE Lab; [N, 3], nan for a blank sheet.

    Parameters
    ----------
    pictures_u8
        uint8 [N, S, S, 3].
    """
    return np.array([_mean_colour(picture) for picture in pictures_u8], np.float64).reshape(-1, 3)


def _mean_colour(picture_u8: U8) -> F64:
    on_object = filled_mask(picture_u8) > 0
    if not on_object.any():
        return np.full(3, np.nan)
    lab = cv2.cvtColor(picture_u8.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.asarray(lab[on_object].mean(axis=0), np.float64)


def colours(
    real: F64, drawn: F64, real_labels: npt.ArrayLike, labels: npt.ArrayLike, classes: int
) -> dict[int, ClassColours]:
    """Colours by class number; classes with fewer than two pictures on either side, or one real colour, are left out.

    Parameters
    ----------
    real, drawn
        Mean colours [R, 3], and [N, V, 3] of V seeds of each drawing; nan is left out.
    real_labels, labels
        [R] and [N] Their class numbers.
    classes
        How many classes there are.
    """
    real_labels, labels = np.asarray(real_labels), np.asarray(labels)
    found = {}
    for label in range(classes):
        theirs = [real[real_labels == label]]
        ours = list(drawn[labels == label])
        spreads = _spread(ours), _spread(theirs)
        if np.isfinite(spreads).all() and spreads[1] > 0:
            found[label] = ClassColours(*spreads, sum(map(len, ours)), len(theirs[0]))
    return found


def overall_colours(found: dict[int, ClassColours]) -> float:
    """Mean ratio over classes; nan for none."""
    return float(np.mean([one.ratio for one in found.values()])) if found else float("nan")


def _spread(groups: list[F64]) -> float:
    """Root of the trace of the covariance within groups [V, 3], a mean over groups; nan where none has two."""
    whole = [group[np.isfinite(group).all(axis=1)] for group in groups]
    traces = [group.var(axis=0, ddof=1).sum() for group in whole if len(group) > 1]
    return float(np.sqrt(np.mean(traces))) if traces else float("nan")


def _ask_seeds(inputs: InputSet, _: int, config: EvaluationConfig) -> Asked | None:
    """A few drawings with many seeds."""
    return Asked(inputs.some(COLOUR_DRAWINGS), config.colour_seeds, COLOUR_SEED) if config.colour_seeds else None


def _compute_colours(look: Look) -> Measured:
    drawn, judge = look.drawn, look.judge
    found = _colours(drawn, judge)
    common: Json = {
        "extractor": "mean colour of the object in CIE Lab", "resize": "none", "real": len(judge.train),
        "generated": len(drawn.labels), "drawings": len(drawn.inputs), "seeds": drawn.variations,
        "split": f"real train, drawn from {drawn.inputs.split}",
    }  # fmt: skip
    by_class = {
        judge.train.classes[k]: {"ratio": one.ratio, "drawn": one.drawn, "real": one.real} for k, one in found.items()
    }
    return Measured({"ratio": number(overall_colours(found), **common), "by_class": by_class})


def _colours(drawn: Drawn, judge: Judge) -> dict[int, ClassColours]:
    def real() -> F64:
        return mean_colours(judge.train.images_u8.permute(0, 2, 3, 1).numpy())

    ours = mean_colours(drawn.pictures_u8).reshape(-1, drawn.variations, 3)
    labels = judge.train.labels.numpy()
    return colours(judge.once("colours", real), ours, labels, drawn.inputs.labels, len(judge.train.classes))


register(Question(
    "colours",
    (
        Metric(("colours", "ratio"), "spread of colours, 1 is real", ".2f", "",
            "How much the mean colour of an object differs over the seeds of one drawing, against how much it does "
            "over real pictures of the class; 0 is one colour."),
    ),
    _compute_colours,
    "This number is of pictures by other seeds, which are not kept: classes are sorted by it; shown without a "
    "seed.",
    CLASSES,
    asks=_ask_seeds,
    place=60,
))  # fmt: skip
