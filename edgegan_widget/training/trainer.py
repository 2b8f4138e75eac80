"""A recipe on a data set, step by step: from scratch, from a trained model, or from a saved state.

The chance in a step depends on (seed, step) alone, so weights, optimizer and step number are all there is to resume.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from edgegan_widget.base import settings
from edgegan_widget.base.errors import DataError, TrainingError
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.distributed import any_process, mean_over_processes, world
from edgegan_widget.networks.store import load_critics, load_model
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import PairDataset
from edgegan_widget.training.kinds import kind_of
from edgegan_widget.training.recipes.common import Losses, Recipe
from edgegan_widget.training.runs.record import Progress, memory_mb
from edgegan_widget.training.stepping import Snapshot, Stepper, is_out_of_memory
from edgegan_widget.training.transfer import carry_over, nearest_classes

__all__ = ["Trainer"]

log = logging.getLogger(__name__)

REPORT_EVERY_STEPS = 25
REPORT_EVERY_SECONDS = 5.0  # sooner where steps are slow
FIRST_STEPS = 25  # each is reported by itself, so that the curves show something at once
CRITIC_WARMUP_STEPS = 200  # where a model to start from brought no discriminators


class Trainer:
    """A recipe on a data set, iterable from its current step to its last.

    Parameters
    ----------
    data
        The training pictures.
    config
        The run.
    device
        Where to train.
    state
        What :meth:`state_dict` gave, to go on from there; a run that goes on needs its start model no more.
    """

    def __init__(
        self, data: PairDataset, config: TrainConfig, device: torch.device, state: Mapping[str, Any] | None = None
    ) -> None:
        self.device = device
        self.data = data.to(device)
        self.step = 0
        self.stop_requested: Callable[[], bool] = lambda: False  # asked between two steps
        self.steps_per_epoch = data.batches_per_epoch(config.batch_size)
        self.steps = config.epochs * self.steps_per_epoch
        if config.start_from and state is None:
            self.recipe, self.config = _from_model(self.data, config, device, self.steps)
        else:
            self.recipe, self.config = _afresh(self.data, config, device, state)
        self.stepper = Stepper(self.recipe)
        if state is not None:
            self.load_state_dict(state)

    def __iter__(self) -> Iterator[Progress]:
        pending: list[Losses] = []
        kept = Snapshot(self.recipe, self.step)
        began = time.perf_counter()
        while self.step < self.steps and not self._agreed(self.stop_requested(), at_report=not pending):
            try:
                inputs = self.recipe.inputs(self.data, self.step)
                pending.append(self.stepper(inputs, self.step, self._rate_factor()))
                self.step += 1
                slow = self._agreed(time.perf_counter() - began > REPORT_EVERY_SECONDS, at_report=False)
                if not (slow or self._is_due(len(pending))):
                    continue
                losses = _means(pending)  # the only place that waits for the device
                self.stepper.check()
                if not kept.take(self.recipe, self.step):
                    raise TrainingError(
                        f"a weight is no longer finite at step {self.step}; the last finite state is kept, so resume "
                        "from it with a smaller learning rate (--lr) or --precision float32."
                    )
            except (RuntimeError, MemoryError, TrainingError) as error:
                kept.put_back(self.recipe)
                self.step, pending = kept.step, []
                if not is_out_of_memory(error):
                    raise
                self._work_in_parts(error)
                continue
            yield self._progress(losses, (time.perf_counter() - began) / len(pending))
            pending, began = [], time.perf_counter()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "step": self.step,
            "classes": list(self.data.classes),
            "model": settings.to_json(self.recipe.model),
            "critic_warmup_steps": self.config.critic_warmup_steps,
            "parts": self.stepper.parts,
            "recipe": self.recipe.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises
        ------
        TrainingError
            The state is of a run on other classes.
        """
        if tuple(state["classes"]) != self.data.classes:
            raise TrainingError(
                f"the run was trained on {', '.join(state['classes'])}, the data has {', '.join(self.data.classes)}; "
                "resume with the same classes or start a new run."
            )
        self.recipe.load_state_dict(state["recipe"])
        self.stepper.parts = int(state["parts"])
        self.step = int(state["step"])

    def _is_due(self, pending: int) -> bool:
        """Whether a report is due by the count of steps, which all processes have in common."""
        return self.step <= FIRST_STEPS or pending >= REPORT_EVERY_STEPS or self.step == self.steps

    def _agreed(self, wish: bool, at_report: bool) -> bool:
        """Whether any process wishes it; on several GPUs asked at reports only, since asking waits for the device."""
        if world()[1] > 1 and self.device.type == "cuda" and not at_report:
            return False
        return any_process(wish, self.device)

    def _work_in_parts(self, error: BaseException) -> None:
        if not self.stepper.split_further(self.config.batch_size // world()[1]):
            raise TrainingError(
                f"memory ran out on {self.device} even with half of the batch at a time; give a smaller --batch-size, "
                "--width or --size, or free memory, and resume."
            ) from error
        log.warning(
            "memory ran out: the batch of %d is worked on in two halves from here on, with their gradients added; "
            "only batch statistics see the halves", self.config.batch_size,
        )  # fmt: skip

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
            memory_mb(self.device),
        )


def _afresh(
    data: PairDataset, config: TrainConfig, device: torch.device, state: Mapping[str, Any] | None
) -> tuple[Recipe, TrainConfig]:
    """A recipe with initial weights, or one whose state is about to be loaded."""
    maker = kind_of(config.preset).step()
    if state is None:
        model = maker.model_config(data.classes, config)
    else:
        model = settings.from_json(ModelConfig, state["model"])
        config = dataclasses.replace(config, critic_warmup_steps=int(state["critic_warmup_steps"]))
    return maker.Recipe(model, config, device), config


def _from_model(data: PairDataset, config: TrainConfig, device: torch.device, steps: int) -> tuple[Recipe, TrainConfig]:
    """A recipe with the weights of ``start_from``, its class rows carried over by name."""
    networks, critics = load_model(config.start_from, device), load_critics(config.start_from)
    old = networks.config
    if old.size_px != data.size_px:
        raise DataError(
            f"{config.start_from} draws {old.size_px} pixels, the data has {data.size_px}; set --size {old.size_px}."
        )
    model = dataclasses.replace(old, classes=data.classes)
    kind, warmup = kind_of(config.preset), config.critic_warmup_steps
    like: dict[str, str] = {}
    if config.new_classes == "nearest" and not set(data.classes) <= set(old.classes):
        former = kind.step().Recipe(old, config, device)
        former.adopt(networks.state_dict(), critics if kind.makes_critics else None)
        like = nearest_classes(networks, data, lambda images: former.class_logits(images) if critics else None)
    for name, nearest in like.items():
        log.info("the new class %s starts from %s", name, nearest)
    numbers = [old.classes.index(like.get(name, name)) if like.get(name, name) in old.classes else -1
               for name in data.classes]  # fmt: skip
    if critics is None and config.trains != "encoder" and kind.makes_critics:
        warmup = warmup or min(CRITIC_WARMUP_STEPS, max(1, steps // 10))
        log.warning(
            "%s holds no discriminators: fresh ones learn alone for the first %d steps", config.start_from, warmup
        )
    config = dataclasses.replace(config, critic_warmup_steps=warmup, width=old.width)
    recipe = kind.step().Recipe(model, config, device)
    fitted = carry_over(networks.state_dict(), recipe.networks.state_dict(), old, model, numbers)
    if critics is not None and kind.makes_critics:
        critics = carry_over(critics, recipe.critics.state_dict(), old, model, numbers)
    recipe.adopt(fitted, critics)
    return recipe, config


def _means(steps: list[Losses]) -> dict[str, float]:
    """Means over steps and processes; a loss that only some steps have over those."""
    names = list(dict.fromkeys(name for step in steps for name in step))
    means = [torch.stack([step[name].float() for step in steps if name in step]).mean() for name in names]
    mean_over_processes(means)
    values: Tensor = torch.stack(means)
    return dict(zip(names, values.tolist()))
