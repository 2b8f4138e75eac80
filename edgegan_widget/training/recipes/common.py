"""What all recipes share: their inputs, the way parameters are moved, and the running mean."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from edgegan_widget.base.errors import DataError, TrainingError
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.distributed import mean_over_processes
from edgegan_widget.networks.store import Networks
from edgegan_widget.training.config import TrainConfig
from edgegan_widget.training.dataset import Batch, PairDataset, load_data
from edgegan_widget.training.recipes.optimizers import load_optimizer

__all__ = [
    "Inputs", "Losses", "Part", "Recipe", "RunningMean", "load_pictures", "move", "put_back", "split", "state_of",
]  # fmt: skip

log = logging.getLogger(__name__)

# Everything a step reads: tensors whose first axis is the picture, and single numbers that belong to all pictures.
Inputs = Mapping[str, Tensor]
Losses = dict[str, Tensor]
Part = nn.Module | torch.optim.Optimizer  # of a training state
Item = TypeVar("Item")
Network = TypeVar("Network", bound=nn.Module)


class Recipe(Protocol):
    """Networks with their optimizers, and the updates of one step.

    ``inputs`` holds all the chance in a step and may use the CPU; ``updates`` is a fixed sequence of device work, so
    that it can be captured as a CUDA graph, for each ``variant`` of a step one.
    """

    model: ModelConfig
    networks: Networks

    @property
    def critics(self) -> nn.Module: ...

    def adopt(self, networks: Mapping[str, Tensor], critics: Mapping[str, Tensor] | None) -> None: ...

    def inputs(self, data: PairDataset, index: int) -> Inputs: ...

    def variant(self, index: int) -> Hashable: ...

    def updates(self, parts: Sequence[Inputs], variant: Any) -> Losses: ...

    def set_rates(self, factor: float, index: int) -> None: ...

    def score(self, batch: Batch, edges: Tensor, images: Tensor) -> float:
        """How far what was drawn is from what is real; the checkpoint with the least is kept as the best."""

    def before_saving(self, data: PairDataset) -> None:
        """Take from the data what the model keeps of it."""

    def drawing_networks(self) -> Networks: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


def load_pictures(config: TrainConfig, alpha: bool = False) -> tuple[PairDataset, PairDataset]:
    """The training pictures, and those of the validation split, or where there is none the same.

    Raises
    ------
    DataError
        The data cannot be used.
    TrainingError
        It is too small for a batch.
    """

    def split_of(name: str, classes: Sequence[str] | None, sources: Sequence[str] = ()) -> PairDataset:
        return load_data(config.data, name, config.size_px, classes, sources, config.sketch_px, alpha)

    pictures = split_of("train", config.classes or None, config.edge_sources)
    try:
        shown = split_of("val", pictures.classes)
    except DataError as error:
        log.info("no validation pictures, so samples show training pictures: %s", error)
        shown = pictures
    if len(pictures) < config.batch_size:
        raise TrainingError(
            f"{config.data} has {len(pictures)} training pictures, fewer than one batch of {config.batch_size}; "
            "add pictures or give a smaller --batch-size."
        )
    return pictures, shown


def split(inputs: Inputs, count: int) -> list[Inputs]:
    """The inputs of ``count`` equal parts of the batch; each tensor is cut into as many parts, however long it is."""
    if count == 1:
        return [inputs]
    return [
        {name: _part(value, number, count) if value.dim() else value for name, value in inputs.items()}
        for number in range(count)
    ]


def _part(value: Tensor, number: int, count: int) -> Tensor:
    size = len(value)
    return value[number * size // count : (number + 1) * size // count]


def move(
    optimizers: Sequence[torch.optim.Optimizer], losses_of: Callable[[Item], Losses], parts: Sequence[Item]
) -> Losses:
    """One step of the optimizers down the sum of the named losses, averaged over parts of the batch and processes.

    The losses of one part are computed after the other's, so that only one part's graph is in memory at a time.
    """
    parameters = [
        parameter
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.requires_grad
    ]
    told: list[Losses] = []
    gradients: list[Tensor] = []
    for part in parts:
        named = losses_of(part)
        total = torch.stack([value.float() if value.dtype == torch.bfloat16 else value for value in named.values()])
        found = torch.autograd.grad(total.sum(), parameters)
        gradients = list(torch._foreach_add(gradients, found)) if gradients else list(found)
        told.append({name: value.detach() for name, value in named.items()})
    if len(told) > 1:
        torch._foreach_div_(gradients, float(len(told)))
    mean_over_processes(gradients)
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return {name: torch.stack([each[name] for each in told]).mean() for name in told[0]}


def state_of(parts: Mapping[str, Part]) -> dict[str, Any]:
    """The states of networks and optimizers by name."""
    return {name: part.state_dict() for name, part in parts.items()}


def put_back(parts: Mapping[str, Part], state: Mapping[str, Any]) -> None:
    """Load what :func:`state_of` gave, also where it was saved on another kind of device."""
    for name, part in parts.items():
        if isinstance(part, nn.Module):
            part.load_state_dict(state[name])
        else:
            load_optimizer(part, state[name])


class RunningMean(Generic[Network]):
    """Exponential mean of a network's weights, which draws better than the latest ones (Yazici et al., ICLR 2019).

    Its horizon grows with the run, so that early pictures do not show the initial weights. torch's ``AveragedModel``
    asks the device for its counter at every step; this one is told the step and asks nothing.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.module: Network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        self._amount = torch.zeros((), device=next(network.parameters()).device)

    def prepare(self, index: int) -> None:
        """Set what the next :meth:`update` takes over, from the step's number."""
        self._amount.fill_(1 - min(self.decay, (1 + index) / (10 + index)))

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Take a share of the latest weights over."""
        mine, theirs = (list(each.state_dict().values()) for each in (self.module, network))
        numbers = [place for place, value in enumerate(mine) if value.is_floating_point()]
        averaged = [mine[place] for place in numbers]
        ways = torch._foreach_sub([theirs[place] for place in numbers], averaged)
        torch._foreach_mul_(ways, self._amount)
        torch._foreach_add_(averaged, ways)
        for place, value in enumerate(mine):
            if not value.is_floating_point():  # batch norm's counters
                value.copy_(theirs[place])
