"""How the networks are run for drawing: one captured graph on CUDA; on a CPU whichever way is quickest there."""

from __future__ import annotations

import contextlib
import copy
import os
import time
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from edgegan_widget.networks.devices import channels_last
from edgegan_widget.networks.paper import PaperEdgeGAN
from edgegan_widget.networks.runners.fused import fused
from edgegan_widget.networks.store import Networks

__all__ = ["CudaGraph", "Draw", "Drawer", "cpu_candidates", "fastest_on_cpu"]

Draw = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]

_WARM_UP_CALLS = 3
_MEASURED_CALLS = 9
_SLOW_SECONDS = 0.02  # up to here a picture keeps up with the pen on one thread
_CLEARLY_QUICKER = 0.8


class Drawer(nn.Module):
    """uint8 sketch [s, s], condition [1, K], noise [1, n] -> uint8 picture [S, S, 3] and edge map [s, s], z [L].

    A picture with alpha has it as its fourth channel.

    ``many`` does the same with N of each; rows do not depend on each other.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = fused(networks)
        if isinstance(self.networks, PaperEdgeGAN):
            self.networks.draw_each_alone()
        self.edge_channels = networks.config.edge_channels

    def forward(self, sketch_u8: Tensor, condition: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image, edge, latent = self.many(sketch_u8[None], condition, noise)
        return image[0], edge[0], latent[0]

    def many(self, sketches_u8: Tensor, conditions: Tensor, noises: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        sketches = (sketches_u8[:, None].to(conditions.dtype) / 127.5 - 1).expand(-1, self.edge_channels, -1, -1)
        latents = self.networks.encode(sketches, conditions, noises)
        edges, images = self.networks.decode(latents, conditions)
        return _pixels(images.permute(0, 2, 3, 1)), _pixels(edges.mean(dim=1)), latents.float()


def _pixels(values: Tensor) -> Tensor:
    return ((values.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).contiguous()


class CudaGraph:
    """E, G_E and G_I in half precision as one captured graph; sketch and pixels pass through pinned memory.

    Everything is allocated once. A call copies 4 KB up, replays, and copies the pixels down.
    """

    def __init__(self, module: Drawer, example: tuple[Tensor, Tensor, Tensor]) -> None:
        device = example[1].device
        self._module = channels_last(module.half())
        self._upload = torch.empty_like(example[0]).pin_memory()
        self._inputs = (example[0].to(device), example[1].half(), example[2].half())
        self._stream = torch.cuda.Stream(device)
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            for _ in range(_WARM_UP_CALLS):
                self._module(*self._inputs)
            self._stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream):
                self._outputs = self._module(*self._inputs)
            self._downloads = tuple(torch.empty(out.shape, dtype=out.dtype, pin_memory=True) for out in self._outputs)

    def __call__(self, sketch_u8: Tensor, condition: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self._upload.copy_(sketch_u8)
        self._stream.wait_stream(torch.cuda.current_stream())  # condition and noise were made there
        with torch.cuda.stream(self._stream):
            self._inputs[0].copy_(self._upload, non_blocking=True)
            self._inputs[1].copy_(condition, non_blocking=True)
            self._inputs[2].copy_(noise, non_blocking=True)
            self._graph.replay()
            for download, output in zip(self._downloads, self._outputs):
                download.copy_(output, non_blocking=True)
            self._stream.synchronize()
        image, edge, latent = (download.clone() for download in self._downloads)
        return image, edge, latent


def fastest_on_cpu(module: Drawer, example: tuple[Tensor, Tensor, Tensor]) -> tuple[Draw, str]:
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


def _quickest(ways: list[tuple[str, Draw]], example: tuple[Tensor, Tensor, Tensor]) -> tuple[str, Draw, float]:
    """Name, way and seconds of the one with the lowest 95th percentile."""
    timed = [(name, draw, _high_percentile(draw, example)) for name, draw in ways]
    return min(timed, key=lambda way: way[2])


def cpu_candidates(module: Drawer, example: tuple[Tensor, Tensor, Tensor]) -> Iterator[tuple[str, Draw]]:
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
def _high_percentile(draw: Draw, example: tuple[Tensor, Tensor, Tensor]) -> float:
    for _ in range(_WARM_UP_CALLS):
        draw(*example)
    seconds = []
    for _ in range(_MEASURED_CALLS):
        began = time.perf_counter()
        draw(*example)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[-2]  # the second slowest of nine
