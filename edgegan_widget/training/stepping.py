"""Steps that are taken whole, or not at all: captured graphs, memory that runs out, losses that are no longer
finite.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from edgegan_widget.base.errors import TrainingError
from edgegan_widget.networks.distributed import world
from edgegan_widget.training.recipes.common import Inputs, Losses, Recipe, split

__all__ = ["Snapshot", "Stepper"]

log = logging.getLogger(__name__)

WARM_UP_STEPS = 3  # before a graph is captured, as torch's notes on CUDA graphs ask for


class Snapshot:
    """A copy of all that a recipe's next step depends on, in the memory of its device."""

    def __init__(self, recipe: Recipe, step: int) -> None:
        self.step = step
        self._copies = [leaf.clone() for leaf in _leaves(recipe.state_dict())]

    def take(self, recipe: Recipe, step: int) -> bool:
        """Copy the state as it is now; refused (False) where a weight is not finite."""
        leaves = list(_leaves(recipe.state_dict()))
        floats = [leaf for leaf in leaves if leaf.is_floating_point()]
        if not bool(torch.stack([norm.float() for norm in torch._foreach_norm(floats)]).isfinite().all()):
            return False
        torch._foreach_copy_(self._copies, leaves)
        self.step = step
        return True

    def put_back(self, recipe: Recipe) -> None:
        """Undo what happened since; in place, so that captured graphs stay right."""
        with torch.no_grad():
            torch._foreach_copy_(list(_leaves(recipe.state_dict())), self._copies)


class Stepper:
    """Takes one step of a recipe: in one piece or in parts, directly or as a captured CUDA graph.

    Parameters
    ----------
    recipe
        What a step is.
    parts
        In how many parts the batch is worked on; gradients are summed, so the effective batch stays.
    """

    def __init__(self, recipe: Recipe, parts: int = 1) -> None:
        self.recipe, self.parts = recipe, parts
        self._graphs: dict[Hashable, _Graph] = {}
        self._watched: tuple[Tensor, list[str], int, Any] | None = None

    def __call__(self, inputs: Inputs, index: int, rate_factor: float) -> Losses:
        """Losses by name, still on the device.

        Raises
        ------
        TrainingError
            A loss of this step (of the one before on CUDA, so that the device need not be waited for) is not finite.
        torch.OutOfMemoryError, RuntimeError
            From the device.
        """
        self.recipe.set_rates(rate_factor, index)
        variant = self.recipe.variant(index)
        mine = _share(inputs)
        if mine["labels"].is_cuda and world()[1] == 1:
            if variant not in self._graphs:
                self._graphs[variant] = _Graph(self.recipe, mine, self.parts, variant)
            losses = self._graphs[variant](mine)
        else:
            losses = self.recipe.updates(split(mine, self.parts), variant)
        self._watch(losses, index)
        return losses

    def split_further(self, most: int) -> bool:
        """Halve the part of the batch that is worked on at once; False where it cannot be halved (again)."""
        if self.parts > 1 or most < 4:
            return False
        self.parts = 2
        self._graphs.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return True

    def check(self) -> None:
        """Wait for the last step and refuse a loss that is not finite."""
        if self._watched is not None:
            values, names, step, event = self._watched
            self._watched = None
            if event is not None:
                event.synchronize()
            _refuse_infinite(values, names, step)

    def _watch(self, losses: Losses, index: int) -> None:
        values = torch.stack([value.float() for value in losses.values()])
        if not values.is_cuda:
            _refuse_infinite(values, list(losses), index + 1)
            return
        copy = torch.empty(values.shape, pin_memory=True)
        copy.copy_(values, non_blocking=True)
        event = torch.cuda.Event()
        event.record()
        self.check()  # of the step before: the device is busy with this one meanwhile
        self._watched = copy, list(losses), index + 1, event


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, or the CPU's allocator, had no memory left."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


class _Graph:
    """The updates of one variant of a step as a captured CUDA graph, with inputs and losses in fixed places."""

    def __init__(self, recipe: Recipe, inputs: Inputs, parts: int, variant: Hashable) -> None:
        self._inputs = {name: value.clone() for name, value in inputs.items()}
        divided = split(self._inputs, parts)
        before = Snapshot(recipe, 0)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                recipe.updates(divided, variant)
        torch.cuda.current_stream().wait_stream(stream)
        before.put_back(recipe)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._losses = recipe.updates(divided, variant)

    def __call__(self, inputs: Inputs) -> Losses:
        for name, value in inputs.items():
            self._inputs[name].copy_(value, non_blocking=True)
        self._graph.replay()
        return {name: value.clone() for name, value in self._losses.items()}


def _share(inputs: Inputs) -> Inputs:
    """Rows of the batch that belong to this process."""
    rank, count = world()
    if len(inputs["labels"]) % count:
        raise TrainingError(
            f"a batch of {len(inputs['labels'])} cannot be shared by {count} processes; give a multiple of {count}."
        )
    return split(inputs, count)[rank]


def _refuse_infinite(values: Tensor, names: list[str], step: int) -> None:
    finite = values.isfinite()
    if not bool(finite.all()):
        broken = ", ".join(name for name, fine in zip(names, finite.tolist()) if not fine)
        raise TrainingError(
            f"the loss {broken} is no longer finite at step {step}; the last finite state is kept, so resume from it "
            "with a smaller learning rate (--lr), a larger batch (--batch-size) or --precision float32."
        )


def _leaves(state: Any) -> Iterator[Tensor]:
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, Mapping):
        for value in state.values():
            yield from _leaves(value)
    elif isinstance(state, (list, tuple)):
        for value in state:
            yield from _leaves(value)
