"""The compact networks: an EdgeGAN narrow enough to train on two CPU cores, as models from before have them.

They keep the paper's parts and names (E, G_E, G_I, D_J, D_I; Gao et al., CVPR 2020, section 3.1) and the paper's
bottleneck of one latent vector, and change what makes them slow or deaf to the drawing:

- upsample and convolve instead of transposed convolutions (Odena et al., "Deconvolution and checkerboard artifacts",
  Distill 2016), batch norm with running statistics, so that one picture does not depend on its batch;
- projection discriminators (Miyato and Koyama, ICLR 2018) with spectral norm (Miyato et al., ICLR 2018), which know
  the class, in place of a separate classifier;
- a latent of two parts: *shape*, which E reads from the sketch, and *style*, which E cannot know. In training a small
  encoder S read the style from the photo (cVAE-GAN of BicycleGAN, Zhu et al., NeurIPS 2017, section 3.2), so that the
  picture loss did not average over colours; when drawing, style is the prior's mean or a seeded draw from it.

No recipe trains them from scratch any more; models made of them are drawn with, measured, and moved by drawings.

Layouts are NCHW, pictures in [-1, 1]. ``width`` is the number of channels at full resolution.
"""

from __future__ import annotations

import copy
import itertools
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrizations import spectral_norm

from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.distributed import SyncedBatchNorm

Module = TypeVar("Module", bound=nn.Module)

LEAK = 0.2
LOG_SIGMA_RANGE = (-6.0, 2.0)  # keeps exp() finite whatever the encoder says


def _widths(config: ModelConfig) -> list[int]:
    """Channels at 4x4, 8x8, ... up to full size, at most eight times ``width``."""
    doublings = (config.size_px // 4).bit_length() - 1
    return [min(8, 2 ** max(level - 1, 0)) * config.width for level in range(doublings, -1, -1)]


class Generator(nn.Module):
    """G_E or G_I: latent and class -> picture, tanh."""

    def __init__(self, config: ModelConfig, latent_size: int, channels: int) -> None:
        super().__init__()
        widths = _widths(config)
        self.start = nn.Linear(latent_size + config.condition_size, widths[0] * 16)
        self.start_norm = SyncedBatchNorm(widths[0])
        self.convs = nn.ModuleList(
            nn.Conv2d(wide, narrow, 3, padding=1, bias=False) for wide, narrow in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(SyncedBatchNorm(narrow) for narrow in widths[1:])
        self.to_picture = nn.Conv2d(widths[-1], channels, 3, padding=1)

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        x = self.start(torch.cat([latent, condition], dim=1))
        x = F.relu(self.start_norm(x.view(x.shape[0], -1, 4, 4)))  # [N, 8 width, 4, 4]
        for conv, norm in zip(self.convs, self.norms):
            x = F.relu(norm(conv(F.interpolate(x, scale_factor=2, mode="nearest"))))
        return torch.tanh(self.to_picture(x))  # [N, channels, size, size]


class Encoder(nn.Module):
    """E or S: picture and class -> mean and log deviation of a Gaussian over the latent."""

    def __init__(self, config: ModelConfig, channels: int, latent_size: int, width: int) -> None:
        super().__init__()
        self.from_picture = nn.Conv2d(channels + config.condition_size, width, 4, stride=2, padding=1)
        steps = (config.size_px // 8).bit_length() - 1
        widths = [min(8, 2**level) * width for level in range(steps + 1)]
        self.convs = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1, bias=False) for narrow, wide in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(SyncedBatchNorm(wide) for wide in widths[1:])
        self.heads = nn.Linear(widths[-1] * 16, 2 * latent_size)

    def forward(self, picture: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        planes = condition[:, :, None, None].expand(-1, -1, *picture.shape[2:])
        x = F.leaky_relu(self.from_picture(torch.cat([picture, planes], dim=1)), LEAK)  # [N, width, size/2, size/2]
        for conv, norm in zip(self.convs, self.norms):
            x = F.leaky_relu(norm(conv(x)), LEAK)
        mean, log_sigma = self.heads(x.flatten(1)).chunk(2, dim=1)  # from [N, 8 width, 4, 4]
        return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)


class Discriminator(nn.Module):
    """D_J (edge map and picture stacked) or D_I (picture): one logit, and the features it was read from."""

    def __init__(self, config: ModelConfig, channels: int) -> None:
        super().__init__()
        steps = (config.size_px // 4).bit_length() - 1
        widths = [channels] + [min(8, 2**level) * config.width * 2 for level in range(steps)]
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(narrow, wide, 4, stride=2, padding=1))
            for narrow, wide in itertools.pairwise(widths)
        )
        self.to_logit = spectral_norm(nn.Linear(widths[-1], 1))
        self.class_rows = spectral_norm(nn.Embedding(len(config.classes), widths[-1]))

    def forward(self, picture: Tensor, labels: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = []
        x = picture
        for conv in self.convs:
            x = F.leaky_relu(conv(x), LEAK)
            features.append(x)
        pooled = x.sum(dim=(2, 3))  # [N, 16 width]
        projection = (self.class_rows(labels) * pooled).sum(dim=1)  # Miyato and Koyama, equation 3
        return self.to_logit(pooled)[:, 0] + projection, features


class CompactEdgeGAN(nn.Module):
    """What drawing needs: E, G_E and G_I."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.noise_size = config.noise_size
        self.encoder = Encoder(config, config.edge_channels, config.shape_size, config.width)
        self.generator_edge = Generator(config, config.shape_size, config.edge_channels)
        self.generator_image = Generator(config, config.latent_size, 3)

    def encode(self, sketch: Tensor, condition: Tensor, noise: Tensor) -> Tensor:
        """Sketch [N, edge_channels, S, S] -> latent [N, latent_size]; noise [N, latent_size], zeros give the mean."""
        mean, log_sigma = self.encoder(sketch, condition)
        shape = mean + noise[:, : self.config.shape_size] * log_sigma.exp()
        return torch.cat([shape, noise[:, self.config.shape_size :]], dim=1)

    def edges(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Latent -> edge map [N, edge_channels, S, S] in [-1, 1]."""
        edges: Tensor = self.generator_edge(latent[:, : self.config.shape_size], condition)
        return edges

    def decode(self, latent: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Latent -> edge map [N, edge_channels, S, S] and picture [N, 3, S, S], in [-1, 1]."""
        return self.edges(latent, condition), self.generator_image(latent, condition)


def fuse_norms(networks: Module) -> Module:
    """A copy in which each convolution has taken its batch norm in; exact up to rounding, for drawing only.

    Networks without running statistics (the paper's) are copied as they are.
    """
    fused = copy.deepcopy(networks).eval()
    if not isinstance(fused, CompactEdgeGAN):
        return fused
    for part in (fused.encoder, fused.generator_edge, fused.generator_image):
        for number, (conv, norm) in enumerate(zip(part.convs, part.norms)):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part.convs[number] = fuse_conv_bn_eval(conv, norm)
            part.norms[number] = nn.Identity()
    return fused
