"""Are pictures like real ones: as a whole (Frechet and kernel distance), and as neighbours?

Kernel distance (KID): unbiased whatever the number of samples, so it can judge small sets, where the FID cannot.
Binkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018: squared maximum mean discrepancy with the
cubic kernel k(x, y) = (x.y / D + 1)^3 (section 4), unbiased estimate of equation 4. Precision and recall: Kynkaanniemi
et al., "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019, equations 1 and 2. Density
and coverage, which one outlier cannot inflate: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative
Models", ICML 2020, equations 5 and 7. Frechet distance: :mod:`edgegan_widget.base.frechet`.

Two models that drew the same drawings: distances between sets are no means over drawings, so the drawings are resampled
as a whole: a drawing that is taken twice counts twice for both models (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 8). Samples with repeats have less variety than the set they come from, which raises every
resampled distance alike; the intervals are therefore those of the deviations from the resamples' own mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64, Gaussian, as_features, frechet_distance, unreliable
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.metrics import Measured, Metric, Question, number, register
from edgegan_widget.evaluation.metrics.distances import blocks, kth_nearest
from edgegan_widget.evaluation.metrics.intervals import Interval

if TYPE_CHECKING:
    from edgegan_widget.evaluation.judge import Judge, Look

__all__ = ["KernelDistance", "Manifold", "frechet_difference", "kernel_difference", "kernel_distance", "manifold",
           "squared_mmd"]  # fmt: skip

SUBSETS = 50
LARGEST_SUBSET = 1000
_NORMAL_95 = 1.959964
# A sample's ball reaches to its k-th nearest neighbour in its own set; k of precision and recall (Kynkaanniemi et al.,
# section 3), and of density and coverage, whose balls are the real samples' alone (Naeem et al., section 4).
NEIGHBOUR_PRECISION, NEIGHBOUR_DENSITY = 3, 5
FRECHET_RESAMPLES = 200
KERNEL_RESAMPLES = 1000


@dataclass(frozen=True)
class KernelDistance:
    """Mean over subsets, its 95 % confidence interval, and how many subsets of what size there were."""

    value: float
    low: float
    high: float
    subsets: int
    subset_size: int


def squared_mmd(first: F64, second: F64) -> float:
    """Unbiased squared discrepancy of two sets of features [N, D] and [M, D], N and M at least 2; may be negative."""
    own = [_mean_without_diagonal(_kernel(part, part)) for part in (first, second)]
    return float(own[0] + own[1] - 2 * _kernel(first, second).mean())


def kernel_distance(
    real: npt.ArrayLike, generated: npt.ArrayLike, subsets: int = SUBSETS, subset_size: int | None = None, seed: int = 0
) -> KernelDistance:
    """KID with a confidence interval.

    Parameters
    ----------
    real, generated
        float [N, D] and [M, D].
    subsets, subset_size
        Drawn without replacement from both sets; None takes half of the smaller set, at most 1,000.
    seed
        Of the choice of subsets.

    Returns
    -------
    The interval is that of the mean, by the delete-d jackknife (Shao and Wu, "A General Theory for Jackknife Variance
    Estimation", 1989): subsets of m out of n vary (n - m) / m times as much as the estimate from all n does. With
    m = n there is no telling, and both ends are nan.

    Raises
    ------
    ValueError
        A set, or a subset, has fewer than two samples, or a subset more than there are.
    """
    real, generated = as_features(real), as_features(generated)
    least = min(len(real), len(generated))
    size = min(LARGEST_SUBSET, max(least // 2, 2)) if subset_size is None else subset_size
    if not 2 <= size <= least:
        raise ValueError(f"the subset size is {size}; it must be from 2 to {least}, the size of the smaller set.")
    random = np.random.Generator(np.random.PCG64(seed))
    found = np.array([
        squared_mmd(_some(real, size, random), _some(generated, size, random)) for _ in range(subsets)
    ])  # fmt: skip
    value = float(found.mean())
    if size == least or subsets < 2:
        return KernelDistance(value, float("nan"), float("nan"), subsets, size)
    reach = _NORMAL_95 * float(np.sqrt(found.var() * size / (least - size)))
    return KernelDistance(value, value - reach, value + reach, subsets, size)


def _kernel(first: F64, second: F64) -> F64:
    similar: F64 = first @ second.T / first.shape[1] + 1
    return similar**3


def _mean_without_diagonal(square: F64) -> float:
    count = len(square)
    return float((square.sum() - np.trace(square)) / (count * (count - 1)))


def _some(features: F64, size: int, random: np.random.Generator) -> F64:
    chosen: F64 = features[random.choice(len(features), size, replace=False)]
    return chosen


@dataclass(frozen=True)
class Manifold:
    """Shares from 0 to 1, higher is better; density may pass 1, and is 1 in the mean for equal distributions."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: npt.ArrayLike, generated: npt.ArrayLike) -> Manifold:
    """All four from one pass over the distances.

    Parameters
    ----------
    real, generated
        float [N, D] and [M, D], more samples than the numbers of neighbours.
    """
    real, generated = as_features(real), as_features(generated)
    real_reach = kth_nearest(real, NEIGHBOUR_PRECISION)
    generated_reach = kth_nearest(generated, NEIGHBOUR_PRECISION)
    real_wide_reach = kth_nearest(real, NEIGHBOUR_DENSITY)
    precise = 0
    within = 0
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for rows, distances in blocks(generated, real):
        precise += int((distances <= real_reach).any(axis=1).sum())
        recalled |= (distances <= generated_reach[rows, None]).any(axis=0)
        inside = distances <= real_wide_reach
        within += int(inside.sum())
        covered |= inside.any(axis=0)
    count = len(generated)
    return Manifold(
        precise / count, float(recalled.mean()), within / (NEIGHBOUR_DENSITY * count), float(covered.mean())
    )


def frechet_difference(real: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike) -> Interval:
    """Frechet distance of the first set less that of the second.

    Parameters
    ----------
    real, first, second
        float [R, D], [N, D] and [N, D]; row n of both models is of drawing n.
    """
    real, first, second = as_features(real), as_features(first), as_features(second)
    value = frechet_distance(real, first) - frechet_distance(real, second)
    given = Gaussian.of(real)
    sides = [_Against(given, features) for features in (first, second)]
    drawn = [sides[0](weights) - sides[1](weights) for weights in _resamples(len(first), FRECHET_RESAMPLES, 0)]
    return _interval(value, np.array(drawn), len(first))


def kernel_difference(real: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, seed: int = 0) -> Interval:
    """Squared discrepancy (KID, on all samples) of the first set less that of the second; arguments as above.

    The real pictures' own term is in both and falls out; a drawing that is taken twice is not compared with itself.
    """
    real, first, second = as_features(real), as_features(first), as_features(second)
    own = _kernel(first, first) - _kernel(second, second)
    np.fill_diagonal(own, 0)
    cross = (_kernel(first, real) - _kernel(second, real)).mean(axis=1)

    def difference(weights: F64) -> float:
        pairs = weights.sum() ** 2 - (weights**2).sum()
        return float(weights @ own @ weights / pairs - 2 * weights @ cross / weights.sum())

    drawn = [difference(weights) for weights in _resamples(len(first), KERNEL_RESAMPLES, seed)]
    return _interval(difference(np.ones(len(first))), np.array(drawn), len(first))


class _Against:
    """Frechet distance of weighted features to a fixed normal distribution.

    With C1 = A^T A and weights w, the singular values wanted are the roots of the eigenvalues of A C2 A^T, which is the
    covariance of the features projected by A: one small matrix a resample instead of a decomposition of all samples.
    """

    def __init__(self, given: Gaussian, features: F64) -> None:
        self._given, self._features = given, features
        self._projected = features @ given.factor.T  # [N, r]
        self._squares = (features**2).sum(axis=1)

    def __call__(self, weights: F64) -> float:
        total = weights.sum()
        mean, middle = weights @ self._features / total, weights @ self._projected / total
        spread = (weights @ self._squares - total * (mean @ mean)) / (total - 1)
        centred = (self._projected - middle) * np.sqrt(weights)[:, None]
        roots = np.sqrt(np.clip(np.linalg.eigvalsh(centred.T @ centred / (total - 1)), 0, None)).sum()
        apart = ((mean - self._given.mean) ** 2).sum()
        return float(apart + (self._given.factor**2).sum() + spread - 2 * roots)


def _resamples(count: int, resamples: int, seed: int) -> F64:
    """How often each of ``count`` drawings is taken, float [resamples, count]."""
    random = np.random.Generator(np.random.PCG64(seed))
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


def _interval(value: float, drawn: F64, count: int) -> Interval:
    low, high = np.percentile(drawn - drawn.mean(), (2.5, 97.5)).tolist()
    return Interval(value, value + low, value + high, count)


def _numbers(judge: Judge, found: F64, classes: npt.ArrayLike, common: Json) -> Json:
    """Against held-out pictures of the classes that were drawn: those of training would reward copies."""
    real = judge.real_of(classes)
    split = f"real val, drawn from {common['split']}"
    common = common | {"real": len(real), "generated": len(found), "split": split}
    if min(len(real), len(found)) <= NEIGHBOUR_DENSITY:
        return {"too_few": f"{len(real)} real and {len(found)} drawn pictures; more than {NEIGHBOUR_DENSITY} of each"}
    kid = kernel_distance(real, found)
    doubt = unreliable(len(real), len(found), judge.realism.dimension)
    frechet = number(frechet_distance(real, found), unreliable=doubt, **common)
    kernel = number(kid.value, kid.low, kid.high, subsets=kid.subsets, subset_size=kid.subset_size, **common)
    shares = dataclasses.asdict(manifold(real, found))
    name = "fid" if judge.realism.is_inception else "frechet_distance"
    return {name: frechet, "kid": kernel} | {key: number(value, **common) for key, value in shares.items()}


def _compute(look: Look) -> Measured:
    drawn, judge = look.drawn, look.judge
    return Measured(_numbers(judge, look.found, drawn.labels, judge.rests_on(drawn, judge.realism)))


def _reference(judge: Judge) -> Json:
    """Training against held-out pictures."""
    common = {"extractor": judge.realism.name, "resize": judge.realism.resize, "split": "train"}
    return {"realism of the training pictures": _numbers(judge, judge.learned, judge.real_labels, common)}


def _if_enough(difference: Callable[[F64, F64, F64], Interval]) -> Callable[[F64, F64, F64], Interval | None]:
    """The difference of two models' sets, or None where these or the real one are too small."""

    def of_sets(real: F64, first: F64, second: F64) -> Interval | None:
        return difference(real, first, second) if min(len(real), len(first)) > NEIGHBOUR_DENSITY else None

    return of_sets


# The table by which EdgeGAN is known.
_PUBLISHED = (
    ("EdgeGAN, original weights", 143.66),
    ("EdgeGAN, retrained on sketch-like edges, rate 2e-4", 147.73),
    ("EdgeGAN, the same, rate 1e-3", 156.16),
    ("EdgeGAN, fine-tuned 20 epochs, rate 1e-5", 144.51),
)
_PUBLISHED_ABOUT = (
    "FID on five animal classes of SketchyCOCO, as published in the report of the retraining (2022). Another data set, "
    "other classes, Inception features: these rows cannot be compared with the others, only with each other."
)

register(Question(
    "realism",
    (
        Metric(("realism", "fid"), "FID", ".2f", "↓",
            "Distance between drawn and held-out pictures, seen with Inception; 0 would be alike.",
            of_sets=_if_enough(frechet_difference), published=(_PUBLISHED, _PUBLISHED_ABOUT)),
        Metric(("realism", "frechet_distance"), "Fréchet distance", ".2f", "↓",
            "Distance between drawn and held-out pictures in the features of a classifier trained on this data; to "
            "be compared within this table only.",
            of_sets=_if_enough(frechet_difference)),
        Metric(("realism", "kid"), "KID", ".4f", "↓",
            "Distance between drawn and held-out pictures that small sets do not distort; 0 is alike.",
            of_sets=_if_enough(kernel_difference)),
        Metric(("realism", "precision"), "precision", ".2f", "↑",
            "Share of drawn pictures that lie among real ones: they look real."),
        Metric(("realism", "recall"), "recall", ".2f", "↑",
            "Share of real pictures that lie among drawn ones: nothing real is left out."),
        Metric(("realism", "density"), "density", ".2f", "↑",
            "How closely real pictures surround the drawn ones; about 1 for real pictures."),
        Metric(("realism", "coverage"), "coverage", ".2f", "↑",
            "Share of real pictures that have a drawn one near by."),
    ),
    _compute,
    "This number is of the set as a whole: no picture has one of its own. A sample, spread evenly:",
    reference=_reference,
    place=10,
))  # fmt: skip
