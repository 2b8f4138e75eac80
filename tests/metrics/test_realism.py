"""Frechet and kernel distance, precision, recall, density and coverage: against theory and against other people's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edgegan_widget.base.frechet import Gaussian, frechet_distance, unreliable
from edgegan_widget.evaluation.metrics.realism import kernel_distance, manifold, squared_mmd


@pytest.fixture
def sets() -> tuple[np.ndarray, np.ndarray]:
    """Two sets of unequal size whose features depend on each other, as a network's do."""
    random = np.random.default_rng(1)
    mixing = random.normal(size=(24, 24)) / 5
    real = random.normal(size=(300, 24)) @ mixing + 1
    return real, np.abs(random.normal(size=(260, 24)) @ mixing * 0.8 + 1.2)


class Given(torch.nn.Module):
    """Takes features for pictures: torchmetrics gets the very features that we have."""

    num_features = 24

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values.flatten(1)


def as_pictures(features: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(features)[:, :, None, None]


def test_frechet_is_torchmetrics_own(sets: tuple[np.ndarray, np.ndarray]) -> None:
    fid = pytest.importorskip("torchmetrics.image.fid", reason="torchmetrics is not installed")
    metric = fid.FrechetInceptionDistance(Given(), normalize=False, input_img_size=(24, 1, 1)).set_dtype(torch.float64)
    for features, real in zip(sets, (True, False)):
        metric.update(as_pictures(features), real=real)
    assert frechet_distance(*sets) == pytest.approx(float(metric.compute()), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`:UserWarning")
def test_kernel_is_torchmetrics_own(sets: tuple[np.ndarray, np.ndarray]) -> None:
    kid = pytest.importorskip("torchmetrics.image.kid", reason="torchmetrics is not installed")
    size = min(map(len, sets))
    real, generated = (features[:size] for features in sets)
    metric = kid.KernelInceptionDistance(Given(), subsets=1, subset_size=size, normalize=False).set_dtype(torch.float64)
    for features, is_real in ((real, True), (generated, False)):
        metric.update(as_pictures(features), real=is_real)
    theirs = float(metric.compute()[0])
    assert squared_mmd(real, generated) == pytest.approx(theirs, rel=1e-6)
    assert kernel_distance(real, generated, subsets=1, subset_size=size).value == pytest.approx(theirs, rel=1e-6)


def test_frechet_of_known_gaussians() -> None:
    """For diagonal covariances the distance is |m1 - m2|^2 + sum((s1 - s2)^2)."""
    random = np.random.default_rng(0)
    count, size = 4000, 8
    first, second = (standard(random, count, size) for _ in range(2))
    means, deviations = random.normal(size=(2, size)), random.uniform(0.5, 2, (2, size))
    expected = ((means[0] - means[1]) ** 2).sum() + ((deviations[0] - deviations[1]) ** 2).sum()
    found = frechet_distance(first * deviations[0] + means[0], second * deviations[1] + means[1])
    assert found == pytest.approx(expected, abs=1e-3)
    assert found == pytest.approx(expected, rel=1e-9), "the samples have exactly these moments"


def standard(random: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Samples whose mean is exactly 0 and whose covariance is exactly the unit matrix."""
    drawn = random.normal(size=(count, size))
    drawn -= drawn.mean(axis=0)
    return np.linalg.qr(drawn)[0] * np.sqrt(count - 1)


def test_frechet_of_correlated_gaussians() -> None:
    """For covariances C and 4 C, whatever C, the last trace is 2 tr C, so tr C is left."""
    random = np.random.default_rng(2)
    drawn = standard(random, 500, 6) @ random.normal(size=(6, 6))
    assert frechet_distance(drawn, 2 * drawn) == pytest.approx(np.trace(np.cov(drawn.T)), rel=1e-9)


def test_frechet_with_fewer_samples_than_dimensions(sets: tuple[np.ndarray, np.ndarray]) -> None:
    few = [features[:10] for features in sets]
    covariances = [np.cov(features.T) for features in few]
    values = np.linalg.eigvals(covariances[0] @ covariances[1])
    root = np.sqrt(np.sort(values.real)[-9:]).sum()  # nine at most differ from zero
    expected = ((few[0].mean(0) - few[1].mean(0)) ** 2).sum() + sum(map(np.trace, covariances)) - 2 * root
    assert frechet_distance(*few) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(few[0], few[0][::-1]) == pytest.approx(0, abs=1e-12)
    assert Gaussian.of(few[0]).factor.shape == (10, 24)


def test_a_frechet_distance_of_few_samples_is_marked() -> None:
    assert unreliable(3000, 600, 512) is None
    assert unreliable(3000, 512, 512) == "512 samples are too few for 512 feature dimensions; more than 512 are needed"
    with pytest.raises(ValueError, match="at least two samples"):
        Gaussian.of(np.zeros((1, 4)))


def test_kernel_distance_is_unbiased_and_its_interval_holds() -> None:
    """Sets of one distribution: the mean over many draws is 0, and most intervals hold it."""
    random = np.random.default_rng(3)
    found = [kernel_distance(*random.normal(size=(2, 120, 6)), subsets=20, seed=trial) for trial in range(60)]
    values = np.array([one.value for one in found])
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.8
    assert found[0].subset_size == 60
    apart = kernel_distance(random.normal(size=(200, 6)), random.normal(1, 1, (200, 6)))
    assert 0 < apart.low < apart.value < apart.high
    assert np.isnan(kernel_distance(*random.normal(size=(2, 9, 3)), subset_size=9).low)
    with pytest.raises(ValueError, match="subset size is 10; it must be from 2 to 9"):
        kernel_distance(*random.normal(size=(2, 9, 3)), subset_size=10)


def test_manifold_is_brute_force(sets: tuple[np.ndarray, np.ndarray]) -> None:
    """The definitions, written out; torch-fidelity and prdc gave the same numbers when this was written."""
    real, generated = sets
    own, theirs = (np.sort(np.linalg.norm(s[:, None] - s[None], axis=2), axis=1) for s in sets)
    between = np.linalg.norm(generated[:, None] - real[None], axis=2)
    found = manifold(real, generated)
    assert found.precision == pytest.approx(np.mean((between <= own[:, 3]).any(axis=1)), rel=1e-6)
    assert found.recall == pytest.approx(np.mean((between <= theirs[:, 3][:, None]).any(axis=0)), rel=1e-6)
    assert found.density == pytest.approx((between <= own[:, 5]).sum() / (5 * len(generated)), rel=1e-6)
    assert found.coverage == pytest.approx(np.mean(between.min(axis=0) <= own[:, 5]), rel=1e-6)
    assert 0 < found.precision < 1
    assert 0 < found.recall < 1


def test_manifold_tells_fidelity_from_variety() -> None:
    random = np.random.default_rng(4)
    real = random.normal(size=(400, 4))
    alike, narrow = random.normal(size=(400, 4)), random.normal(0, 0.2, (400, 4))
    far = random.normal(9, 1, (400, 4))
    same, tight, other = (manifold(real, generated) for generated in (alike, narrow, far))
    assert min(same.precision, same.recall, same.coverage) > 0.85
    assert same.density == pytest.approx(1, abs=0.15)
    assert tight.precision > 0.9
    assert tight.recall < 0.4
    assert tight.coverage < 0.5
    assert (other.precision, other.recall, other.density, other.coverage) == (0, 0, 0, 0)
