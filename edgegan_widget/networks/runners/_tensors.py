"""Networks on PyTorch behind arrays: what all of its runners share, whichever way they draw one picture."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.units import F32, U8
from edgegan_widget.networks.closeness import approach_lines
from edgegan_widget.networks.devices import channels_last, describe_device
from edgegan_widget.networks.find import Source
from edgegan_widget.networks.fused import Drawer
from edgegan_widget.networks.runners import Drawn, Runner
from edgegan_widget.networks.store import load_model

__all__ = ["Draw", "DrawMany", "Example", "Make", "MakeMany", "TorchNetworks", "torch_runner"]

Example = tuple[Tensor, Tensor, Tensor]  # sketch uint8 [s, s], condition [1, K], noise [1, n]
Draw = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]  # picture, edge map, latent
Make = Callable[[Drawer, Example], tuple[Draw, str]]  # networks on their device -> what draws, and in words how
DrawMany = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]  # the same with N of each, on the device
MakeMany = Callable[[Drawer], DrawMany]


def torch_runner(name: str, device: str, needs: str, make: Make, make_many: MakeMany | None = None) -> Runner:
    """A runner that draws on this device: single pictures as ``make`` has it, several together as ``make_many``."""
    return Runner(
        name,
        needs,
        lambda _, asked: asked == device,
        lambda source, _: TorchNetworks(source, device, make, make_many or (lambda module: module.many)),
    )


class TorchNetworks:
    """A model's networks on a device of PyTorch's; see :class:`edgegan_widget.networks.runners.Running`."""

    at_once = 32  # twice as many are no quicker

    def __init__(self, source: Source, device: str, make: Make, make_many: MakeMany) -> None:
        networks = source.networks
        if networks is None:
            if source.place is None:
                raise ModelError("there are neither networks nor a folder to load them from.")
            networks = load_model(source.place)
        self._device, config, self._make_many = torch.device(device), networks.config, make_many
        self.fills = device == "cuda"
        self.sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64) if self.fills else (1, 2, 4, 8, 16, 32)
        self.device_name = describe_device(self._device)
        self._module = Drawer(networks).eval().requires_grad_(False).to(self._device)
        sketch = torch.full((config.sketch_px,) * 2, 255, dtype=torch.uint8)
        condition, noise = torch.zeros(1, config.condition_size), torch.zeros(1, config.noise_size)
        self._draw, self.mode = make(self._module, (sketch, condition.to(self._device), noise.to(self._device)))

    @torch.inference_mode()
    def draw(self, sketch: U8, condition: F32, noise: F32) -> Drawn:
        given = (torch.from_numpy(one).to(self._device) for one in (condition, noise))
        picture, edge, latent = self._draw(torch.from_numpy(np.ascontiguousarray(sketch)), *given)
        return picture[None].numpy(), edge[None].numpy(), latent[None].numpy()

    @torch.inference_mode()
    def many(self, sketches: U8, conditions: F32, noises: F32) -> Drawn:
        floats = next(self._module.parameters()).dtype  # half on CUDA
        upload = torch.from_numpy(sketches).to(self._device)
        given = (torch.from_numpy(one).to(self._device, floats) for one in (conditions, noises))
        return _arrays(self._many(upload, *given))

    @torch.inference_mode()
    def decode(self, latents: F32, conditions: F32) -> Drawn:
        given = (torch.from_numpy(one).to(self._device) for one in (latents, conditions))
        return _arrays(self._exact.decode(*given))

    def approach(self, sketch: U8, condition: F32, latents: F32, closeness: float) -> Iterator[F32]:
        yield from approach_lines(self._exact.networks, sketch, condition, latents, closeness)

    @functools.cached_property
    def _many(self) -> DrawMany:
        """For many at once, laid out for it; a copy, since the way that is quickest for one may share the weights."""
        return self._make_many(channels_last(copy.deepcopy(self._module)))

    @functools.cached_property
    def _exact(self) -> Drawer:
        """In float32, for gradients and for pictures of latents; on a CPU it shares its weights."""
        exact = next(self._module.parameters()).dtype == torch.float32
        return self._module if exact else copy.deepcopy(self._module).float()


def _arrays(parts: Sequence[Tensor]) -> Drawn:
    pictures, edges, latents = (part.cpu().numpy() for part in parts)
    return pictures, edges, latents
