"""Discriminators that look at frozen features (Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021).

What a picture is judged by is fixed: ImageNet features at four depths (:mod:`.features`), mixed
across channels and across scales by random convolutions that are never trained (that paper's CCM and CSM). Only small
heads learn, one a depth, each a map of logits; the class enters by projection (Miyato and Koyama, ICLR 2018, equation
3). The joint discriminator of edge map and picture (D_J; Gao et al., CVPR 2020, section 3.1) has no such features to
look at and learns from scratch, at the size of the sketch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from edgegan_widget.networks.architectures.compact import LEAK
from edgegan_widget.networks.architectures.features import FEATURE_CHANNELS
from edgegan_widget.networks.config import ModelConfig

__all__ = ["ProjectedCritics"]

_MIXED = 64  # channels of the mixed features at every depth
_HEAD = 96
_JOINT_WIDTHS = (32, 64, 128, 128)  # at half the sketch's size, a quarter ...


class ProjectedCritics(nn.Module):
    """What only training needs: the heads (D_I), D_J, and the classifier C on the same features."""

    def __init__(self, config: ModelConfig, depths: int = len(FEATURE_CHANNELS)) -> None:
        super().__init__()
        self.mixing = _Mixing()
        halvings = range(len(FEATURE_CHANNELS) - 1, -1, -1)  # the finest map has a side eight times the coarsest's
        used = list(halvings)[len(FEATURE_CHANNELS) - depths :]
        classes = len(config.classes)
        # One head a depth, which halves its map down to about 3x3; the coarsest is so small as it is.
        self.image = nn.ModuleList(_Head((_MIXED, *[_HEAD] * max(1, count)), classes, count > 0) for count in used)
        # D_J sees edge map and picture (with alpha) stacked at the sketch's size.
        self.joint = _Head((config.edge_channels + 4, *_JOINT_WIDTHS), classes)
        self.classifier = nn.Linear(FEATURE_CHANNELS[-1], classes)

    def image_logits(self, features: Sequence[Tensor], labels: Tensor) -> list[Tensor]:
        """Maps of logits [N, 1, h, w] of the heads, from the features of pictures."""
        mixed = self.mixing(features)[-len(self.image) :]
        return [head(x, labels) for head, x in zip(self.image, mixed)]

    def class_logits(self, features: Sequence[Tensor]) -> Tensor:
        """C: [N, classes], from the coarsest features."""
        found: Tensor = self.classifier(features[-1].float().mean(dim=(2, 3)))
        return found


class _Mixing(nn.Module):
    """Fixed random mixing: 1x1 across channels, then 3x3 from coarse to fine (the paper's figure 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.across = nn.ModuleList(nn.Conv2d(channels, _MIXED, 1, bias=False) for channels in FEATURE_CHANNELS)
        self.down = nn.ModuleList(nn.Conv2d(_MIXED, _MIXED, 3, padding=1, bias=False) for _ in FEATURE_CHANNELS)
        for conv in self.modules():
            if isinstance(conv, nn.Conv2d):
                nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
        self.requires_grad_(False)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features from fine to coarse -> mixed ones [N, 64, h, w] in the same order."""
        found: list[Tensor] = []
        above: Tensor | None = None
        for feature, across, down in reversed(list(zip(features, self.across, self.down))):
            # Each depth at a like size: those of the network differ by a factor of ten.
            x = across(feature / feature.detach().square().mean().sqrt().clamp_min(1e-3))
            if above is not None:
                x = (x + F.interpolate(above, size=x.shape[2:], mode="nearest")) * 0.7
            above = down(x)
            found.insert(0, above)
        return found


class _Head(nn.Module):
    """Maps [N, C, H, W] -> logits [N, 1, h, w], with the projection of the features on the row of their class."""

    def __init__(self, widths: Sequence[int], classes: int, halves: bool = True) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            spectral_norm(nn.Conv2d(narrow, wide, 4, 2, 1) if halves else nn.Conv2d(narrow, wide, 3, padding=1))
            for narrow, wide in itertools.pairwise(widths)
        )
        self.to_logit = spectral_norm(nn.Conv2d(widths[-1], 1, 1))
        self.class_rows = spectral_norm(nn.Embedding(classes, widths[-1]))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), LEAK)
        logits: Tensor = self.to_logit(x) + (x * self.class_rows(labels)[:, :, None, None]).sum(dim=1, keepdim=True)
        return logits
