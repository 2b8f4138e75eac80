"""What all recipes are made of: their state, their inputs, the way parameters are moved, and the running mean.

Optimizers' learning rates can be tensors, so that a captured CUDA graph sees them change.
"""

from __future__ import annotations

import copy
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from edgegan_widget.base.errors import DataError, TrainingError
from edgegan_widget.base.layout import class_folders, spare_splits, split_folder, split_folders, unused_splits
from edgegan_widget.base.settings import least_of
from edgegan_widget.base.strays import strays, unread_lists
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.devices import autocast, channels_last
from edgegan_widget.networks.distributed import mean_over_processes
from edgegan_widget.networks.store import Networks
from edgegan_widget.training.dataset import Batch, PairDataset, load_data
from edgegan_widget.training.recipes.swd import sliced_wasserstein

if TYPE_CHECKING:
    from edgegan_widget.training.config import TrainConfig

__all__ = [
    "BaseRecipe", "Inputs", "Losses", "Recipe", "RunningMean", "TensorFlowRMSProp", "adam", "load_optimizer",
    "load_pictures", "move", "split",
]  # fmt: skip

log = logging.getLogger(__name__)

# Everything a step reads: tensors whose first axis is the picture, and single numbers that belong to all pictures.
Inputs = Mapping[str, Tensor]
Losses = dict[str, Tensor]
Parts = Mapping[str, Any]  # of a training state: networks and optimizers by name, and mappings of such
Item = TypeVar("Item")
Network = TypeVar("Network", bound=nn.Module)
Drawing = TypeVar("Drawing", bound=Networks)
Critics = TypeVar("Critics", bound=nn.Module)


class BaseRecipe(ABC, Generic[Drawing, Critics]):
    """One training state: networks with their optimizers, critics and running mean, and the updates of one step.

    ``inputs`` holds all the chance in a step and may use the CPU; ``updates`` is a fixed sequence of device work, so
    that it can be captured as a CUDA graph, for each ``variant`` of a step one.

    Attributes
    ----------
    optimizers
        By name; those that are named in ``makers`` learn at the generators' rate, the others at the discriminators'.
    averaged
        The running mean of ``networks``; None where none is wanted.
    """

    makers: tuple[str, ...] = ("optimizer_makers",)
    gain_on_cpu = True  # whether the networks are quicker laid out channels last on a CPU too
    optimizers: dict[str, torch.optim.Optimizer]

    def __init__(self, model: ModelConfig, config: TrainConfig, device: torch.device) -> None:
        self.model, self.config, self.device = model, config, device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            networks, critics = self._make()
        self.networks: Drawing = self._laid_out(networks)
        self.critics: Critics = self._laid_out(critics)
        self.averaged = RunningMean(self.networks, config.ema_decay) if config.ema_decay else None
        self.autocast = autocast(config.precision, device)

    @abstractmethod
    def _make(self) -> tuple[Drawing, Critics]:
        """Fresh networks and critics."""

    @abstractmethod
    def inputs(self, data: PairDataset, index: int) -> Inputs:
        """What step ``index`` reads, on the device."""

    @abstractmethod
    def updates(self, parts: Sequence[Inputs], variant: Any) -> Losses:
        """Move the weights by one batch, which is given in one or more parts."""

    def adopt(self, networks: Mapping[str, Tensor], critics: Mapping[str, Tensor] | None) -> None:
        """Start from these weights; without critics, fresh ones stay."""
        self.networks.load_state_dict(networks)
        self.drawing_networks().load_state_dict(networks)
        if critics is not None:
            self.critics.load_state_dict(critics)

    def variant(self, index: int) -> Hashable:
        """What kind of step this is; ``critics`` while only the discriminators learn, then what the run trains."""
        return "critics" if index < self.config.critic_warmup_steps else self.config.trains

    def rate(self, optimizer: str) -> float:
        """The learning rate that an optimizer begins with."""
        return self.config.lr_generator if optimizer in self.makers else self.config.lr_discriminator

    def set_rates(self, factor: float, index: int) -> None:
        """Scale all rates for step ``index``."""
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = _with_rate(group["lr"], self.rate(name) * factor)
        if self.averaged is not None:
            self.averaged.prepare(index)

    def score(self, batch: Batch, edges: Tensor, images: Tensor) -> float:  # noqa: ARG002
        """How far what was drawn is from what is real; the checkpoint with the least is kept as the best.

        Sliced Wasserstein distance between photos and what is drawn from their edge maps.
        """
        return sliced_wasserstein(batch.images, images)

    def class_logits(self, images: Tensor) -> Tensor | None:  # noqa: ARG002
        """What the discriminators' classifier takes pictures [N, 3 or 4, S, S] for, [N, classes]; None without one."""
        return None

    def before_saving(self, data: PairDataset) -> None:
        """Take from the data what the model keeps of it."""

    def drawing_networks(self) -> Drawing:
        """The running mean of the weights, which draws better than the latest ones, or these where none is kept."""
        return self.networks if self.averaged is None else self.averaged.module

    def parts(self) -> Parts:
        """Everything that the next step depends on."""
        kept = {} if self.averaged is None else {"averaged": self.averaged.module}
        return {"networks": self.networks, "critics": self.critics, **kept, **self.optimizers}

    def state_dict(self) -> dict[str, Any]:
        """The states of all parts by name."""
        return _state_of(self.parts())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load what :meth:`state_dict` gave, also where it was saved on another kind of device."""
        _put_back(self.parts(), state)

    def _laid_out(self, module: Network) -> Network:
        module = module.to(self.device)
        return channels_last(module) if self.gain_on_cpu or self.device.type == "cuda" else module


Recipe = BaseRecipe[Any, Any]


def _state_of(parts: Parts) -> dict[str, Any]:
    return {name: _state_of(part) if isinstance(part, Mapping) else part.state_dict() for name, part in parts.items()}


def _put_back(parts: Parts, state: Mapping[str, Any]) -> None:
    for name, part in parts.items():
        if isinstance(part, Mapping):
            _put_back(part, state[name])
        elif isinstance(part, nn.Module):
            part.load_state_dict(state[name])
        else:
            load_optimizer(part, state[name])


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
        return load_data(
            config.data, name, config.size_px, classes, sources, config.sketch_px, alpha, config.pair_order,
            partly=name == "val",
        )  # fmt: skip

    for sentence in _untaken(Path(config.data)):
        log.warning(sentence)
    shown_in = split_folder(Path(config.data), "val")
    if shown_in.name.lower().startswith("test"):
        log.warning("%s serves as the validation split, since there is no val", shown_in)
    pictures = split_of("train", config.classes or None, config.edge_sources)
    try:
        shown = split_of("val", pictures.classes)
        if both := _in_both(pictures, shown):
            log.warning("%s of the %s validation pictures are trained on too; the score is too good", both, len(shown))
    except DataError as error:
        log.warning("no validation pictures, so samples, score and best checkpoint are of training pictures: %s", error)
        shown = pictures
    count, least = len(pictures), least_of(type(config), "batch_size")
    if count < config.batch_size:
        smaller = f" or give --batch-size {count} or less" if count >= least else f"; {least} are the least"
        raise TrainingError(
            f"{config.data} has {count} training pictures, fewer than one batch of {config.batch_size}; add pictures"
            f"{smaller}."
        )
    return pictures, shown


def _in_both(pictures: PairDataset, shown: PairDataset) -> int:
    """How many pictures of a split are in the other one too, pixel by pixel."""
    known = {hash(image.numpy().tobytes()) for image in pictures.images_u8}
    return sum(hash(image.numpy().tobytes()) in known for image in shown.images_u8)


def _untaken(data: Path) -> Iterator[str]:
    """Sentences about the pictures of a data folder that are in no class of its splits."""
    if not data.is_dir():
        return
    yield from unused_splits(data)
    yield from unread_lists(data)
    classes = (entry for top in split_folders(data).values() for entry in class_folders(top))
    yield from strays(data, [*spare_splits(data), *classes])


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


class TensorFlowRMSProp(torch.optim.Optimizer):
    """RMSProp as TensorFlow 1 has it (Tieleman and Hinton 2012): p -= rate * g / sqrt(mean square + epsilon).

    The mean square starts at one and epsilon lies inside the root; torch's own starts at zero with epsilon outside,
    and its first steps are 4 to 26 times longer.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, decay: float = 0.9, epsilon: float = 1e-10
    ) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay, "epsilon": epsilon})
        for group in self.param_groups:
            group["lr"] = _rate(lr, group["params"])
            for parameter in group["params"]:
                self.state[parameter]["mean_square"] = torch.ones_like(parameter)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not moved:
                continue
            gradients = [parameter.grad for parameter in moved]
            means = [self.state[parameter]["mean_square"] for parameter in moved]
            torch._foreach_mul_(means, group["decay"])
            torch._foreach_addcmul_(means, gradients, gradients, value=1 - group["decay"])
            moves = torch._foreach_add(means, group["epsilon"])
            torch._foreach_sqrt_(moves)
            torch._foreach_reciprocal_(moves)
            torch._foreach_mul_(moves, gradients)
            torch._foreach_mul_(moves, group["lr"])
            torch._foreach_sub_(moved, moves)


def adam(parameters: Iterable[nn.Parameter], lr: float, betas: tuple[float, float]) -> torch.optim.Adam:
    """Adam (Kingma and Ba, ICLR 2015) whose state exists from the start, so that it can be saved and put back."""
    listed = list(parameters)
    on_gpu = any(parameter.is_cuda for parameter in listed)
    optimizer = torch.optim.Adam(listed, lr=_rate(lr, listed), betas=betas, capturable=on_gpu, foreach=True)
    for parameter in listed:
        optimizer.state[parameter] = {
            "step": torch.zeros((), device=parameter.device if on_gpu else "cpu"),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimizer


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Put a saved state back, also one that was saved on another kind of device."""
    kinds = [(group["lr"], group.get("capturable")) for group in optimizer.param_groups]
    optimizer.load_state_dict(dict(state))
    for group, (lr, capturable) in zip(optimizer.param_groups, kinds):
        group["lr"] = _with_rate(lr, float(group["lr"]))
        if capturable is not None:
            group["capturable"] = capturable


def _with_rate(lr: float | Tensor, value: float) -> float | Tensor:
    """A rate with another value; a tensor stays the same one."""
    return lr.fill_(value) if isinstance(lr, Tensor) else value


def _rate(lr: float, parameters: list[nn.Parameter]) -> float | Tensor:
    devices = {parameter.device for parameter in parameters if parameter.is_cuda}
    return torch.tensor(lr, device=devices.pop()) if devices else lr
