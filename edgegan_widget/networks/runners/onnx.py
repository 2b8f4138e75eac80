"""``onnx``: a model folder's ``model.onnx`` on onnxruntime, on a CPU; neither needs nor loads torch."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.needs import needing_torch
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import Source
from edgegan_widget.networks.onnx.session import INPUTS, MODEL, give_back, has_onnxruntime, open_session
from edgegan_widget.networks.runners import Drawn, Runner, most_threads, register

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from edgegan_widget.networks.store import Networks

__all__ = ["OnnxNetworks"]

_MOST_CALLS = 8  # that are measured, after one that warms up; one that is not slow is enough, since somebody waits
_SLOW_SECONDS = 0.02  # up to here a picture keeps up with the pen on one thread
_CLEARLY_QUICKER = 0.8


class OnnxNetworks:
    """A model's networks on onnxruntime; see :class:`edgegan_widget.networks.runners.Running`.

    On one thread, unless that is slow and all cores are clearly quicker: the browser and the page's server need a core
    as well.
    """

    device_name = "CPU"
    at_once = 4  # on one thread more are no quicker, and need memory
    sizes: tuple[int, ...] = (1, 2, 4)
    fills = False

    def __init__(self, source: Source) -> None:
        if source.place is None:
            raise ModelError("networks in memory have no model.onnx; save and export them first.")
        self._folder, self._config = source.place, source.config
        self._example = _example(self._config)
        self._session, threads = _quickest(self._folder, self._example)
        give_back()
        self.mode = f"onnxruntime, {threads} thread{'s' if threads > 1 else ''}"

    def draw(self, sketch: U8, condition: F32, noise: F32) -> Drawn:
        return self.many(sketch[None], condition, noise)

    def many(self, sketches: U8, conditions: F32, noises: F32) -> Drawn:
        latents = np.zeros((len(sketches), self._config.latent_size), np.float32)
        return self._run(sketches, conditions, noises, latents, False)

    def decode(self, latents: F32, conditions: F32) -> Drawn:
        paper, _, no_noise, *_ = self._example
        sketches, noises = paper.repeat(len(latents), axis=0), no_noise.repeat(len(latents), axis=0)
        return self._run(sketches, conditions, noises, latents, True)

    def approach(self, sketch: U8, condition: F32, latents: F32, closeness: float) -> Iterator[F32]:
        with needing_torch("bringing a picture closer to the lines"):
            from edgegan_widget.networks.closeness import approach_lines

            networks = self._networks
        yield from approach_lines(networks, sketch, condition, latents, closeness)

    @functools.cached_property
    def _networks(self) -> Networks:
        """On torch, for gradients."""
        from edgegan_widget.networks.fused import fused
        from edgegan_widget.networks.store import load_model

        return fused(load_model(self._folder)).requires_grad_(False)

    def _run(self, sketches: U8, conditions: F32, noises: F32, latents: F32, decode: bool) -> Drawn:
        return _run(self._session, (sketches, conditions, noises, latents, np.array(decode)))


Given = tuple[U8, F32, F32, F32, npt.NDArray[np.bool_]]  # in the order of :data:`INPUTS`


def _example(config: ModelConfig) -> Given:
    """One sketch with nothing on it."""
    paper = np.full((1, config.sketch_px, config.sketch_px), 255, np.uint8)
    condition, noise = (np.zeros((1, size), np.float32) for size in (config.condition_size, config.noise_size))
    return paper, condition, noise, np.zeros((1, config.latent_size), np.float32), np.array(False)


def _run(session: InferenceSession, given: Given) -> Drawn:
    by_name: dict[str, npt.NDArray[Any]] = dict(zip(INPUTS, given))
    pictures, edges, latents = session.run(None, by_name)
    return pictures, edges, latents


def _quickest(folder: Path, example: Given) -> tuple[InferenceSession, int]:
    """A warm session and its threads: one, or all where one is slow at its best and all are clearly quicker."""
    weights = sorted(folder.glob("model*.safetensors"))
    alone = open_session(folder / MODEL, weights)
    cores, seconds = most_threads(), _seconds(alone, example)
    if seconds > _SLOW_SECONDS and cores > 1:
        together = open_session(folder / MODEL, weights, cores)
        if _seconds(together, example) < _CLEARLY_QUICKER * seconds:
            return together, cores
    return alone, 1


def _seconds(session: InferenceSession, example: Given) -> float:
    """Of the quickest call of a few; what other programs take away, such as thirty pages that open, does not count."""
    _run(session, example)
    quickest = float("inf")
    for _ in range(_MOST_CALLS):
        began = time.perf_counter()
        _run(session, example)
        quickest = min(quickest, time.perf_counter() - began)
        if quickest < _SLOW_SECONDS:
            break
    return quickest


def _fits(source: Source, device: str) -> bool:
    place = source.place
    return device == "cpu" and place is not None and (place / MODEL).is_file() and has_onnxruntime()


register(Runner("onnx", "a CPU and a model folder with model.onnx", _fits, lambda source, _: OnnxNetworks(source)))
