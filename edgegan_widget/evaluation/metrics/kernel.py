"""Kernel distance (KID): unbiased whatever the number of samples, so it can judge small sets, where the FID cannot.

Binkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018: squared maximum mean discrepancy with the
cubic kernel k(x, y) = (x.y / D + 1)^3 (section 4), unbiased estimate of equation 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import F64, as_features

__all__ = ["KernelDistance", "kernel_distance", "squared_mmd"]

SUBSETS = 50
LARGEST_SUBSET = 1000
_NORMAL_95 = 1.959964


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
