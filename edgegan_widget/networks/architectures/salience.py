"""What stands out in a photo: a small network that finds the object, and its folder on disk.

EfficientNet-Lite0 (:mod:`edgegan_widget.networks.architectures.features`) without its last stage looks at the photo;
a light decoder goes back up and takes in what each depth saw, and tells at four of them what it has found so far, so
that each can be judged in training (deep supervision, as in Qin et al., "BASNet: Boundary-Aware Salient Object
Detection", CVPR 2019, section 3.2, and "U2-Net", Pattern Recognition 2020, section 3.3).

Its folder holds ``cutout.safetensors`` and ``cutout.json``: other names than a model's that draws, which is told by its
``config.json``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base import settings
from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.settings import check_settings, setting
from edgegan_widget.base.units import F32, U8, to_unit
from edgegan_widget.networks.architectures.features import FeatureNetwork, load_features
from edgegan_widget.networks.devices import threads

__all__ = ["SalienceConfig", "SalienceNetwork", "find_salient", "load_salience", "save_salience"]

WEIGHTS, CONFIG = "cutout.safetensors", "cutout.json"
_TAPS = (0, 2, 4, 10, 14)  # after these blocks
_SEEN = (16, 24, 40, 112, 192)  # channels there, at strides 2, 4, 8, 16, 32
_WIDTHS = (16, 32, 64, 96, 96)  # of the decoder at the same strides
_SETTLED = 3  # first blocks of the encoder, which are the same for all photos and half of its work
STRIDE = 32  # sides of what the network is given are a multiple of it


@dataclass(frozen=True)
class SalienceConfig:
    """What a network was made for.

    Parameters
    ----------
    size_px
        Side of the square that photos are brought to, whatever their shape.
    """

    size_px: int = setting(
        160, "side of the square that photos are brought to", option="--size", metavar="PX", least=64, most=512
    )

    def __post_init__(self) -> None:
        check_settings(self)
        if self.size_px % STRIDE:
            raise ConfigError(f"size_px is {self.size_px}; it must be a multiple of {STRIDE}.")


class SalienceNetwork(nn.Module):
    """Photos [N, 3, S, S] in [-1, 1] -> logits of the object [N, 1, S/2, S/2], then S/4, S/8 and S/16."""

    def __init__(self, config: SalienceConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = FeatureNetwork(_TAPS)
        self.context = _Context(_SEEN[-1], _WIDTHS[-1])
        self.steps = nn.ModuleList(
            _Step(below, seen, width) for below, seen, width in zip(_WIDTHS[:0:-1], _SEEN[-2::-1], _WIDTHS[-2::-1])
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in _WIDTHS[-2::-1])

    def forward(self, photos: Tensor) -> list[Tensor]:
        *seen, deepest = self.encoder(photos)
        x = self.context(deepest)  # [N, 96, S/32, S/32]
        found = []
        for step, head, features in zip(self.steps, self.heads, reversed(seen)):
            x = step(x, features)
            found.append(head(x))
        return found[::-1]

    def settle(self) -> None:
        """Let training change the deeper part of the encoder only."""
        self.encoder.stem.requires_grad_(False)
        self.encoder.blocks[:_SETTLED].requires_grad_(False)

    @classmethod
    def untrained(cls, config: SalienceConfig) -> SalienceNetwork:
        """An encoder with its published ImageNet weights, and a fresh decoder.

        Raises
        ------
        ModelError
            The package with the weights is not installed.
        """
        network = cls(config)
        network.encoder.load_state_dict(load_features(_TAPS).state_dict())
        return network


class _Context(nn.Module):
    """The deepest features, and their mean over the photo at every place: what it is all about."""

    def __init__(self, seen: int, width: int) -> None:
        super().__init__()
        self.here = _Conv(seen, width, 1)
        self.all = nn.Linear(seen, width)
        self.mix = _Conv(width, width, 3)

    def forward(self, features: Tensor) -> Tensor:
        everywhere = self.all(features.mean(dim=(2, 3)))[:, :, None, None]
        mixed: Tensor = self.mix(self.here(features) + everywhere)
        return mixed


class _Step(nn.Module):
    """One step up: twice as large, with what the encoder saw at that size; the second look is twice as wide."""

    def __init__(self, below: int, seen: int, width: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(below, width, 1)
        self.lateral = nn.Conv2d(seen, width, 1)
        self.near = _Conv(width, width, 3)
        self.wide = _Conv(width, width, 3, dilation=2)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        x = F.interpolate(self.narrow(x), scale_factor=2.0, mode="bilinear") + self.lateral(features)
        near = self.near(x)
        out: Tensor = near + self.wide(near)
        return out


class _Conv(nn.Sequential):
    def __init__(self, channels: int, out: int, kernel: int, dilation: int = 1) -> None:
        padding = dilation * (kernel // 2)
        convolution = nn.Conv2d(channels, out, kernel, padding=padding, dilation=dilation, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(out), nn.ReLU())


@torch.inference_mode()
def find_salient(network: SalienceNetwork, photo_u8: U8) -> F32:
    """How likely each place belongs to the object that stands out.

    Parameters
    ----------
    network
        In evaluation mode.
    photo_u8
        uint8 [H, W, 3], of any size and shape.

    Returns
    -------
    float32 [S, S] in 0..1, S being the network's side: the photo squeezed into a square.
    """
    side = network.config.size_px
    small = cv2.resize(photo_u8, (side, side), interpolation=cv2.INTER_AREA)
    photos = to_unit(torch.from_numpy(small).permute(2, 0, 1)[None])  # [1, 3, S, S]
    with threads(1):  # more are hardly faster on one photo, and far slower where another process has a core
        finest = network(photos.contiguous(memory_format=torch.channels_last))[0]
        whole = F.interpolate(finest, size=(side, side), mode="bilinear")
    return np.asarray(whole.sigmoid()[0, 0].numpy(), np.float32)


def save_salience(folder: Path | str, network: SalienceNetwork) -> Path:
    """Write the network into a folder, in half precision; returns the file of weights."""
    stored = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
    write_bytes(Path(folder) / WEIGHTS, safetensors.torch.save(stored))
    write_bytes(Path(folder) / CONFIG, settings.to_json(network.config))
    return Path(folder) / WEIGHTS


def load_salience(folder: str | os.PathLike[str]) -> SalienceNetwork:
    """Read a folder that :func:`save_salience` wrote; float32, ready for use.

    Raises
    ------
    ModelError
        It holds no such network, or its files are damaged.
    """
    place = Path(folder)
    try:
        network = SalienceNetwork(settings.from_json(SalienceConfig, (place / CONFIG).read_text("utf-8")))
        network.load_state_dict(safetensors.torch.load((place / WEIGHTS).read_bytes()))
    except FileNotFoundError as error:
        raise ModelError(
            f"{place} holds no network that cuts out ({WEIGHTS} and {CONFIG}); make one: edgegan-widget train-cutout."
        ) from error
    except (SafetensorError, RuntimeError, OSError, ConfigError, UnicodeDecodeError) as error:
        raise ModelError(f"the network in {place} cannot be used ({error}); fetch or train it anew.") from error
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
