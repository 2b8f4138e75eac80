"""How sure is a mean, or the difference of two models on the same sketches?

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3: percentile intervals. Two models that
drew the same sketches are resampled together, which takes the sketches' own difficulty out of the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64
from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.metrics import number

if TYPE_CHECKING:
    from edgegan_widget.evaluation.drawn import Drawn

__all__ = ["Interval", "by_drawing", "mean_interval", "mean_of", "paired_difference"]

RESAMPLES = 2000
_AT_ONCE = 2_000_000  # numbers gathered in one go


@dataclass(frozen=True)
class Interval:
    """A mean with the ends of its 95 % interval, and how many samples it is of."""

    value: float
    low: float
    high: float
    count: int

    @property
    def differs(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0

    def difference(self, **about: object) -> Json:
        """A difference of two models as JSON."""
        return number(self.value, self.low, self.high, drawings=self.count, differs=self.differs, **about)


def mean_interval(values: npt.ArrayLike) -> Interval:
    """Mean of ``values`` [N], those that are not numbers left out; all nan where none is left."""
    given = np.asarray(values, np.float64).ravel()
    given = given[np.isfinite(given)]
    if not len(given):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    low, high = np.percentile(_means(given), (2.5, 97.5)).tolist()
    return Interval(float(given.mean()), low, high, len(given))


def paired_difference(first: npt.ArrayLike, second: npt.ArrayLike) -> Interval:
    """Mean of ``first`` - ``second`` over sketches that both models drew.

    Raises
    ------
    ValueError
        They are not of the same sketches: their lengths differ.
    """
    left, right = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if left.shape != right.shape:
        raise ValueError(f"{left.size} and {right.size} values cannot be paired; give both models the same sketches.")
    return mean_interval(left - right)


def by_drawing(values: npt.ArrayLike, drawn: Drawn) -> F64:
    """Means [N] of pictures' values [M]: variations of one drawing are not independent and count once."""
    means: F64 = np.asarray(values, np.float64).reshape(-1, drawn.variations).mean(axis=1)
    return means


def mean_of(values: npt.ArrayLike, drawn: Drawn, **about: Any) -> Json:
    """Mean of pictures' values [M] as JSON, with the interval over drawings."""
    found = mean_interval(by_drawing(values, drawn))
    return number(found.value, found.low, found.high, drawings=found.count, **about)


def _means(given: F64) -> F64:
    random = np.random.Generator(np.random.PCG64(0))
    rows = max(1, _AT_ONCE // len(given))
    parts = [
        given[random.integers(len(given), size=(min(rows, RESAMPLES - start), len(given)))].mean(axis=1)
        for start in range(0, RESAMPLES, rows)
    ]
    return np.concatenate(parts)
