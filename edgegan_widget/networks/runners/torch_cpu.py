"""``torch_cpu``: on a CPU whichever of torch's ways is quickest there, on one thread or all."""

from __future__ import annotations

import contextlib
import copy
import os
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from edgegan_widget.networks.devices import channels_last
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.runners import Runner, register

if TYPE_CHECKING:
    from edgegan_widget.networks.runners import Draw, Example

__all__ = ["cpu_candidates", "fastest_on_cpu"]

_WARM_UP_CALLS = 3
_MEASURED_CALLS = 9
_SLOW_SECONDS = 0.02  # up to here a picture keeps up with the pen on one thread
_CLEARLY_QUICKER = 0.8


def fastest_on_cpu(module: Drawer, example: Example) -> tuple[Draw, str]:
    """Eager, channels-last or traced, on one thread or all: whichever is quickest here and now.

    Compiling (torch.compile) is not among them: it takes longer than a page may take to open. More threads are tried
    only where one is slow: a second thread takes the core that the browser and the page's server need, and under such
    contention two threads are several times slower than one.
    """
    candidates = list(cpu_candidates(module, example))
    name, draw, seconds = _quickest([(name, _with_threads(draw, 1)) for name, draw in candidates], example)
    cores = os.cpu_count() or 1
    if seconds > _SLOW_SECONDS and cores > 1:
        on_all = _quickest([(name, _with_threads(draw, cores)) for name, draw in candidates], example)
        if on_all[2] < _CLEARLY_QUICKER * seconds:
            return on_all[1], f"{on_all[0]}, {cores} threads"
    return draw, f"{name}, 1 thread"


def _quickest(ways: list[tuple[str, Draw]], example: Example) -> tuple[str, Draw, float]:
    """Name, way and seconds of the one with the lowest 95th percentile."""
    timed = [(name, draw, _high_percentile(draw, example)) for name, draw in ways]
    return min(timed, key=lambda way: way[2])


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
        before = torch.get_num_threads()
        if before == count:
            return draw(*inputs)
        torch.set_num_threads(count)
        try:
            return draw(*inputs)
        finally:
            torch.set_num_threads(before)

    return limited


@torch.inference_mode()
def _high_percentile(draw: Draw, example: Example) -> float:
    for _ in range(_WARM_UP_CALLS):
        draw(*example)
    seconds = []
    for _ in range(_MEASURED_CALLS):
        began = time.perf_counter()
        draw(*example)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[-2]  # the second slowest of nine


register(Runner("torch_cpu", lambda device: device.type == "cpu", fastest_on_cpu))
