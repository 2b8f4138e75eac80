"""Training the network that cuts objects out: a generator of its progress, stopped and resumed at any time.

A run folder holds ``config.json``, ``log.csv``, ``state.pt`` (all that the next step depends on), and once it is done
``cutout.safetensors`` and ``cutout.json``, the network for use. The decoder learns at one rate, the encoder at a tenth
of it, both down a cosine (Loshchilov and Hutter, "SGDR", ICLR 2017), by AdamW.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, TrainingError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.runs import DeferredSignals
from edgegan_widget.networks.architectures.salience import (
    CONFIG,
    SalienceNetwork,
    find_salient,
    load_salience,
    save_salience,
)
from edgegan_widget.networks.store import load_state, save_state
from edgegan_widget.training.cutout.config import CutoutConfig
from edgegan_widget.training.cutout.losses import mask_loss
from edgegan_widget.training.cutout.pairs import Pair, Pairs, find_pairs, keep_small
from edgegan_widget.training.cutout.scores import MaskScore, score_masks

__all__ = ["Progress", "score_network", "train_cutout"]

log = logging.getLogger(__name__)

_SETTINGS, _STATE, _LOG, _SMALL = "config.json", "state.pt", "log.csv", "pairs.npy"
_WARM_UP = 0.04  # share of the steps
_LEAST_RATE = 0.01  # share of the highest, at the end
_LONGEST_GRADIENT = 5.0
_DECAY = 1e-4
_TELL_EVERY = 20
_LOOKED_AT = 60  # kept photos that are looked at on the way


@dataclass(frozen=True)
class Progress:
    """Where the training stands; ``score`` now and then, of some kept photos, and in the end of all of them."""

    step: int
    steps: int
    loss: float
    doing: str = "training"
    score: MaskScore | None = None


def train_cutout(config: CutoutConfig, resume: bool = False) -> Iterator[Progress]:
    """Train, or go on where the run stopped: exactly as if it never had.

    Raises
    ------
    ConfigError
        The run's folder holds a run and is not to be resumed, or the other way round, or one of other settings.
    DataError
        The photos or masks cannot be used.
    ModelError
        The encoder's weights are not installed, or the state is damaged.
    TrainingError
        The loss is no longer a number.
    """
    settings.check_needed(config, "this training")
    out = Path(config.out)
    pairs, kept = find_pairs(Path(config.data), config.kept)
    _begin(out, config, resume)
    for number in keep_small(pairs, config.network.size_px, out / _SMALL):
        if number % _TELL_EVERY == 0:
            yield Progress(number, len(pairs), math.nan, "reading photos")
    run = _Run(config, Pairs(out / _SMALL, config.network.size_px))
    if resume:
        run.load(out / _STATE)
    with DeferredSignals() as signals:
        yield from _steps(run, out, kept, signals)
    if run.step < config.steps:
        raise TrainingError(f"stopped at step {run.step} of {config.steps}; go on with --resume.")
    save_salience(out, run.network)
    score = score_network(load_salience(out), kept)
    for name in (_SMALL, Path(_SMALL).with_suffix(".json")):
        (out / name).unlink(missing_ok=True)
    yield Progress(run.step, config.steps, run.loss, "done", score)


def _steps(run: _Run, out: Path, kept: Sequence[Pair], signals: DeferredSignals) -> Iterator[Progress]:
    config, saved = run.config, time.monotonic()
    while run.step < config.steps and not signals.received:
        run.take()
        score = None
        if time.monotonic() - saved >= 60 * config.save_minutes:
            run.save(out / _STATE)
            score, saved = run.look(kept[:: math.ceil(len(kept) / _LOOKED_AT)]), time.monotonic()
        if score is not None or run.step % _TELL_EVERY == 0 or run.step == config.steps:
            progress = Progress(run.step, config.steps, run.loss, score=score)
            _note(out / _LOG, progress)
            yield progress
    run.save(out / _STATE)


def score_network(network: SalienceNetwork, pairs: Sequence[Pair]) -> MaskScore:
    """How good the network's own masks are on these photos, before any refining."""
    return score_masks((find_salient(network, photo_u8), mask_u8) for photo_u8, mask_u8 in map(Pair.read, pairs))


class _Run:
    """Network, optimizer and step."""

    def __init__(self, config: CutoutConfig, pairs: Pairs) -> None:
        torch.manual_seed(config.seed)
        self.config, self.pairs, self.step, self.loss = config, pairs, 0, math.nan
        self.network = SalienceNetwork.untrained(config.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.train()
        encoder, decoder = self.network.encoder, _without(self.network, self.network.encoder)
        encoder.requires_grad_(config.encoder_rate > 0)
        self.network.settle()
        self._shares = (config.encoder_rate, 1.0)
        self._optimizer = torch.optim.AdamW(
            [{"params": list(encoder.parameters())}, {"params": decoder}], lr=config.lr, weight_decay=_DECAY
        )

    def take(self) -> None:
        """One step."""
        for group, share in zip(self._optimizer.param_groups, self._shares):
            group["lr"] = self.config.lr * share * _rate(self.step / self.config.steps)
        photos, masks = self.pairs.batch(self.config.seed, self.step, self.config.batch)
        loss = mask_loss(self.network(photos), masks)
        if not math.isfinite(loss.item()):
            raise TrainingError(f"the loss of step {self.step} is not a number; resume with a smaller lr.")
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT)
        self._optimizer.step()
        self.loss = loss.item() if math.isnan(self.loss) else 0.95 * self.loss + 0.05 * loss.item()
        self.step += 1

    def look(self, pairs: Sequence[Pair]) -> MaskScore:
        """How good it is on these photos; nothing that is trained is changed."""
        self.network.eval()
        score = score_network(self.network, pairs)
        self.network.train()
        return score

    def save(self, path: Path) -> None:
        """All that the next step depends on."""
        networks = {"network": self.network.state_dict(), "optimizer": self._optimizer.state_dict()}
        save_state(path, networks | {"step": self.step, "loss": self.loss})

    def load(self, path: Path) -> None:
        """What :meth:`save` wrote; a ModelError where it cannot be read."""
        state: dict[str, Any] = load_state(path, torch.device("cpu"))
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.loss = state["step"], state["loss"]


def _without(whole: nn.Module, part: nn.Module) -> list[nn.Parameter]:
    inside = {id(each) for each in part.parameters()}
    return [each for each in whole.parameters() if id(each) not in inside]


def _rate(done: float) -> float:
    if done < _WARM_UP:
        return done / _WARM_UP + 1e-3
    return _LEAST_RATE + (1 - _LEAST_RATE) * (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))) / 2


def _begin(out: Path, config: CutoutConfig, resume: bool) -> None:
    path, text = out / _SETTINGS, settings.to_json(config)
    if not resume:
        if (out / _STATE).exists() or (out / CONFIG).exists():
            raise ConfigError(f"{out} holds a run already; resume it with --resume, or name another folder.")
        write_bytes(path, text)
        with contextlib.suppress(FileNotFoundError):
            (out / _LOG).unlink()
        return
    try:
        before = settings.from_json(CutoutConfig, path.read_text("utf-8", "replace"))
    except OSError as error:
        raise ConfigError(f"{out} holds no run to resume; leave --resume out to begin one.") from error
    same = dataclasses.replace(before, data=config.data, out=config.out, save_minutes=config.save_minutes)
    if same != config:
        raise ConfigError(f"{out} was begun with other settings, see {path}; give the same ones to resume it.")


def _note(path: Path, progress: Progress) -> None:
    score = progress.score
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if fresh:
            writer.writerow(("step", "loss", "mae", "max_f", "iou", "time"))
        told = ("", "", "") if score is None else tuple(f"{x:.5f}" for x in (score.mae, score.max_f, score.iou))
        writer.writerow((progress.step, f"{progress.loss:.5f}", *told, f"{time.time():.0f}"))
