"""The last doubling of a modulated generator on the small grid, which onnxruntime does in two thirds of the time.

A transposed convolution with stride 2 gives four pictures of half the side, one for each *phase* (even or odd row and
column), and each of them is a plain 2x2 convolution. Here they stay side by side as channels through scale, shift, ReLU
and the last 3x3 convolution, which is one on the small grid as well; only the few channels of the picture are put in
their places at the end (sub-pixel convolution, Shi et al., CVPR 2016, section 3.2).
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.networks.architectures.modulated import Generator

__all__ = ["on_the_small_grid"]

_PHASES = tuple(itertools.product((0, 1), (0, 1)))  # of row and column
_ROWS = {0: slice(0, -1), 1: slice(1, None)}  # of a 2x2 convolution with padding 1, those that a phase takes
_TAPS = {0: (3, 1), 1: (2, 0)}  # of the transposed kernel, for the smaller and the larger place


def on_the_small_grid(generator: Generator) -> None:
    """Replace the last level and ``to_picture`` of a generator that is fused for drawing."""
    last = generator.levels[-1]
    generator.levels[-1] = _Phased(last, last.get_parameter("kernel"))
    generator.to_picture = _ToPicture(generator.to_picture)  # type: ignore[assignment]


class _Phased(nn.Module):
    """A doubling layer: x [N, I, H, W] -> [N, 4 O, H, W], phase by phase."""

    def __init__(self, told: nn.Module, kernel: Tensor) -> None:
        super().__init__()
        self.place, self.out = int(told.place), kernel.shape[1]  # type: ignore[arg-type]
        turned = kernel.transpose(0, 1)  # [O, I, 4, 4]
        parts = [turned[:, :, list(_TAPS[row])][..., list(_TAPS[column])] for row, column in _PHASES]
        self.phases = nn.Parameter(torch.cat(parts).contiguous(), requires_grad=False)  # [4 O, I, 2, 2]

    def forward(self, x: Tensor, told: tuple[Tensor, ...]) -> Tensor:
        every = F.conv2d(x, self.phases, padding=1).split(self.out, dim=1)  # [N, O, H + 1, W + 1] each
        apart = [part[:, :, _ROWS[row], _ROWS[column]] for part, (row, column) in zip(every, _PHASES)]
        scale, shift = (told[2 * self.place + one].repeat(1, len(_PHASES), 1, 1) for one in (0, 1))
        return torch.cat(apart, dim=1) * scale + shift


class _ToPicture(nn.Module):
    """The 3x3 convolution of what stands in phases [N, 4 O, H, W] -> pictures [N, C, 2 H, 2 W]."""

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__()
        channels, out = plain.weight.shape[:2]
        kernel = torch.zeros(channels, len(_PHASES), len(_PHASES), out, 3, 3)
        for (number, (row, column)), down, right in itertools.product(enumerate(_PHASES), range(-1, 2), range(-1, 2)):
            y, x = row + down, column + right  # from the place of the phase (0, 0)
            kernel[:, number, y % 2 * 2 + x % 2, :, y // 2 + 1, x // 2 + 1] = plain.weight[:, :, down + 1, right + 1]
        self.kernel = nn.Parameter(kernel.flatten(2, 3).flatten(0, 1), requires_grad=False)  # [4 C, 4 O, 3, 3]
        bias = torch.zeros(channels) if plain.bias is None else plain.bias.detach()
        self.bias = nn.Parameter(bias.repeat_interleave(len(_PHASES)), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(x, self.kernel, self.bias, padding=1), 2)
