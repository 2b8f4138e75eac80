"""``cuda_graph``: the networks in half precision as captured graphs on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan_widget.networks.devices import channels_last
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.runners import register
from edgegan_widget.networks.runners._tensors import Draw, Example, torch_runner

__all__ = ["CudaGraph", "ManyGraphs"]

_WARM_UP_CALLS = 3


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


class ManyGraphs:
    """The same of many at once: a captured graph for each size of batch, made when it is first asked for."""

    def __init__(self, module: Drawer) -> None:
        self._module = module
        self._graphs: dict[int, _Captured] = {}

    def __call__(self, sketches_u8: Tensor, conditions: Tensor, noises: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = len(sketches_u8)
        if count not in self._graphs:
            self._graphs[count] = _Captured(self._module, (sketches_u8, conditions, noises))
        return self._graphs[count](sketches_u8, conditions, noises)


class _Captured:
    """``many`` of one size; what it gives is overwritten by its next call."""

    def __init__(self, module: Drawer, example: tuple[Tensor, Tensor, Tensor]) -> None:
        self._inputs = tuple(one.clone() for one in example)
        stream = torch.cuda.Stream(example[0].device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.inference_mode(), torch.cuda.stream(stream):
            for _ in range(_WARM_UP_CALLS):
                module.many(*self._inputs)
            stream.synchronize()
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=stream):
                self._outputs = module.many(*self._inputs)

    def __call__(self, *given: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for place, one in zip(self._inputs, given):
            place.copy_(one)
        self._graph.replay()
        return self._outputs


def _make(module: Drawer, example: Example) -> tuple[Draw, str]:
    return CudaGraph(module, example), "captured CUDA graph"


register(torch_runner("cuda_graph", "cuda", "an NVIDIA GPU", _make, ManyGraphs))
