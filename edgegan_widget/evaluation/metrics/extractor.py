"""Pictures -> features, behind one small interface.

Numbers of two extractors are never comparable: every number that rests on features carries :attr:`Extractor.name` and
:attr:`Extractor.resize`.
"""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.frechet import F64
from edgegan_widget.evaluation.judge import CLASSIFIER_STEPS, fresh_classifier, train_classifier
from edgegan_widget.evaluation.metrics.cache import FeatureCache, content_digest
from edgegan_widget.networks.devices import channels_last
from edgegan_widget.training.dataset import PairDataset, to_unit

__all__ = ["ClassifierFeatures", "Extractor", "PixelFeatures", "features", "in_chunks", "weights_digest"]

BATCH = 128


class Extractor(Protocol):
    """What realism is measured with.

    Attributes
    ----------
    name
        In words, for the reader of a number.
    dimension
        Length of a feature.
    resize
        How pictures are brought to the extractor's size, in words.
    digest
        Of everything that features depend on besides the pictures: names them on disk.
    """

    name: str
    dimension: int
    resize: str
    digest: str

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        """uint8 [N, 3, H, W] -> float [N, dimension]; N as it comes, without gradients."""
        ...


def features(
    extractor: Extractor, pictures_u8: Tensor, cache: FeatureCache | None = None, batch_size: int = BATCH
) -> F64:
    """Features of all pictures, float64 [N, dimension].

    Parameters
    ----------
    extractor
        What makes them.
    pictures_u8
        uint8 [N, 3, H, W].
    cache
        Where features of the same pictures may lie from before; None computes.
    batch_size
        Pictures at once: memory against speed. It does not change the features but for rounding.

    Raises
    ------
    ValueError
        The pictures are of another type or shape.
    """
    if pictures_u8.dtype != torch.uint8 or pictures_u8.ndim != 4 or pictures_u8.shape[1] != 3:
        raise ValueError(f"pictures are {pictures_u8.dtype} {list(pictures_u8.shape)}; uint8 [N, 3, H, W] is needed.")

    def make() -> F64:
        with torch.inference_mode():
            parts = [extractor(part).double().cpu().numpy() for part in pictures_u8.split(batch_size)]
        return np.concatenate(parts) if parts else np.empty((0, extractor.dimension))

    return make() if cache is None else cache.get(content_digest(extractor.digest, pictures_u8.numpy()), make)


def in_chunks(network: nn.Module, pictures: Tensor, size: int = 32) -> Tensor:
    """Run a network on always the same number of pictures at once, the last chunk filled up with blank ones.

    Libraries choose their arithmetic by the number of pictures: one alone comes out otherwise in the last digits than
    among others. This way features, and all that rests on them, do not depend on the batch size at all.
    """
    found = []
    for part in pictures.split(size):
        blank = part.new_zeros(size - len(part), *part.shape[1:])
        found.append(network(torch.cat([part, blank]))[: len(part)])
    return torch.cat(found)


def weights_digest(network: nn.Module) -> str:
    """Of all parameters and buffers, with their names."""
    parts: list[str | npt.NDArray[np.generic]] = []
    for name, tensor in sorted(network.state_dict().items()):
        parts += [name, tensor.cpu().numpy()]
    return content_digest(*parts)


class ClassifierFeatures:
    """The layer before the verdict of a classifier that was trained on the data at hand.

    Good for comparing models on one data set, and for nothing else: another data set, or another training of the
    classifier, gives other numbers. Never comparable with the FID.

    Parameters
    ----------
    classifier
        Its last two modules are dropout and a linear head.
    """

    name = "classifier trained on the data at hand (not comparable with FID)"
    resize = "none: pictures as they are"

    def __init__(self, classifier: nn.Sequential) -> None:
        head = classifier[-1]
        if not isinstance(head, nn.Linear):
            raise TypeError("the classifier's last module must be linear.")
        self.dimension = head.in_features
        self._body = channels_last(copy.deepcopy(classifier[:-2])).eval()
        self._head = copy.deepcopy(head).double()
        self.digest = content_digest("classifier", weights_digest(classifier))

    @classmethod
    def trained_on(
        cls, data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS, cache: FeatureCache | None = None
    ) -> ClassifierFeatures:
        """A fresh classifier, trained on these pictures, or the one that was trained on them before.

        Give it training pictures only.
        """
        if cache is None:
            return cls(train_classifier(data, seed, steps))
        given: tuple[str | npt.NDArray[np.generic], ...]
        given = (str(seed), str(steps), data.images_u8.numpy(), data.labels.numpy(), *data.classes)
        blank = fresh_classifier(len(data.classes))
        return cls(
            cache.network(content_digest("classifier 2", *given), blank, lambda: train_classifier(data, seed, steps))
        )

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        return in_chunks(self._body, to_unit(pictures_u8))

    def verdicts(self, found: F64) -> npt.NDArray[np.int64]:
        """Class numbers [N] that the classifier gives pictures of these features."""
        with torch.inference_mode():
            seen: npt.NDArray[np.int64] = self._head(torch.from_numpy(found)).argmax(dim=1).numpy()
        return seen


class PixelFeatures:
    """Pictures as they are, reduced to ``side_px``: nothing learnt, for finding copies."""

    def __init__(self, side_px: int = 16) -> None:
        self.name = f"pixels at {side_px} x {side_px}"
        self.dimension = 3 * side_px**2
        self.resize = f"mean over areas, to {side_px} x {side_px}"
        self.digest = content_digest("pixels", str(side_px))
        self._side_px = side_px

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(to_unit(pictures_u8), self._side_px).flatten(1)
