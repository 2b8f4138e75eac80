"""Optimizers whose learning rate can be a tensor, so that a captured CUDA graph sees it change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

__all__ = ["TensorFlowRMSProp", "adam", "load_optimizer", "set_rate"]


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


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Change the learning rate in place."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Put a saved state back, also one that was saved on another kind of device."""
    kinds = [(group["lr"], group.get("capturable")) for group in optimizer.param_groups]
    optimizer.load_state_dict(dict(state))
    for group, (lr, capturable) in zip(optimizer.param_groups, kinds):
        group["lr"] = lr.fill_(float(group["lr"])) if isinstance(lr, torch.Tensor) else float(group["lr"])
        if capturable is not None:
            group["capturable"] = capturable


def _rate(lr: float, parameters: list[nn.Parameter]) -> float | torch.Tensor:
    devices = {parameter.device for parameter in parameters if parameter.is_cuda}
    return torch.tensor(lr, device=devices.pop()) if devices else lr
