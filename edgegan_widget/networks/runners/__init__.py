"""Runners: one file a way to run a model's networks for drawing, and named as the file.

The engine takes the first that fits: ``onnx`` on a CPU where the model's folder holds ``model.onnx``, PyTorch's ways
elsewhere. To add one is to add a file here that calls :func:`register`. A file is loaded when its turn comes, so where
the first fits the others are not, nor is torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.needs import needing_torch
from edgegan_widget.base.registry import Registry
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.find import Source

__all__ = [
    "AUTO", "ON_TORCH", "Drawn", "Runner", "Running", "batches", "most_threads", "names", "register", "runner_for",
]  # fmt: skip

AUTO = "auto"
ON_TORCH = {"cpu": "torch_cpu", "cuda": "cuda_graph"}  # by device: for work on many pictures, such as evaluation
Drawn = tuple[U8, U8, F32]  # pictures [N, S, S, 3 or 4], edge maps [N, s, s], latents [N, L]


class Running(Protocol):
    """Networks that are loaded and warm: arrays in, arrays out."""

    mode: str  # how they are run, in words
    device_name: str
    at_once: int  # how many pictures are best drawn together
    sizes: tuple[int, ...]  # of batches as they come, smallest first: 1, 2, 4 ...
    fills: bool  # whether a batch is filled up to one of these sizes, since more rows cost next to nothing

    def draw(self, sketch: U8, condition: F32, noise: F32) -> Drawn:
        """Of a sketch [s, s], condition [1, K] and noise [1, n]: one row of each."""
        ...

    def many(self, sketches: U8, conditions: F32, noises: F32) -> Drawn:
        """The same of N sketches [N, s, s], conditions [N, K] and noises [N, n]; rows do not depend on each other."""
        ...

    def decode(self, latents: F32, conditions: F32) -> Drawn:
        """The same of latents [N, L]."""
        ...

    def approach(self, sketch: U8, condition: F32, latents: F32, closeness: float) -> Iterator[F32]:
        """Latents [N, L] on their way to the sketch's lines, see :func:`edgegan_widget.networks.closeness.approach`."""
        ...


@dataclass(frozen=True)
class Runner:
    """A way to run networks.

    Attributes
    ----------
    name
        As it is asked for.
    needs
        What it runs on, in words.
    fits
        Whether it can run this model on this device, ``cpu`` or ``cuda``.
    make
        Loads it.
    """

    name: str
    needs: str
    fits: Callable[[Source, str], bool]
    make: Callable[[Source, str], Running]


REGISTRY: Registry[Runner] = Registry(__name__, order=("onnx",))
register = REGISTRY.register


def batches(running: Running, count: int) -> list[tuple[int, int]]:
    """So many pictures as batches of the sizes that the runner draws: how many there are in each, and its size."""
    largest = running.sizes[-1]
    found = []
    while count:
        if running.fills and count < largest:
            size = next(size for size in running.sizes if size >= count)
        else:
            size = max(size for size in running.sizes if size <= count)
        found.append((min(count, size), size))
        count -= found[-1][0]
    return found


def most_threads() -> int:
    """How many threads a picture may take: one a core, or fewer where ``OMP_NUM_THREADS`` says so."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    cores = os.cpu_count() or 1
    return max(1, min(cores, int(asked))) if asked.isdecimal() else cores


def names() -> tuple[str, ...]:
    """What may be asked for: ``auto``, and all runners by name."""
    return (AUTO, *sorted({*REGISTRY.modules(), *REGISTRY.items}))


def runner_for(source: Source, device: str, name: str = AUTO) -> Runner:
    """The runner of this name, or with ``auto`` the first that fits the model and the device.

    Raises
    ------
    ConfigError
        There is none of that name, or it cannot run this model on this device.
    DependencyError
        It needs PyTorch, which is not installed.
    """
    if name not in names():
        raise ConfigError(f"the runner is {name!r}; choose one of {', '.join(names())}.")
    with needing_torch(f"drawing with {_spoken(source)}"):
        for runner in REGISTRY.one_by_one(None if name == AUTO else name):
            if runner.fits(source, device):
                return runner
            if name != AUTO:
                raise ConfigError(
                    f"the runner {name!r} does not run on {device}; choose one of {', '.join(names())} "
                    f"({name} needs {runner.needs})."
                )
    raise ConfigError(f"no runner draws on {device}; choose the device 'cpu'.")


def _spoken(source: Source) -> str:
    return "networks in memory" if source.place is None else f"{source.place}, which holds no model.onnx,"
