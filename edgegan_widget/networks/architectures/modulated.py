"""The modulated networks: an EdgeGAN whose latent keeps where things are, and whose class and style set every layer.

The paper's parts and names stay (E, G_E, G_I; Gao et al., CVPR 2020, section 3.1). What changes, and why:

- the latent is *spatial*: a code of 8x8 and a finer one of 16x16, so that parts stay where they were drawn;
  ``latent = "vector"`` keeps the paper's single vector;
- class and style set scale and shift of every batch norm (conditional batch norm, de Vries et al., NeurIPS 2017; as in
  BigGAN, Brock et al., ICLR 2019, section 3), so that both reach every depth;
- the first numbers of the style are the object's mean colour and its contrast, the others are learnt: a colour can be
  asked for, and training can hold the picture to it;
- beside its colours G_I draws coverage (alpha), learnt from the silhouettes of cut-outs; a picture is its colours over
  white.

The sketch is 64x64 whatever the picture's size. Layouts are NCHW, values in [-1, 1].
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.networks.architectures.compact import LEAK, LOG_SIGMA_RANGE
from edgegan_widget.networks.config import FINE_CODE, ROUGH_CODE, ModelConfig
from edgegan_widget.networks.distributed import SyncedBatchNorm
from edgegan_widget.networks.styles import COLOUR_NUMBERS

__all__ = ["Modulated", "ModulatedEdgeGAN", "StyleEncoder", "colour_of", "over_white"]

STYLES = 32  # kept of each class
_EMBEDDING = 64
_ENCODER_WIDTHS = (32, 64, 128, 192)  # at 32, 16, 8 and 4 pixels
# Channels at 8, 16, 32, 64, 128 and 256 pixels, as multiples of the width at 64.
_LEVELS = ((8, 3.4), (16, 2.4), (32, 1.5), (64, 1.0), (128, 0.34), (256, 0.17))
_EDGE_SHARE = 0.5  # G_E is so much narrower: lines are simpler than pictures


class _Linear(nn.Linear):
    """A linear map, also from nothing: a model of one class has no condition, and there only the bias is left."""

    def reset_parameters(self) -> None:
        if self.in_features:
            super().reset_parameters()
        else:
            nn.init.zeros_(self.bias)


class Modulated(nn.Module):
    """Convolution and batch norm with scale and shift read from an embedding of class and style.

    ``step`` is ``keep`` (3x3), ``halve`` (4x4 with stride 2) or ``double``: nearest upsampling and a 3x3 convolution,
    done as the transposed 4x4 convolution that is the same function for half the work.
    """

    def __init__(self, channels: int, out: int, embedding: int, step: str = "keep") -> None:
        super().__init__()
        self.step = step
        side = 4 if step == "halve" else 3
        self.weight = nn.Parameter(torch.empty(out, channels, side, side))
        self.norm = SyncedBatchNorm(out, affine=False)
        self.modulation = _Linear(embedding, 2 * out)
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        nn.init.normal_(self.modulation.weight, std=0.05)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding).chunk(2, dim=1)
        if self.training:
            normed: Tensor = self.norm(self._convolved(x))
            return _affine(normed, 1 + scale, shift)
        # Batch norm's running statistics are constants here: one scale and shift for each channel.
        mean, variance = self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
        scale = (1 + scale) * (variance + self.norm.eps).rsqrt()
        return _affine(self._convolved(x), scale, shift - scale * mean)

    def kernel(self) -> Tensor:
        """What is convolved with: the weight, or [channels, out, 4, 4] for the transposed convolution."""
        return doubling_kernel(self.weight) if self.step == "double" else self.weight

    def _convolved(self, x: Tensor) -> Tensor:
        if self.step == "double":
            return F.conv_transpose2d(x, self.kernel(), stride=2, padding=1)
        return F.conv2d(x, self.kernel(), stride=2 if self.step == "halve" else 1, padding=1)


def _affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """``x`` [N, C, H, W] by scale and shift [N, C] of each channel."""
    return x * scale[:, :, None, None] + shift[:, :, None, None]


def doubling_kernel(weight: Tensor) -> Tensor:
    """The kernel [I, O, 4, 4] whose transposed convolution (stride 2, padding 1) is nearest upsampling and ``weight``.

    Nearest upsampling is itself a transposed convolution with 2x2 ones, and two convolutions in a row are one with the
    convolution of their kernels.
    """
    summed: Tensor = 4 * F.avg_pool2d(F.pad(weight, (1, 1, 1, 1)), 2, stride=1)  # [O, I, 4, 4]
    return summed.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)


class Encoder(nn.Module):
    """E: sketch and class -> latent, by way down to 4x4 and up again, so that every place knows the whole drawing."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        size = config.condition_size
        self.embed = nn.Sequential()  # drawing puts in here what it has worked out: see networks.fused
        down = list(itertools.pairwise((config.edge_channels, *_ENCODER_WIDTHS)))
        self.down = nn.ModuleList(Modulated(narrow, wide, size, step="halve") for narrow, wide in down)
        _, at_16, at_8, at_4 = _ENCODER_WIDTHS
        self.middle = Modulated(at_4, at_4, size)
        self.spatial = config.latent == "spatial"
        if self.spatial:
            self.up_8 = Modulated(at_4, at_8, size, "double")
            self.join_8 = Modulated(2 * at_8, at_8, size)
            self.up_16 = Modulated(at_8, at_16, size, "double")
            self.join_16 = Modulated(2 * at_16, at_16, size)
            self.to_rough = nn.Conv2d(at_8, ROUGH_CODE[0], 1)
            self.to_fine = nn.Conv2d(at_16, FINE_CODE[0], 1)
        else:
            self.to_vector = nn.Linear(at_4 * 16, config.shape_size)

    def forward(self, sketch: Tensor, condition: Tensor) -> Tensor:
        x, kept, condition = sketch, [], self.embed(condition)
        for layer in self.down:
            x = F.leaky_relu(layer(x, condition), LEAK, inplace=True)  # [N, 32, 32, 32] ... [N, 192, 4, 4]
            kept.append(x)
        x = F.leaky_relu(self.middle(x, condition), LEAK, inplace=True)
        if not self.spatial:
            vector: Tensor = self.to_vector(x.flatten(1))
            return vector
        x = F.leaky_relu(self.up_8(x, condition), LEAK, inplace=True)
        x = F.leaky_relu(self.join_8(torch.cat([x, kept[2]], dim=1), condition), LEAK, inplace=True)
        rough = self.to_rough(x)
        x = F.leaky_relu(self.up_16(x, condition), LEAK, inplace=True)
        x = F.leaky_relu(self.join_16(torch.cat([x, kept[1]], dim=1), condition), LEAK, inplace=True)
        return torch.cat([rough.flatten(1), self.to_fine(x).flatten(1)], dim=1)


class Generator(nn.Module):
    """G_E or G_I: latent, class and style -> values before tanh, [N, channels, size, size]."""

    def __init__(self, config: ModelConfig, channels: int, size_px: int, width: float, style_size: int) -> None:
        super().__init__()
        self.spatial = config.latent == "spatial"
        self.embed = nn.Sequential(
            _Linear(config.condition_size + style_size, _EMBEDDING),
            nn.LeakyReLU(LEAK),
            nn.Linear(_EMBEDDING, _EMBEDDING),
        )
        widths = [max(8, round(width * share / 8) * 8) for side, share in _LEVELS if side <= size_px]
        if not self.spatial:
            self.from_vector = nn.Linear(config.shape_size, ROUGH_CODE[0] * ROUGH_CODE[1] ** 2)
        self.start = Modulated(ROUGH_CODE[0], widths[0], _EMBEDDING)
        self.levels = nn.ModuleList(
            Modulated(narrow, wide, _EMBEDDING, "double") for narrow, wide in itertools.pairwise(widths)
        )
        fine = FINE_CODE[0] if self.spatial else 0
        self.join = Modulated(widths[1] + fine, widths[1], _EMBEDDING)  # at 16x16, where parts are put together
        self.to_picture = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, shape: Tensor, condition: Tensor) -> Tensor:
        """``shape`` [N, shape_size] and ``condition``, class and style [N, classes + style_size]."""
        embedding = self.embed(condition)
        (deep, side), (few, fine_side) = ROUGH_CODE, FINE_CODE
        if self.spatial:
            rough, fine = shape.split([deep * side**2, few * fine_side**2], dim=1)
        else:
            rough = self.from_vector(shape)
        x = F.relu(self.start(rough.view(-1, deep, side, side), embedding), inplace=True)
        for number, level in enumerate(self.levels):
            x = F.relu(level(x, embedding), inplace=True)
            if number == 0:
                joined = torch.cat([x, fine.view(-1, few, fine_side, fine_side)], dim=1) if self.spatial else x
                x = x + F.relu(self.join(joined, embedding), inplace=True)
        drawn: Tensor = self.to_picture(x)
        return drawn


class StyleEncoder(nn.Module):
    """S: picture [N, 4, S, S] -> mean and log deviation of the learnt part of its style; looks at 64 pixels at most."""

    def __init__(self, config: ModelConfig, width: int = 24) -> None:
        super().__init__()
        size = config.condition_size
        widths = [4] + [width * 2**level for level in range(4)]
        self.layers = nn.ModuleList(
            Modulated(narrow, wide, size, step="halve") for narrow, wide in itertools.pairwise(widths)
        )
        self.heads = nn.Linear(widths[-1], 2 * (config.style_size - COLOUR_NUMBERS))

    def forward(self, picture: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        x = F.adaptive_avg_pool2d(picture, min(64, picture.shape[-1]))
        for layer in self.layers:
            x = F.leaky_relu(layer(x, condition), LEAK, inplace=True)
        mean, log_sigma = self.heads(x.mean(dim=(2, 3))).chunk(2, dim=1)
        return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)


class ModulatedEdgeGAN(nn.Module):
    """E, G_E and G_I, a bank of the training pictures' styles for each class, and S, which read them.

    Drawing does not need S; going on from a model does, since its generators know only the styles that S tells.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.noise_size = config.noise_size
        self.encoder = Encoder(config)
        self.generator_edge = Generator(config, config.edge_channels, config.sketch_px, config.width * _EDGE_SHARE, 0)
        self.generator_image = Generator(config, 4, config.size_px, config.width, config.style_size)
        # [classes, STYLES, style_size]; the first of a class is its most usual one.
        self.styles: Tensor
        self.register_buffer("styles", torch.zeros(len(config.classes), STYLES, config.style_size))

        self.style_encoder = StyleEncoder(config)

    def encode(self, sketch: Tensor, condition: Tensor, noise: Tensor) -> Tensor:
        """Sketch [N, edge_channels, 64, 64] and style ``noise`` [N, style_size] -> latent [N, latent_size]."""
        return torch.cat([self.encoder(sketch, condition), noise], dim=1)

    def edges(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Latent -> edge map [N, edge_channels, 64, 64] in [-1, 1]."""
        return torch.tanh(self.generator_edge(latent[:, : self.config.shape_size], condition))

    def decode(self, latent: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Latent -> edge map [N, edge_channels, 64, 64] and picture over white [N, 4, S, S], alpha last."""
        size = self.config.shape_size
        shape, style = latent[:, :size], latent[:, size:]
        drawn = self.generator_image(shape, torch.cat([condition, style], dim=1))
        return self.edges(latent, condition), over_white(drawn)


def over_white(drawn: Tensor) -> Tensor:
    """Values before tanh [N, 4, S, S] -> colours laid over white paper, and alpha, both in [-1, 1]."""
    values = drawn.tanh()
    share = (values[:, 3:] + 1) / 2
    return torch.cat([values[:, :3] * share + (1 - share), values[:, 3:]], dim=1)


def colour_of(picture: Tensor) -> Tensor:
    """Mean colour and contrast of what a picture [N, 4, S, S] covers: [N, 4], colour in [-1, 1], contrast from 0.

    Contrast is the deviation of brightness over the object. The picture lies over white, which is taken off again.
    """
    share = ((picture[:, 3:] + 1) / 2).flatten(2)  # [N, 1, S * S]
    covered = (picture[:, :3] - 1).flatten(2) + share  # colour times share, [N, 3, S * S]
    area = share.sum(dim=2).clamp_min(1.0)
    mean = covered.sum(dim=2) / area
    brightness = picture[:, :3].mean(dim=1).flatten(1) - mean.mean(dim=1, keepdim=True)
    spread = ((brightness.square() * share[:, 0]).sum(dim=1, keepdim=True) / area + 1e-6).sqrt()
    return torch.cat([mean, spread], dim=1)
