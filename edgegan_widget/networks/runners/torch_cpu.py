"""``torch_cpu``: on a CPU whichever of torch's ways is quickest there, on one thread or all."""

from __future__ import annotations

import contextlib
import copy
import time
import warnings
from collections.abc import Iterator

import torch
from torch import Tensor

from edgegan_widget.networks.devices import channels_last, threads
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.runners import most_threads, register
from edgegan_widget.networks.runners._tensors import Draw, Example, torch_runner

__all__ = ["cpu_candidates", "fastest_on_cpu"]

_WARM_UP_CALLS = 3
_MEASURED_CALLS = 9
_LONGEST_SECONDS = 1.0  # that one way is measured, its last call excepted
_SLOW_SECONDS = 0.02  # up to here a picture keeps up with the pen on one thread
_CLEARLY_QUICKER = 0.8


def fastest_on_cpu(module: Drawer, example: Example) -> tuple[Draw, str]:
    """Eager, channels-last or traced, on one thread or all: whichever is quickest here and now.

    Compiling (torch.compile) is not among them: it takes longer than a page may take to open. More threads are tried
    only where one is slow at its best: a second thread takes the core that the browser and the page's server need, and
    beside other work, which makes one thread slow now and then, two are slower still, up to seconds a picture.
    """
    candidates = list(cpu_candidates(module, example))
    name, draw, seconds = _quickest([(name, _with_threads(draw, 1)) for name, draw in candidates], example)
    cores = most_threads()
    if seconds[0] > _SLOW_SECONDS and cores > 1:
        on_all = _quickest([(name, _with_threads(draw, cores)) for name, draw in candidates], example)
        if _high(on_all[2]) < _CLEARLY_QUICKER * _high(seconds):
            return on_all[1], f"{on_all[0]}, {cores} threads"
    return draw, f"{name}, 1 thread"


def _quickest(ways: list[tuple[str, Draw]], example: Example) -> tuple[str, Draw, list[float]]:
    """Name, way and sorted seconds of the one with the lowest 95th percentile."""
    timed = [(name, draw, _measured(draw, example)) for name, draw in ways]
    return min(timed, key=lambda way: _high(way[2]))


def cpu_candidates(module: Drawer, example: Example) -> Iterator[tuple[str, Draw]]:
    """Ways to run on a CPU that all give the same, by name."""
    for arranged, suffix in ((module, ""), (channels_last(copy.deepcopy(module)), ", channels last")):
        yield f"eager{suffix}", arranged
        with contextlib.suppress(RuntimeError), torch.inference_mode(), warnings.catch_warnings():
            # Shapes are checked in Python while tracing; they are the same at every call.
            warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
            traced = torch.jit.freeze(torch.jit.trace(arranged, example, check_trace=False))
            yield f"traced{suffix}", traced


def _with_threads(draw: Draw, count: int) -> Draw:
    """``draw`` on ``count`` threads, leaving the process's own setting as it was."""

    def limited(*inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with threads(count):
            return draw(*inputs)

    return limited


@torch.inference_mode()
def _measured(draw: Draw, example: Example) -> list[float]:
    """Seconds of some calls, the quickest first; fewer of a way that takes long, since somebody waits."""
    seconds: list[float] = []
    for _ in range(_WARM_UP_CALLS + _MEASURED_CALLS):
        began = time.perf_counter()
        draw(*example)
        seconds.append(time.perf_counter() - began)
        if sum(seconds) > _LONGEST_SECONDS:
            break
    return sorted(seconds[min(_WARM_UP_CALLS, len(seconds) - 1) :])


def _high(seconds: list[float]) -> float:
    return seconds[max(0, len(seconds) - 2)]  # the second slowest of nine


register(torch_runner("torch_cpu", "cpu", "a CPU", fastest_on_cpu))
