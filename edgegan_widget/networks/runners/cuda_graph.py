"""``cuda_graph``: the networks in half precision as one captured graph on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor

from edgegan_widget.networks.devices import channels_last
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.runners import register
from edgegan_widget.networks.runners._tensors import Draw, Example, torch_runner

__all__ = ["CudaGraph"]

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


def _make(module: Drawer, example: Example) -> tuple[Draw, str]:
    return CudaGraph(module, example), "captured CUDA graph"


register(torch_runner("cuda_graph", "cuda", "an NVIDIA GPU", _make))
