"""Runners: one file a way to run a model's networks for drawing, and named as the file.

The engine takes the first that fits. To add one is to add a file here that calls :func:`register`. Listing their names
loads none of them, nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from edgegan_widget.networks.fused import Drawer

    Example = tuple[Tensor, Tensor, Tensor]  # sketch uint8 [s, s], condition [1, K], noise [1, n]
    Draw = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]  # picture, edge map, latent

__all__ = ["AUTO", "Runner", "names", "register", "runner_for"]

AUTO = "auto"


@dataclass(frozen=True)
class Runner:
    """A way to run networks.

    Attributes
    ----------
    name
        As it is asked for.
    fits
        Whether it can run on this device.
    make
        Networks on their device and an example of what they are given -> what draws, and in words how.
    """

    name: str
    fits: Callable[[torch.device], bool]
    make: Callable[[Drawer, Example], tuple[Draw, str]]


REGISTRY: Registry[Runner] = Registry(__name__)
register = REGISTRY.register


def names() -> tuple[str, ...]:
    """What may be asked for: ``auto``, and all runners by name."""
    return (AUTO, *sorted({*REGISTRY.modules(), *REGISTRY.items}))


def runner_for(device: torch.device, name: str = AUTO) -> Runner:
    """The runner of this name, or with ``auto`` the first that fits the device.

    Raises
    ------
    ConfigError
        There is none of that name, or it cannot run on this device.
    """
    fitting = [runner for runner in REGISTRY.known().values() if runner.fits(device) and name in (AUTO, runner.name)]
    if not fitting:
        raise ConfigError(f"the runner {name!r} does not run on {device.type}; choose one of {', '.join(names())}.")
    return fitting[0]
