"""Does a model repeat its training pictures?

Meehan, Chaudhuri and Dasgupta, "A Non-Parametric Test to Detect Data-Copying in Generative Models", AISTATS 2020: a
model that has learnt, and not learnt by heart, lies as far from the training pictures as held-out pictures do. Section
3.1 compares the two sets of distances to the nearest training picture by the Mann-Whitney test, section 3.2 does it
cell by cell and averages; the cells here are the classes. The average is divided by its deviation (Stouffer), which the
paper leaves undone, so that the same threshold holds for two classes and for fourteen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64, as_features
from edgegan_widget.base.units import U8, Json
from edgegan_widget.evaluation.metrics import PICTURES, Measured, Metric, Question, Section, number, register
from edgegan_widget.evaluation.metrics.distances import nearest

if TYPE_CHECKING:
    from edgegan_widget.evaluation.features import Extractor
    from edgegan_widget.evaluation.judge import Look, Scored

__all__ = ["Memorisation", "mann_whitney", "memorisation"]

CLOSER_BELOW = -3.0  # deviations: by chance once in 700 times
COPY_QUANTILE = 0.05  # a picture nearer to training than all but these held-out ones may be a copy
MEMORISING_SHARE = 0.25  # of pictures that may be copies, where 0.05 are expected
LEAST_IN_CELL = 3
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Memorisation:
    """The test and what it rests on.

    Attributes
    ----------
    statistic
        C_T of the paper's section 3.2, in deviations: about standard normal for a model like held-out data; far below
        zero for one that copies, far above for one that misses the data.
    copied_share
        Share of pictures nearer to a training picture than all but :data:`COPY_QUANTILE` of the held-out ones are.
    distance, neighbour
        [N] For each picture, the distance to its nearest training picture, whatever the class, and that one's number.
    relative
        [N] That distance over the held-out pictures' median of the class: far below 1 is suspicious.
    """

    statistic: float
    copied_share: float
    distance: F64
    neighbour: npt.NDArray[np.int64]
    relative: F64

    @property
    def closer_than_held_out(self) -> bool:
        """Whether pictures lie closer to training than held-out ones do, by more than chance."""
        return self.statistic < CLOSER_BELOW

    @property
    def memorising(self) -> bool:
        """Closer than held-out pictures, and many of them as close as hardly any of those."""
        return self.closer_than_held_out and self.copied_share >= MEMORISING_SHARE


def memorisation(
    train: npt.ArrayLike,
    held_out: npt.ArrayLike,
    generated: npt.ArrayLike,
    held_out_labels: npt.ArrayLike,
    labels: npt.ArrayLike,
) -> Memorisation:
    """Compare distances to the nearest training picture.

    Parameters
    ----------
    train, held_out, generated
        float [T, D], [H, D] and [N, D].
    held_out_labels, labels
        Class numbers of held-out and generated pictures: the cells, so those that pictures show.
        Classes with fewer than three pictures on either side are not compared.
    """
    train, held_out, generated = as_features(train), as_features(held_out), as_features(generated)
    held_out_labels, labels = np.asarray(held_out_labels), np.asarray(labels)
    expected, _ = nearest(held_out, train)
    distance, neighbour = nearest(generated, train)
    rounding = _ROUNDING * float(np.sqrt(train.var(axis=0).sum()))
    for found in (expected, distance):
        found[found < rounding] = 0  # the very picture, as near as distances are exact
    scores, weights = [], []
    copied = np.zeros(len(generated), bool)
    relative = np.full(len(generated), np.nan)
    for label in np.unique(labels):
        mine, theirs = labels == label, expected[held_out_labels == label]
        if min(mine.sum(), len(theirs)) < LEAST_IN_CELL:
            continue
        scores.append(mann_whitney(distance[mine], theirs))
        weights.append(len(theirs))  # section 3.2 weighs a cell by the share of held-out samples in it
        copied[mine] = distance[mine] <= np.quantile(theirs, COPY_QUANTILE)
        usual = float(np.median(theirs))
        relative[mine] = distance[mine] / usual if usual > 0 else np.where(distance[mine] > 0, np.inf, 1.0)
    if not scores:
        return Memorisation(float("nan"), float("nan"), distance, neighbour, relative)
    compared = ~np.isnan(relative)
    weighed = np.array(weights, np.float64)
    statistic = float(weighed @ np.array(scores) / np.sqrt((weighed**2).sum()))
    return Memorisation(statistic, float(copied[compared].mean()), distance, neighbour, relative)


def mann_whitney(first: F64, second: F64) -> float:
    """Standardised Mann-Whitney U: below zero where ``first`` tends to be smaller; ties share their ranks.

    The paper's Z_U, equation 1, with the variance corrected for ties, which copies bring.
    """
    n, m = len(first), len(second)
    values, place, counts = np.unique(np.concatenate([first, second]), return_inverse=True, return_counts=True)
    del values
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    wins = ranks[:n].sum() - n * (n + 1) / 2
    total = n + m
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / (total * (total - 1))
    variance = n * m / 12 * (total + 1 - ties)
    return float((wins - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


def _compute(look: Look) -> Measured:
    """Cells are the classes that are seen, not asked for: what looks like a bar is compared with real bars."""
    judge, seen = look.judge, look.seen
    spaces: dict[str, tuple[Extractor, tuple[F64, F64, F64]]] = {
        "features": (judge.realism, (judge.learned, judge.real, look.found)),
        "pixels": (judge.pixels, (judge.learned_pixels, judge.real_pixels, look.pixels)),
    }
    common: Json = {
        "train": len(judge.train), "real": len(judge.held_out), "split": f"drawn from {look.drawn.inputs.split}",
    }  # fmt: skip
    part, found = {}, {}
    for name, (extractor, given) in spaces.items():
        one = found[name] = memorisation(*given, judge.real_seen, seen)
        about = judge.rests_on(look.drawn, extractor) | common
        part[name] = {
            "statistic": number(one.statistic, **about),
            "copied_share": number(one.copied_share, **about),
            "closer_than_held_out": one.closer_than_held_out,
            "memorising": one.memorising,
        }
    # Copies are literal: they show in pixels. In a classifier's features the training pictures, which it knows, and
    # every clear picture of a class lie close together, copied or not.
    pixels = found["pixels"]
    beside = {"nearest": pixels.neighbour % len(judge.train)}  # mirrored ones count as the picture itself
    flags = ["memorising"] if pixels.memorising else []
    return Measured(part, {"relative": pixels.relative}, beside, flags)


def _nearest(scored: Scored, train: Any, most: int) -> Iterator[tuple[Sequence[U8], str]]:
    """Closest first."""
    drawn, relative = scored.drawn, scored.values["relative"]
    order = np.argsort(np.nan_to_num(relative, nan=np.inf), kind="stable")[:most]
    theirs = train.images_u8[scored.beside["nearest"][order]].permute(0, 2, 3, 1).numpy()
    for one, other in zip(order, theirs):
        planes = drawn.inputs.sketches_u8[drawn.number[one]], drawn.pictures_u8[one], other
        yield planes, f"{relative[one]:.2f} of a held-out picture's distance"


register(Question(
    "memorisation",
    (
        Metric(("memorisation", "pixels", "copied_share"), "near copies, 5 % expected", ".1%", "",
            "Share of pictures closer to a training picture than 95 % of held-out ones are.",
            per_picture="relative", caption="{:.2f} of a held-out one's distance"),
    ),
    _compute,
    "Sorted by the distance to the nearest training picture, over what held-out ones have.",
    PICTURES,
    ends=("nearest to a training picture", "in the middle", "farthest", "from near to far"),
    beside=("nearest", "nearest training picture"),
    flags={"memorising": "pictures lie closer to training pictures than held-out ones do, and many are near-copies"},
    section=Section("Nearest training pictures",
        "Drawing | picture | the training picture nearest by pixels (as it is or mirrored), closest first; 1 is as "
        "far as held-out pictures lie in the median.",
        _nearest),
    place=70,
))  # fmt: skip
