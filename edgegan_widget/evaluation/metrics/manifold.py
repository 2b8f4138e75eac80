"""Are pictures real ones' neighbours (fidelity), and do they reach all of them (variety)?

Precision and recall: Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models",
NeurIPS 2019, equations 1 and 2. Density and coverage, which one outlier cannot inflate: Naeem et al., "Reliable
Fidelity and Diversity Metrics for Generative Models", ICML 2020, equations 5 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.frechet import as_features
from edgegan_widget.evaluation.metrics.distances import blocks, kth_nearest

__all__ = ["Manifold", "manifold"]

NEIGHBOUR_PRECISION = 3  # Kynkaanniemi et al., section 3
NEIGHBOUR_DENSITY = 5  # Naeem et al., section 4


@dataclass(frozen=True)
class Manifold:
    """Shares from 0 to 1, higher is better; density may pass 1, and is 1 in the mean for equal distributions."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    neighbour_precision: int = NEIGHBOUR_PRECISION,
    neighbour_density: int = NEIGHBOUR_DENSITY,
) -> Manifold:
    """All four from one pass over the distances.

    Parameters
    ----------
    real, generated
        float [N, D] and [M, D], more samples than the numbers of neighbours.
    neighbour_precision
        k of precision and recall: a sample's ball reaches to its k-th nearest neighbour in its own set.
    neighbour_density
        k of density and coverage, whose balls are the real samples' alone.
    """
    real, generated = as_features(real), as_features(generated)
    real_reach = kth_nearest(real, neighbour_precision)
    generated_reach = kth_nearest(generated, neighbour_precision)
    real_wide_reach = kth_nearest(real, neighbour_density)
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
        precise / count, float(recalled.mean()), within / (neighbour_density * count), float(covered.mean())
    )
