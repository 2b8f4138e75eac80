"""One loop for all recipes: ``train(config)`` yields :class:`Progress`; to stop is not to ask for the next.

What is trained and how stands in :mod:`training.trainer`; here a run is put together, written down and ended.
Fine-tuning is the same loop from another start.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from edgegan_widget.base.errors import EdgeGANError, TrainingError
from edgegan_widget.base.runs import DeferredSignals
from edgegan_widget.base.units import to_unit
from edgegan_widget.networks.architectures.modulated import ModulatedEdgeGAN
from edgegan_widget.networks.devices import choose_device
from edgegan_widget.networks.distributed import world
from edgegan_widget.networks.store import load_state
from edgegan_widget.sketch.sets.folders import read_people
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.kinds import kind_of
from edgegan_widget.training.runs.jobs import Run, check_needs
from edgegan_widget.training.runs.record import Progress, Recorder, telling_start, warnings_of
from edgegan_widget.training.runs.resuming import changed_pictures, check_changes, check_state, keep_pictures, recalled
from edgegan_widget.training.runs.samples import (
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
FIRST_SAVE_SECONDS = 30.0  # of a new run: its first model is waited for
SAVING_SHARE = 20  # training goes on for so many times as long as the last save took, before the next


def train(config: TrainConfig, resume: bool = False) -> Iterator[Progress]:
    """Train on ``<data>/train`` into the run folder ``out``, showing and scoring pictures of ``<data>/val``.

    Stopping the iteration saves the state first, so nothing is lost.

    Parameters
    ----------
    config
        The run; make it with :meth:`TrainConfig.from_preset`. It must name ``data`` and ``out``.
    resume
        Go on from ``<out>/checkpoints/last.pt``. Nothing differs from a run that never stopped, but for what ``config``
        changes of the run's own settings, see :data:`edgegan_widget.training.runs.resuming.CHANGEABLE`; the best is
        ``resuming.recalled(out)`` with changes.

    Raises
    ------
    ConfigError, DependencyError, ModelError
        What the run needs is missing, see :func:`~edgegan_widget.training.runs.jobs.check_needs`, or the device is not
        to be had.
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
    changes: list[str] = []
    if resume:
        run.check_goes_on(config.preset)
        if run.config() is not None:  # what cannot be read is no reason to lose a run
            changes = check_changes(recalled(run.folder), config)
    device = choose_device(config.device)
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS refuses to promise it
    torch.use_deterministic_algorithms(config.deterministic)
    with telling_start(run.folder), warnings_of() as told:
        pictures, shown = kind_of(config.preset).step().load(config)
        for sentence in changed_pictures(run.folder, config.data) if resume else ():
            log.warning(sentence)
    saved = run.folder / "checkpoints" / "last.pt"
    state = load_state(saved, device) if resume else None
    if state is not None:
        check_state(state, config, saved)
    trainer = Trainer(pictures, config, device, state)
    if trainer.step >= trainer.steps:
        log.warning("%s is finished: it has made its %d steps; give more --epochs", run.folder, trainer.steps)
    recorder = Recorder(trainer.config, device, told, changes)
    if not resume and config.data and world()[0] == 0:
        with contextlib.suppress(OSError):  # a full disk is told where the state is saved
            keep_pictures(run.folder, config.data)
    recorder.best_score = float((state or {}).get("best_score", recorder.best_score))
    return _record(trainer, recorder, shown.to(device)) if world()[0] == 0 else _follow(trainer)


def _record(trainer: Trainer, recorder: Recorder, shown: PairDataset) -> Iterator[Progress]:
    """The loop with all that is written down; entered by the first process only."""
    saver = _Saver(trainer, recorder, shown)
    with DeferredSignals() as signals:
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
    with DeferredSignals() as signals:
        trainer.stop_requested = lambda: signals.received
        yield from trainer
        if signals.received:
            raise KeyboardInterrupt


class _Saver:
    """Decides when to save, and puts together what is saved."""

    def __init__(self, trainer: Trainer, recorder: Recorder, shown: PairDataset) -> None:
        self._trainer, self._recorder = trainer, recorder
        self._shown = shown_of(shown)
        count = min(len(shown), SCORED_PICTURES)
        self._scored = shown.take(torch.arange(count) * len(shown) // count)  # spread evenly over the set
        self._people = _kept_for_testing(trainer)
        wished = trainer.config.save_every_seconds
        self._saved_step, self._has_shown = -1, trainer.step > 0
        self._next_save = time.monotonic() + (wished if trainer.step else min(wished, FIRST_SAVE_SECONDS))

    def report(self, progress: Progress) -> Progress:
        """Write the report down, after saving if it is time; with the score if so."""
        last = progress.step == progress.steps
        if not (self._has_shown or last):
            self._show()  # and told at once, with its losses
        elif last or time.monotonic() > self._next_save:
            progress = dataclasses.replace(progress, score=self._save())
        self._recorder.report(progress)
        return progress

    def _show(self) -> None:
        """Samples of a run that has begun just now: the first ones are waited for, so nothing is scored before."""
        self._trainer.recipe.before_saving(self._trainer.data)
        self._recorder.show(self._samples(), self._trainer.step)
        self._has_shown = True

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
        turns = torch.arange(len(self._scored.labels))  # realism is variety too
        edges, images = draw_sketches(networks, self._scored, turns)
        score = trainer.recipe.score(self._scored, edges, images)
        self._recorder.save(trainer.state_dict(), trainer.recipe, self._samples(), trainer.step, score)
        self._saved_step, ended = trainer.step, time.monotonic()
        wished = trainer.config.save_every_seconds
        self._next_save = ended + max(wished, min(1.0, wished) * SAVING_SHARE * (ended - began))
        return score

    def _samples(self) -> dict[str, Image.Image]:
        """Grids by kind, see :data:`edgegan_widget.training.runs.jobs.SAMPLE_KINDS`."""
        networks = self._trainer.recipe.drawing_networks()
        samples = {"sketches": sketch_grid(networks, self._shown)}
        if isinstance(networks, ModulatedEdgeGAN):  # what else it can draw: styles, or where it has none random latents
            samples["styles"] = style_grid(networks, self._shown)
        else:
            samples["latents"] = latent_grid(networks, self._trainer.config.seed)
        if self._people is not None:
            samples["people"] = people_grid(networks, *self._people)
        return samples


def _kept_for_testing(trainer: Trainer) -> tuple[Tensor, Tensor] | None:
    """Some of the people's drawings that are never trained on, float32 [N, 1, h, w] in [-1, 1], and their classes."""
    config, model = trainer.config, trainer.recipe.model
    sketches, labels = read_people(config.sketches, model.classes, model.sketch_px, kept=True, most=SHOWN_PER_CLASS)
    if not sketches:
        return None
    drawings = to_unit(torch.from_numpy(np.stack(sketches))[:, None]).to(trainer.device)
    return drawings, torch.tensor(labels, device=trainer.device)
