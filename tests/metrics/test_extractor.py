from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.frechet import frechet_distance
from edgegan_widget.evaluation import inception
from edgegan_widget.evaluation.features import (
    ClassifierFeatures,
    FeatureCache,
    PixelFeatures,
    content_digest,
    features,
    fresh_classifier,
)
from edgegan_widget.evaluation.inception import Inception, InceptionFeatures, download_weights, find_weights
from edgegan_widget.evaluation.metrics.realism import kernel_distance
from edgegan_widget.training.dataset import load_data


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randint(256, (160, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def classifier() -> ClassifierFeatures:
    return ClassifierFeatures(fresh_classifier(3).eval())


def test_numbers_do_not_depend_on_the_batch_size(classifier: ClassifierFeatures, pictures: torch.Tensor) -> None:
    found = []
    for batch_size in (1, 7, 160):
        whole = features(classifier, pictures, batch_size=batch_size)
        halves = whole[:80], whole[80:]
        found.append([frechet_distance(*halves), kernel_distance(*halves).value])
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-6)


def test_the_classifiers_features_carry_its_verdict(shapes: Path) -> None:
    data = load_data(shapes, "train")
    extractor = ClassifierFeatures.trained_on(data, steps=25)
    found = features(extractor, data.images_u8)
    assert found.shape == (16, extractor.dimension)
    assert found.dtype == np.float64
    assert (extractor.verdicts(found) == data.labels.numpy()).mean() > 0.9
    assert "not comparable with FID" in extractor.name


def test_features_are_read_from_disk_by_content(
    classifier: ClassifierFeatures, pictures: torch.Tensor, tmp_path: Path
) -> None:
    few, cache = pictures[:5], FeatureCache(tmp_path)
    first = features(classifier, few, cache)
    assert len(list(tmp_path.iterdir())) == 1
    assert (features(Broken(classifier), few.clone(), cache) == first).all(), "the network is not asked again"
    features(classifier, few.flip(0), cache)
    features(PixelFeatures(), few, cache)
    assert len(list(tmp_path.iterdir())) == 3
    for path in tmp_path.iterdir():
        path.write_bytes(b"not an array")
    assert (features(classifier, few, cache) == first).all(), "a broken file is made anew"


class Broken:
    def __init__(self, of: ClassifierFeatures) -> None:
        self.name, self.dimension, self.resize, self.digest = of.name, of.dimension, of.resize, of.digest

    def __call__(self, pictures_u8: torch.Tensor) -> torch.Tensor:
        raise AssertionError


def test_a_full_cache_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, limit_mb=1)
    for number, name in enumerate(("old", "middle", "new")):
        cache.get(name, lambda: np.zeros((50, 1000)))  # 0.4 MB
        os.utime(tmp_path / f"{name}.npy", (number, number))
    cache.get("newest", lambda: np.zeros((50, 1000)))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["new", "newest"]


def test_digests_tell_types_shapes_and_words_apart() -> None:
    zeros = np.zeros(4, np.uint8)
    every = [(zeros,), (zeros.reshape(2, 2),), (zeros.view(np.int8),), ("a", "b"), ("ab",), (zeros, "a")]
    assert len({content_digest(*parts) for parts in every}) == len(every)
    assert content_digest(np.arange(6).reshape(2, 3).T) == content_digest(np.arange(6).reshape(2, 3).T.copy())


def test_pixels(pictures: torch.Tensor) -> None:
    found = features(PixelFeatures(16), pictures[:3])
    expected = pictures[:3].double().reshape(3, 3, 16, 4, 16, 4).mean(dim=(3, 5)) / 127.5 - 1
    assert found == pytest.approx(expected.flatten(1).numpy(), abs=1e-6)


@pytest.mark.parametrize("given", [torch.zeros(2, 3, 8, 8), torch.zeros(2, 8, 8, 3, dtype=torch.uint8)])
def test_what_is_no_picture(given: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"uint8 \[N, 3, H, W\] is needed"):
        features(PixelFeatures(), given)


def random_inception(seed: int = 0) -> Inception:
    torch.manual_seed(seed)
    network = Inception().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


def test_inception_has_the_published_shape(tmp_path: Path) -> None:
    """94 convolutions and 21.8 million weights, as in pytorch-fid without its last layer."""
    network = random_inception()
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == 94
    assert sum(weights.numel() for weights in network.parameters()) == 21_785_568
    torch.save({**network.state_dict(), "fc.weight": torch.zeros(1008, 2048)}, tmp_path / "weights.pth")
    extractor = InceptionFeatures(tmp_path / "weights.pth", checked=False)
    assert "unknown weights" in extractor.name
    small = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8)
    found = features(extractor, small)
    assert found.shape == (2, 2048)


def test_weights_that_are_not_inceptions(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(ModelError, match="cannot be read"):
        InceptionFeatures(path)
    torch.save({"conv.weight": torch.zeros(3)}, path)
    with pytest.raises(ModelError, match=r"SHA-256 .* is needed; fetch https://github.com/mseitzer"):
        InceptionFeatures(path)
    with pytest.raises(ModelError, match="weights of another network"):
        InceptionFeatures(path, checked=False)
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match="holds no weights"):
        InceptionFeatures(path, checked=False)


def test_finding_and_fetching_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_weights((tmp_path,)) is None
    (tmp_path / inception.WEIGHTS_NAME).touch()
    assert find_weights((tmp_path / "none", tmp_path)) == tmp_path / inception.WEIGHTS_NAME
    source = tmp_path / "source"
    source.write_bytes(b"weights")
    monkeypatch.setattr(inception, "WEIGHTS_URL", source.as_uri())
    with pytest.raises(ModelError, match="another checksum"):
        download_weights(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(inception, "WEIGHTS_SHA256", "0" * 64)
    monkeypatch.setattr(inception, "WEIGHTS_URL", (tmp_path / "missing").as_uri())
    with pytest.raises(ModelError, match="cannot be downloaded"):
        download_weights(tmp_path / "cache")


def test_features_are_pytorch_fids_own() -> None:
    """Parity with pytorch-fid, where both it and the real weights are here."""
    weights = find_weights()
    if weights is None:
        pytest.skip(f"{inception.WEIGHTS_NAME} is not in torch's cache")
    theirs = pytest.importorskip("pytorch_fid.inception", reason="pytorch-fid is not installed")
    pictures = torch.randint(256, (4, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        expected = theirs.InceptionV3([3]).eval()(pictures.float() / 255)[0].flatten(1)
    assert features(InceptionFeatures(weights), pictures) == pytest.approx(expected.numpy(), rel=1e-3, abs=1e-3)
