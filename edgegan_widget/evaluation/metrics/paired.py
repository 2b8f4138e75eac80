"""Do two models that drew the same drawings differ in their distance to real pictures?

Distances between sets are no means over drawings, so the drawings are resampled as a whole: a drawing that is taken
twice counts twice for both models (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 8). Samples
with repeats have less variety than the set they come from, which raises every resampled distance alike; the intervals
are therefore those of the deviations from the resamples' own mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64, Gaussian, as_features, frechet_distance
from edgegan_widget.evaluation.metrics.bootstrap import Interval

__all__ = ["frechet_difference", "kernel_difference"]

FRECHET_RESAMPLES = 200
KERNEL_RESAMPLES = 1000


def frechet_difference(real: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike, seed: int = 0) -> Interval:
    """Frechet distance of the first set less that of the second.

    Parameters
    ----------
    real, first, second
        float [R, D], [N, D] and [N, D]; row n of both models is of drawing n.
    seed
        Of the resampling.
    """
    real, first, second = as_features(real), as_features(first), as_features(second)
    value = frechet_distance(real, first) - frechet_distance(real, second)
    given = Gaussian.of(real)
    sides = [_Against(given, features) for features in (first, second)]
    drawn = [sides[0](weights) - sides[1](weights) for weights in _resamples(len(first), FRECHET_RESAMPLES, seed)]
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


def _kernel(first: F64, second: F64) -> F64:
    similar: F64 = first @ second.T / first.shape[1] + 1
    return similar**3


def _resamples(count: int, resamples: int, seed: int) -> F64:
    """How often each of ``count`` drawings is taken, float [resamples, count]."""
    random = np.random.Generator(np.random.PCG64(seed))
    return random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)


def _interval(value: float, drawn: F64, count: int) -> Interval:
    low, high = np.percentile(drawn - drawn.mean(), (2.5, 97.5)).tolist()
    return Interval(value, value + low, value + high, count)
