"""Frechet distance between two sets of features; on Inception's pooled features it is the FID.

Dowson and Landau, "The Frechet distance between multivariate normal distributions" (1982), equation 4; Heusel et al.,
"GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017, equation 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["F64", "Gaussian", "as_features", "frechet_distance", "unreliable"]

F64 = npt.NDArray[np.float64]


def as_features(values: npt.ArrayLike) -> F64:
    """Features as float64 [N, D].

    Raises
    ------
    ValueError
        They have another number of axes, are empty, or hold something that is no number.
    """
    features = np.asarray(values, np.float64)
    if features.ndim != 2 or not features.size:
        raise ValueError(f"the features are {list(features.shape)}; an array [N, D] with at least one row is needed.")
    if not np.isfinite(features).all():
        raise ValueError("the features hold nan or infinity; see which picture the extractor fails on.")
    return features


@dataclass(frozen=True)
class Gaussian:
    """Mean [D] and covariance of features, the covariance as a factor R [r, D] with R^T R = covariance."""

    mean: F64
    factor: F64
    count: int

    @classmethod
    def of(cls, features: npt.ArrayLike) -> Gaussian:
        """Mean and unbiased covariance of features [N, D], N at least 2."""
        given = as_features(features)
        if len(given) < 2:
            raise ValueError("a covariance needs at least two samples.")
        mean = given.mean(axis=0)
        factor = np.linalg.qr(given - mean, mode="r") / np.sqrt(len(given) - 1)
        return cls(mean, factor, len(given))

    @property
    def dimension(self) -> int:
        return len(self.mean)

    def distance(self, other: Gaussian) -> float:
        """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

        With C1 = A^T A and C2 = B^T B, the last trace is the sum of the singular values of A B^T. That needs no root of
        a matrix and stays exact where there are fewer samples than dimensions and both covariances are singular.
        """
        root = np.linalg.svd(self.factor @ other.factor.T, compute_uv=False).sum()
        spread = (self.factor**2).sum() + (other.factor**2).sum() - 2 * root
        return float(((self.mean - other.mean) ** 2).sum() + spread)


def frechet_distance(real: npt.ArrayLike, generated: npt.ArrayLike) -> float:
    """Squared Frechet distance between normal distributions fitted to two sets of features.

    Parameters
    ----------
    real, generated
        float [N, D] and [M, D], at least two rows each.

    Returns
    -------
    0 for equal sets up to rounding; lower is better.
    """
    return max(Gaussian.of(real).distance(Gaussian.of(generated)), 0.0)


def unreliable(real_count: int, generated_count: int, dimension: int) -> str | None:
    """Why a Frechet distance of so many samples is not to be trusted, or None.

    With fewer samples than dimensions the covariance has no full rank, and the distance is biased upwards by far more
    than models differ (Binkowski et al., "Demystifying MMD GANs", ICLR 2018, section 4).
    """
    least = min(real_count, generated_count)
    if least > dimension:
        return None
    return f"{least} samples are too few for {dimension} feature dimensions; more than {dimension} are needed"
