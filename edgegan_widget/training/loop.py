"""One loop for all recipes: ``train(config)`` yields :class:`Progress`; to stop is not to ask for the next.

What is trained and how stands in :mod:`training.trainer`; here a run is put together, written down and ended.
Fine-tuning is the same loop from another start.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from edgegan_widget.base.errors import EdgeGANError, TrainingError
from edgegan_widget.networks.devices import choose_device
from edgegan_widget.networks.distributed import world
from edgegan_widget.networks.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.store import Networks, load_state
from edgegan_widget.sketch.people_sets import read_people
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import Batch, PairDataset, to_unit
from edgegan_widget.training.kinds import kind_of
from edgegan_widget.training.needs import check_needs
from edgegan_widget.training.record import Progress, Recorder
from edgegan_widget.training.runs import Run
from edgegan_widget.training.samples import (
    SHOWN_PER_CLASS,
    draw_sketches,
    latent_grid,
    people_grid,
    shown_of,
    sketch_grid,
    style_grid,
)
from edgegan_widget.training.trainer import Trainer

__all__ = ["Progress", "train"]

log = logging.getLogger(__name__)

SCORED_PICTURES = 256
SAVING_SHARE = 20  # training goes on for so many times as long as the last save took, before the next


def train(config: TrainConfig, resume: bool = False) -> Iterator[Progress]:
    """Train on ``<data>/train`` into the run folder ``out``, showing and scoring pictures of ``<data>/val``.

    Stopping the iteration saves the state first, so nothing is lost.

    Parameters
    ----------
    config
        The run; make it with :meth:`TrainConfig.from_preset`. It must name ``data`` and ``out``.
    resume
        Go on from ``<out>/checkpoints/last.pt``. Nothing differs from a run that never stopped.

    Raises
    ------
    ConfigError, DependencyError, ModelError
        What the run needs is missing, see :func:`edgegan_widget.training.needs.check_needs`, or the device is not to be
        had.
    DataError
        The data cannot be used.
    TrainingError
        ``out`` holds another run, the data is too small for a batch, a loss is not finite, memory or disk are full.

    Examples
    --------
    >>> config = TrainConfig.from_preset("projected", data="my_objects", out="runs/first", epochs=3)
    >>> for progress in train(config):  # doctest: +SKIP
    ...     print(progress.step, progress.losses)
    """
    check_needs(config, resume)
    run = Run(Path(config.out))
    if run.can_resume and not resume:
        raise TrainingError(f"{run.folder} already holds a run; add --resume to go on, or choose another folder.")
    if resume:
        run.check_goes_on(config.preset)
    device = choose_device(config.device)
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS refuses to promise it
    torch.use_deterministic_algorithms(config.deterministic)
    pictures, shown = kind_of(config.preset).step().load(config)
    state = load_state(run.folder / "checkpoints" / "last.pt", device) if resume else None
    trainer = Trainer(pictures, config, device, state)
    recorder = Recorder(trainer.config, device)
    recorder.best_score = float((state or {}).get("best_score", recorder.best_score))
    return _record(trainer, recorder, shown.to(device)) if world()[0] == 0 else _follow(trainer)


def _record(trainer: Trainer, recorder: Recorder, shown: PairDataset) -> Iterator[Progress]:
    """The loop with all that is written down; entered by the first process only."""
    saver = _Saver(trainer, recorder, shown)
    with _DeferredSignals() as signals:
        trainer.stop_requested = lambda: signals.received
        recorder.begin(trainer.step, trainer.steps, trainer.step / trainer.steps_per_epoch)
        try:
            for progress in trainer:
                yield saver.report(progress)
            saver.save_if_new(at_once=signals.received)
        except GeneratorExit:  # the caller stopped asking, between two steps
            saver.save_if_new(at_once=True)
            recorder.end("stopped")
            raise
        except BaseException as error:
            with contextlib.suppress(EdgeGANError):
                saver.save_if_new(at_once=True)  # the trainer went back to its last finite state
            ours = isinstance(error, EdgeGANError)
            recorder.end("failed", str(error) if ours else f"{type(error).__name__}: {error}")
            raise
        recorder.end("stopped" if signals.received else "finished")
        if signals.received:
            raise KeyboardInterrupt


def _follow(trainer: Trainer) -> Iterator[Progress]:
    """The loop in the other processes, which write nothing down."""
    with _DeferredSignals() as signals:
        trainer.stop_requested = lambda: signals.received
        yield from trainer
        if signals.received:
            raise KeyboardInterrupt


class _Saver:
    """Decides when to save, and puts together what is saved."""

    def __init__(self, trainer: Trainer, recorder: Recorder, shown: PairDataset) -> None:
        self._trainer, self._recorder = trainer, recorder
        self._shown = shown_of(shown)
        self._scored = _scored_of(shown)
        self._people = _kept_for_testing(trainer)
        self._saved_step, self._next_save = -1, time.monotonic() + trainer.config.save_every_seconds

    def report(self, progress: Progress) -> Progress:
        """Write the report down, after saving if it is time; with the score if so."""
        last = progress.step == progress.steps
        if last or time.monotonic() > self._next_save:
            progress = dataclasses.replace(progress, score=self._save())
        self._recorder.report(progress)
        return progress

    def save_if_new(self, at_once: bool) -> None:
        """Save unless the step at hand was saved already; ``at_once`` without drawing and scoring pictures first."""
        if self._trainer.step == self._saved_step:
            return
        if at_once:
            self._trainer.recipe.before_saving(self._trainer.data)
            self._recorder.save(self._trainer.state_dict(), self._trainer.recipe, {}, self._trainer.step, None)
        else:
            self._save()

    def _save(self) -> float:
        trainer, began = self._trainer, time.monotonic()
        trainer.recipe.before_saving(trainer.data)
        networks = trainer.recipe.drawing_networks()
        edges, images = draw_sketches(networks, self._scored, varied=True)  # realism is variety too
        score = trainer.recipe.score(self._scored, edges, images)
        samples = {"sketches": sketch_grid(networks, self._shown)}
        samples |= _varied(networks, self._shown, trainer.config.seed)
        if self._people is not None:
            samples["people"] = people_grid(networks, *self._people)
        self._recorder.save(trainer.state_dict(), trainer.recipe, samples, trainer.step, score)
        self._saved_step, ended = trainer.step, time.monotonic()
        wished = trainer.config.save_every_seconds
        self._next_save = ended + max(wished, min(1.0, wished) * SAVING_SHARE * (ended - began))
        return score


def _varied(networks: Networks, shown: Batch, seed: int) -> dict[str, Image.Image]:
    """What else the model can draw: the shown drawings in several styles where it has any, else random latents."""
    if isinstance(networks, ModulatedEdgeGAN):
        return {"styles": style_grid(networks, shown)}
    return {"latents": latent_grid(networks, seed)}


def _kept_for_testing(trainer: Trainer) -> tuple[Tensor, Tensor] | None:
    """Some of the people's drawings that are never trained on, float32 [N, 1, h, w] in [-1, 1], and their classes."""
    config, model = trainer.config, trainer.model_config
    sketches, labels = read_people(config.sketches, model.classes, model.sketch_px, kept=True, most=SHOWN_PER_CLASS)
    if not sketches:
        return None
    drawings = to_unit(torch.from_numpy(np.stack(sketches))[:, None]).to(trainer.device)
    return drawings, torch.tensor(labels, device=trainer.device)


class _DeferredSignals:
    """Holds Ctrl-C and SIGTERM back until the step at hand is whole, so that what is saved can be resumed exactly."""

    KINDS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _DeferredSignals:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            self._previous = {kind: signal.signal(kind, self._receive) for kind in self.KINDS}
        return self

    def __exit__(self, *_: object) -> None:
        for kind, handler in self._previous.items():
            signal.signal(kind, handler)

    def _receive(self, *_: object) -> None:
        self.received = True


def _scored_of(pictures: PairDataset) -> Batch:
    """Pictures spread evenly over the set, as many as the score needs."""
    count = min(len(pictures), SCORED_PICTURES)
    return pictures.take(torch.arange(count) * len(pictures) // count)
