"""Pictures -> features, behind one small interface; a small classifier of the pictures at hand; features on disk.

Numbers of two extractors are never comparable: every number that rests on features carries :attr:`Extractor.name` and
:attr:`Extractor.resize`. The classifier judges classes, and where no other extractor is to be had, realism.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import itertools
import math
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.chance import stream
from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.base.frechet import F64
from edgegan_widget.base.units import to_unit
from edgegan_widget.networks.devices import channels_last
from edgegan_widget.sketch.hands.warp import place
from edgegan_widget.training.dataset import PairDataset

__all__ = ["CLASSIFIER_BATCH", "CLASSIFIER_STEPS", "ClassifierFeatures", "Extractor", "FeatureCache", "PixelFeatures",
           "content_digest", "features", "fresh_classifier", "in_chunks", "train_classifier",
           "weights_digest"]  # fmt: skip

Made = TypeVar("Made")
BATCH = 128
CLASSIFIER_STEPS = 900
CLASSIFIER_BATCH = 48
_WIDTHS = (3, 16, 48, 96, 96)  # twice as wide costs twice as much and sees no more
_RATE = 3e-3
_WARM_UP_SHARE = 0.2
_TURNS = 4  # by quarters
LIMIT_MB = 2000


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
    is_inception
        Whether a Frechet distance between these features is the FID.
    """

    name: str
    dimension: int
    resize: str
    digest: str
    is_inception: bool

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

    Where the data has a single class there is nothing to tell apart but how a picture is turned; that is learned then
    (Gidaris, Singh and Komodakis, "Unsupervised Representation Learning by Predicting Image Rotations", ICLR 2018).

    Parameters
    ----------
    classifier
        Its last two modules are dropout and a linear head.
    of_turns
        It tells quarter turns apart and not classes: its verdict is always the one class.
    """

    name = "classifier trained on the data at hand (not comparable with FID)"
    resize = "none: pictures as they are"
    is_inception = False

    def __init__(self, classifier: nn.Sequential, of_turns: bool = False) -> None:
        head = classifier[-1]
        if not isinstance(head, nn.Linear):
            raise TypeError("the classifier's last module must be linear.")
        self.dimension = head.in_features
        self._body = channels_last(copy.deepcopy(classifier[:-2])).eval()
        self._head = copy.deepcopy(head).double()
        self.digest = content_digest("classifier", weights_digest(classifier))
        self._of_turns = of_turns
        if of_turns:
            self.name = "classifier of quarter turns, trained on the one class at hand (not comparable with FID)"

    @classmethod
    def trained_on(
        cls, data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS, cache: FeatureCache | None = None
    ) -> ClassifierFeatures:
        """A fresh classifier, trained on these pictures, or the one that was trained on them before.

        Give it training pictures only.
        """
        return _last(cls.training_on(data, seed, steps, cache))

    @classmethod
    def training_on(
        cls, data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS, cache: FeatureCache | None = None
    ) -> Generator[int, None, ClassifierFeatures]:
        """The same, which tells after each step how many were taken; none are where it was trained before."""
        of_turns = len(data.classes) == 1
        if cache is None:
            return cls((yield from training_classifier(data, seed, steps)), of_turns)
        given: tuple[str | npt.NDArray[np.generic], ...]
        given = (str(seed), str(steps), data.images_u8.numpy(), data.labels.numpy(), *data.classes)
        digest = content_digest("classifier 2", *given)
        found = cache.network(digest, fresh_classifier(_told_apart(data)))
        if found is None:
            found = yield from training_classifier(data, seed, steps)
            cache.keep_network(digest, found)
        return cls(found, of_turns)

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        return in_chunks(self._body, to_unit(pictures_u8))

    def verdicts(self, found: F64) -> npt.NDArray[np.int64]:
        """Class numbers [N] that the classifier gives pictures of these features."""
        if self._of_turns:
            return np.zeros(len(found), np.int64)
        with torch.inference_mode():
            seen: npt.NDArray[np.int64] = self._head(torch.from_numpy(found)).argmax(dim=1).numpy()
        return seen


class PixelFeatures:
    """Pictures as they are, reduced to ``side_px``: nothing learnt, for finding copies."""

    is_inception = False

    def __init__(self, side_px: int = 16) -> None:
        self.name = f"pixels at {side_px} x {side_px}"
        self.dimension = 3 * side_px**2
        self.resize = f"mean over areas, to {side_px} x {side_px}"
        self.digest = content_digest("pixels", str(side_px))
        self._side_px = side_px

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(to_unit(pictures_u8), self._side_px).flatten(1)


def train_classifier(data: PairDataset, seed: int = 0, steps: int = CLASSIFIER_STEPS) -> nn.Sequential:
    """A small convolutional classifier of pictures [N, 3, S, S] in [-1, 1], trained on mirrored and moved pictures."""
    return _last(training_classifier(data, seed, steps))


def training_classifier(data: PairDataset, seed: int, steps: int) -> Generator[int, None, nn.Sequential]:
    """The same, which tells after each step how many were taken; who asks for the next draws no chance meanwhile."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = channels_last(fresh_classifier(_told_apart(data)))
        optimizer = torch.optim.AdamW(classifier.parameters(), lr=_RATE, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_share(step / steps))
        for step in range(steps):
            pictures, labels = _batch(data, seed, step)
            loss = F.cross_entropy(classifier(pictures), labels, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            yield step + 1
    return classifier.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload, no-any-return]


def _last(steps: Generator[int, None, Made]) -> Made:
    """What comes of it, once all steps are taken."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            made: Made = done.value
            return made


def _rate_share(done: float) -> float:
    """Up in a straight line, then down a cosine to zero; ``done`` from 0 to 1."""
    if done < _WARM_UP_SHARE:
        return (done + 0.01) / (_WARM_UP_SHARE + 0.01)
    return (1 + math.cos(math.pi * (done - _WARM_UP_SHARE) / (1 - _WARM_UP_SHARE))) / 2


def _batch(data: PairDataset, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, S, S], classes drawn evenly; without the sketches, which cost more than the pictures do."""
    chosen = data.choose(seed, step, CLASSIFIER_BATCH, balanced=True)
    pictures, labels = place(to_unit(data.images_u8[chosen]), stream(seed, step, "classifier")), data.labels[chosen]
    if len(data.classes) == 1:
        labels = torch.arange(len(pictures)) % _TURNS
        pictures = torch.stack([picture.rot90(int(turn), (1, 2)) for picture, turn in zip(pictures, labels)])
    return pictures.contiguous(memory_format=torch.channels_last), labels


def _told_apart(data: PairDataset) -> int:
    """How many kinds of pictures the classifier tells apart: classes, or quarter turns of a single one."""
    return len(data.classes) if len(data.classes) > 1 else _TURNS


def fresh_classifier(classes: int) -> nn.Sequential:
    """The same with its first weights: 384 features, then dropout and the linear head as its last two modules.

    No more features than a few hundred held-out pictures can bear: a Frechet distance needs more pictures than that.
    """
    layers: list[nn.Module] = []
    for narrow, wide in itertools.pairwise(_WIDTHS):
        layers += [nn.Conv2d(narrow, wide, 3, stride=2, padding=1), nn.BatchNorm2d(wide), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(4 * _WIDTHS[-1], classes)]
    return nn.Sequential(*layers, *head)


def default_folder() -> Path:
    """``edgegan-widget`` in the user's cache folder, or where EDGEGAN_WIDGET_CACHE says."""
    chosen = os.environ.get("EDGEGAN_WIDGET_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(base) / "edgegan-widget"


def content_digest(*parts: npt.NDArray[np.generic] | str) -> str:
    """SHA-256 of words and arrays, their types and shapes included; 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f"word {len(part)} {part}\n".encode())
        else:
            digest.update(f"array {part.dtype.str} {part.shape}\n".encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


class FeatureCache:
    """A folder of ``<digest>.npy``; the files used longest ago give way when it grows beyond ``limit_mb``."""

    def __init__(self, folder: Path | str | None = None, limit_mb: int = LIMIT_MB) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        self._limit_bytes = limit_mb * 10**6

    def get(self, digest: str, make: Callable[[], F64]) -> F64:
        """The features of this digest: read, or made and written. A cache that cannot be used is no error."""
        path = self.folder / f"{digest}.npy"
        with contextlib.suppress(OSError, ValueError, EOFError):
            found = np.load(path, allow_pickle=False)
            if found.dtype == np.float64:
                os.utime(path)
                return np.asarray(found)
        made = make()
        with contextlib.suppress(OSError):
            with write_atomic(path) as stream:
                np.save(stream, made, allow_pickle=False)
            self._shrink(path)
        return made

    def network(self, digest: str, blank: nn.Sequential) -> nn.Sequential | None:
        """A network that was kept, its weights read into ``blank``; None where there is none."""
        with contextlib.suppress(OSError, SafetensorError, RuntimeError):
            blank.load_state_dict(load((self.folder / f"{digest}.safetensors").read_bytes()))
            return blank.eval()
        return None

    def keep_network(self, digest: str, network: nn.Sequential) -> None:
        """Write a trained network. A cache that cannot be used is no error."""
        with contextlib.suppress(OSError):
            write_bytes(self.folder / f"{digest}.safetensors", save(network.state_dict()))

    def _shrink(self, newest: Path) -> None:
        every = sorted(self.folder.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in every:
            total += path.stat().st_size
            if total > self._limit_bytes and path != newest:
                path.unlink(missing_ok=True)
