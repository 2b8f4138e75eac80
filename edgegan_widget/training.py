"""One loop for all recipes: ``train(...)`` yields :class:`Progress`; to stop is not to ask for the next.

The chance in a step depends on (seed, step) alone, so weights, optimizer and step number are all there is to resume.

A run folder holds ``config.json``, ``metrics.jsonl``, ``samples/``, ``checkpoints/last.pt`` and ``model/``, a model
folder that :meth:`edgegan_widget.EdgeGAN.from_pretrained` opens.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor

from edgegan_widget import config as settings
from edgegan_widget.chance import stream
from edgegan_widget.checkpoint import Networks, load_state, save_model, save_state
from edgegan_widget.config import ModelConfig, TrainConfig
from edgegan_widget.dataset import Batch, PairDataset, load_data, to_u8
from edgegan_widget.devices import choose_device
from edgegan_widget.errors import TrainingError
from edgegan_widget.files import write_atomic, write_bytes
from edgegan_widget.nets import class_condition
from edgegan_widget.recipes import compact, paper

__all__ = ["Progress", "Recipe", "Trainer", "train"]

log = logging.getLogger(__name__)

REPORT_EVERY_STEPS = 25
REPORT_EVERY_SECONDS = 5.0  # sooner where steps are slow
SAMPLES_PER_CLASS = 2


class Recipe(Protocol):
    """Networks with their optimizers, and the updates of one step."""

    def batch(self, data: PairDataset, index: int) -> Batch: ...

    def step(self, batch: Batch, index: int, rate_factor: float) -> dict[str, Tensor]: ...

    def drawing_networks(self) -> Networks: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Progress:
    """Where a run stands: ``losses`` are means since the last report, ``seconds_left`` an estimate."""

    step: int
    steps: int
    epoch: float
    losses: dict[str, float]
    images_per_second: float
    seconds_left: float


class Trainer:
    """A recipe on a data set, iterable from its current step to its last."""

    def __init__(self, data: PairDataset, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.data = data.to(device)
        makers = {"paper": paper, "compact": compact}[config.preset]
        self.model_config: ModelConfig = makers.model_config(data.classes, config)
        self.recipe: Recipe = makers.Recipe(self.model_config, config, device)
        self.step = 0
        self.stop_requested: Callable[[], bool] = lambda: False  # asked between two steps
        self.steps_per_epoch = data.batches_per_epoch(config.batch_size)
        self.steps = config.epochs * self.steps_per_epoch

    def __iter__(self) -> Iterator[Progress]:
        pending: list[dict[str, Tensor]] = []
        began = time.perf_counter()
        while self.step < self.steps and not self.stop_requested():
            batch = self.recipe.batch(self.data, self.step)
            pending.append(self.recipe.step(batch, self.step, self._rate_factor()))
            self.step += 1
            slow = time.perf_counter() - began > REPORT_EVERY_SECONDS
            if slow or len(pending) == REPORT_EVERY_STEPS or self.step == self.steps:
                losses = _means(pending)  # the only place that waits for the device
                seconds = (time.perf_counter() - began) / len(pending)
                _stop_if_not_finite(losses, self.step)
                yield self._progress(losses, seconds)
                pending, began = [], time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "classes": list(self.data.classes), "recipe": self.recipe.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if tuple(state["classes"]) != self.data.classes:
            raise TrainingError(
                f"the run was trained on {', '.join(state['classes'])}, the data has {', '.join(self.data.classes)}; "
                "resume with the same classes or start a new run."
            )
        self.recipe.load_state_dict(state["recipe"])
        self.step = int(state["step"])

    def _rate_factor(self) -> float:
        """1, then linearly down to 0 over the last ``decay_fraction`` of the run."""
        if not self.config.decay_fraction:
            return 1.0
        return min(1.0, (self.steps - self.step) / (self.config.decay_fraction * self.steps))

    def _progress(self, losses: dict[str, float], seconds: float) -> Progress:
        return Progress(
            self.step,
            self.steps,
            self.step / self.steps_per_epoch,
            losses,
            self.config.batch_size / seconds,
            (self.steps - self.step) * seconds,
        )


def train(
    data: Path | str, out: Path | str, config: TrainConfig, resume: bool = False, save_every_seconds: float = 120.0
) -> Iterator[Progress]:
    """Train on ``<data>/train`` into the run folder ``out``, showing samples from ``<data>/val``.

    Stopping the iteration saves the state first, so nothing is lost.

    Parameters
    ----------
    data
        Folder ``<split>/<class>/*.png`` of cut-outs or of ``[edge | image]`` pairs, or a packed file of both splits.
    out
        Run folder; it must be new or empty unless ``resume``.
    config
        Recipe and its numbers; start from one of :data:`edgegan_widget.PRESETS`.
    save_every_seconds
        How often state, model and samples are written.
    resume
        Go on from ``<out>/checkpoints/last.pt``. Nothing differs from a run that never stopped.

    Raises
    ------
    TrainingError
        ``out`` holds another run, the data is too small for a batch, or a loss is not finite.
    """
    run = Path(out)
    state_file = run / "checkpoints" / "last.pt"
    if state_file.exists() and not resume:
        raise TrainingError(f"{run} already holds a run; add --resume to go on with it, or choose another folder.")
    device = choose_device(config.device)
    pictures = load_data(data, "train", config.size_px)
    if len(pictures) < config.batch_size:
        raise TrainingError(
            f"{data} has {len(pictures)} training pictures, fewer than one batch of {config.batch_size}; "
            "add pictures or give a smaller --batch-size."
        )
    trainer = Trainer(pictures, config, device)
    if resume:
        trainer.load_state_dict(load_state(state_file, device))
    shown = _validation_batch(data, pictures, config)
    write_bytes(run / "config.json", settings.to_json(config))
    return _save_along(trainer, run, shown, save_every_seconds)


def _save_along(trainer: Trainer, run: Path, shown: Batch, save_every_seconds: float) -> Iterator[Progress]:
    saved_at = time.monotonic()
    with _DeferredSignals() as signals:
        trainer.stop_requested = lambda: signals.received
        try:
            for progress in trainer:
                with (run / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
                    metrics.write(json.dumps(dataclasses.asdict(progress)) + "\n")
                if time.monotonic() - saved_at > save_every_seconds:
                    _save(trainer, run, shown)
                    saved_at = time.monotonic()
                yield progress
        except GeneratorExit:  # the caller stopped asking, between two steps
            _save(trainer, run, shown)
            raise
        _save(trainer, run, shown)
        if signals.received:
            raise KeyboardInterrupt


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


def _save(trainer: Trainer, run: Path, shown: Batch) -> None:
    save_state(run / "checkpoints" / "last.pt", trainer.state_dict())
    networks = trainer.recipe.drawing_networks()
    save_model(run / "model", networks)
    grid = _sample_grid(networks, shown.to(trainer.device), trainer.config.seed)
    with write_atomic(run / "samples" / f"step_{trainer.step:07}.png") as stream:
        grid.save(stream, "PNG")


def _validation_batch(data: Path | str, pictures: PairDataset, config: TrainConfig) -> Batch:
    """The first pictures of each class of the validation split, or of the training split where there is none."""
    shown = pictures
    if Path(data).is_file() or (Path(data) / "val").is_dir():
        shown = load_data(data, "val", config.size_px, pictures.classes)
    rows = [torch.nonzero(shown.labels == label)[:SAMPLES_PER_CLASS, 0] for label in range(len(shown.classes))]
    return shown.take(torch.cat(rows))


@torch.no_grad()
def _sample_grid(networks: Networks, shown: Batch, seed: int) -> Image.Image:
    """Rows of photo | its edge map | drawn edge map | picture | the same in a random style."""
    was_training = networks.training
    networks.eval()
    config = networks.config
    condition = class_condition(shown.labels, config)
    sketches = shown.sketches.expand(-1, config.edge_channels, -1, -1)
    noise = torch.randn(len(condition), networks.noise_size, generator=stream(seed, 0, "samples")).to(condition.device)
    latent = networks.encode(sketches, condition, torch.zeros_like(noise))
    edge, image = networks.decode(latent, condition)
    _, varied = networks.decode(networks.encode(sketches, condition, noise), condition)
    networks.train(was_training)
    columns = [to_u8(part).expand(-1, 3, -1, -1).cpu() for part in (shown.images, sketches, edge, image, varied)]
    tiles = torch.cat(columns, dim=3)  # [N, 3, S, 5 S]
    blocks = 4 if len(tiles) >= 8 else 1
    side_by_side = torch.cat([torch.cat(list(part), dim=1) for part in _even_parts(tiles, blocks)], dim=2)
    return Image.fromarray(side_by_side.permute(1, 2, 0).numpy())


def _even_parts(tiles: Tensor, count: int) -> list[Tensor]:
    per_part = math.ceil(len(tiles) / count)
    paper_tiles = torch.full((per_part * count - len(tiles), *tiles.shape[1:]), 255, dtype=tiles.dtype)
    return list(torch.split(torch.cat([tiles, paper_tiles]), per_part))


def _means(steps: list[dict[str, Tensor]]) -> dict[str, float]:
    return {name: float(torch.stack([step[name].float() for step in steps]).mean()) for name in steps[0]}


def _stop_if_not_finite(losses: Mapping[str, float], step: int) -> None:
    broken = [name for name, value in losses.items() if not math.isfinite(value)]
    if broken:
        raise TrainingError(
            f"the loss {', '.join(broken)} is no longer finite at step {step}; the last saved state is kept, "
            "so resume from it with a smaller --lr or a larger --batch-size."
        )
