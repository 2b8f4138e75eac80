"""Networks made ready to draw: what training moves and drawing does not is worked out once.

Batch norm's statistics are constants then. The compact networks take them into their convolutions. In the modulated
ones scale and shift of every batch norm depend on class and style, so they are taken into the linear maps that read
these: all of a network are one matrix product, and kernels of transposed convolutions are laid out beforehand.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.units import to_u8
from edgegan_widget.networks.architectures.compact import fuse_norms
from edgegan_widget.networks.architectures.modulated import Encoder, Generator, Modulated, ModulatedEdgeGAN
from edgegan_widget.networks.architectures.paper import PaperEdgeGAN
from edgegan_widget.networks.store import Networks

__all__ = ["Drawer", "fused"]

_SMALL_PX = 16  # up to here a convolution's time goes into laying out its weights, on a CPU


class Drawer(nn.Module):
    """uint8 sketch [s, s], condition [1, K], noise [1, n] -> uint8 picture [S, S, 3] and edge map [s, s], z [L].

    A picture with alpha has it as its fourth channel.

    ``many`` does the same with N of each; rows do not depend on each other. With ``written`` plain batch norms
    are left to whoever runs it: convolutions that have taken them in have more digits than the weights.
    """

    def __init__(self, networks: Networks, written: bool = False) -> None:
        super().__init__()
        self.networks = fused(networks, written)
        if isinstance(self.networks, PaperEdgeGAN):
            self.networks.draw_each_alone()
        self.edge_channels = networks.config.edge_channels

    def forward(self, sketch_u8: Tensor, condition: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image, edge, latent = self.many(sketch_u8[None], condition, noise)
        return image[0], edge[0], latent[0]

    def many(self, sketches_u8: Tensor, conditions: Tensor, noises: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.decode(self.encode(sketches_u8, conditions, noises), conditions)

    def encode(self, sketches_u8: Tensor, conditions: Tensor, noises: Tensor) -> Tensor:
        """Sketches [N, s, s], conditions [N, K] and noises [N, n] -> latents [N, L]."""
        sketches = (sketches_u8[:, None].to(conditions.dtype) / 127.5 - 1).expand(-1, self.edge_channels, -1, -1)
        latents: Tensor = self.networks.encode(sketches, conditions, noises)
        return latents

    def decode(self, latents: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Latents [N, L], conditions [N, K] -> pictures, edge maps and the latents as ``many`` gives them."""
        edges, images = self.networks.decode(latents, conditions)
        pictures = to_u8(images.permute(0, 2, 3, 1)).contiguous()
        return pictures, to_u8(edges.mean(dim=1)).contiguous(), latents.float()


def fused(networks: Networks, written: bool = False) -> Networks:
    """A copy for drawing only; exact up to rounding. The paper's networks are copied as they are."""
    if not isinstance(networks, ModulatedEdgeGAN):
        return copy.deepcopy(networks).eval() if written else fuse_norms(networks)
    made = copy.deepcopy(networks).eval()
    del made.style_encoder
    for part in (made.encoder, made.generator_edge, made.generator_image):
        _fuse(part)
    return made


def _fuse(part: Encoder | Generator) -> None:
    """Replace each modulated layer by one that is told its scale and shift, and ``embed`` by what tells them all."""
    named = [(name, layer) for name, layer in part.named_modules() if isinstance(layer, Modulated)]
    maps = []
    for place, (name, layer) in enumerate(named):
        maps.append(_scale_and_shift(layer))
        above, _, last = name.rpartition(".")
        setattr(part.get_submodule(above), last, _Told(layer, place))
    part.embed = nn.Sequential(part.embed, _joined(maps), _Parts([len(layer.weight) for _, layer in named]))


class _Parts(nn.Module):
    """What is told to all layers [N, C] -> scale and shift [N, out, 1, 1] of each; one step, since each costs time."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.widths = [width for width in widths for _ in ("scale", "shift")]

    def forward(self, told: Tensor) -> tuple[Tensor, ...]:
        return torch.split(told[:, :, None, None], self.widths, dim=1)


class _Told(nn.Module):
    """A modulated layer whose scale and shift are parts of what its network has worked out for all layers."""

    def __init__(self, layer: Modulated, place: int) -> None:
        super().__init__()
        self.step = layer.step
        self.kernel = nn.Parameter(layer.kernel().detach().clone(), requires_grad=False)
        self.place = place

    def forward(self, x: Tensor, told: tuple[Tensor, ...]) -> Tensor:
        """Of x [N, C, H, W], with ``told`` scales and shifts [N, out, 1, 1] of all layers in turn."""
        if self.step == "double":
            convolved = F.conv_transpose2d(x, self.kernel, stride=2, padding=1)
        elif self.step == "halve" and len(x) == 1 and x.shape[-1] <= _SMALL_PX and x.device.type == "cpu":
            convolved = _halved(x, self.kernel)
        else:
            convolved = F.conv2d(x, self.kernel, stride=2 if self.step == "halve" else 1, padding=1)
        # In place, which also keeps the layout of the convolution's result.
        return convolved.mul_(told[2 * self.place]).add_(told[2 * self.place + 1])


def _halved(x: Tensor, kernel: Tensor) -> Tensor:
    """The 4x4 convolution with stride 2 and padding 1 of one small picture, as one product."""
    windows = F.pad(x[0].permute(1, 2, 0), (0, 0, 1, 1, 1, 1)).unfold(0, 4, 2).unfold(1, 4, 2)  # [H/2, W/2, C, 4, 4]
    places = windows.permute(0, 1, 3, 4, 2).flatten(2)
    made = places @ kernel.permute(2, 3, 1, 0).flatten(0, 2)  # [H/2, W/2, out]
    return made.permute(2, 0, 1)[None]


@torch.no_grad()
def _scale_and_shift(layer: Modulated) -> nn.Linear:
    """Embedding -> scale and shift of a layer's channels, with its batch norm taken in."""
    norm, read = layer.norm, layer.modulation
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    by = (variance + norm.eps).rsqrt()
    scale_weight, shift_weight = read.weight.chunk(2)
    scale_bias, shift_bias = read.bias.chunk(2)
    scale_weight, scale_bias = scale_weight * by[:, None], (1 + scale_bias) * by
    weight = torch.cat([scale_weight, shift_weight - mean[:, None] * scale_weight])
    return _linear(weight, torch.cat([scale_bias, shift_bias - mean * scale_bias]))


def _joined(maps: list[nn.Linear]) -> nn.Linear:
    return _linear(torch.cat([one.weight for one in maps]), torch.cat([one.bias for one in maps]))


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    made = nn.Linear(1, 1)
    made.in_features, made.out_features = weight.shape[1], len(weight)
    made.weight, made.bias = nn.Parameter(weight.detach(), False), nn.Parameter(bias.detach(), False)
    return made
