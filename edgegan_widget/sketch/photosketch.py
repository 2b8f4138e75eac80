"""PhotoSketch: photo -> contour drawing, by the generator of Li et al.

M. Li, Z. Lin, R. Mech, E. Yumer and D. Ramanan, "Photo-Sketching: Inferring Contour Drawings from Images", WACV 2019,
section 4: a generator of nine residual blocks (Johnson et al. 2016) between two strided and two transposed
convolutions. Names and shapes are those of the authors' ``latest_net_G.pth``, which is read as it is published.

Their test program never leaves training mode, so that batch norm takes mean and variance from the one picture it is
shown. That is the default here too (``statistics="picture"``); a batch of pictures still treats each one alone.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.errors import ConfigError, ModelError
from edgegan_widget.base.units import F32, U8, to_unit
from edgegan_widget.sketch.contours import check_picture

__all__ = ["PhotoSketch", "PhotoSketchNet"]

SIZE_PX = 256  # the side at which the network was trained and tested
STATISTICS = ("picture", "running")
_WIDTH = 64
_BLOCKS = 9


class _Norm(nn.BatchNorm2d):
    """Batch norm with the statistics of each picture alone, or with the running ones; never changes the latter."""

    running = False

    def forward(self, input: Tensor) -> Tensor:
        if self.running:
            return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return F.instance_norm(input, weight=self.weight, bias=self.bias, eps=self.eps)


class _Block(nn.Module):
    """x + two reflected 3x3 convolutions of x; the numbers in ``conv_block`` are those of the published weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False), _Norm(channels), nn.ReLU(True),
            nn.Identity(),  # a dropout of 0 in the original
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False), _Norm(channels),
        )  # fmt: skip

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.conv_block(features)
        return changed.add_(features)


class PhotoSketchNet(nn.Module):
    """The contour generator of section 4: pictures [N, 3, H, W] to contours [N, 1, H, W], both in [-1, 1], 1 is paper.

    H and W are multiples of 4.

    Parameters
    ----------
    statistics
        ``picture``: batch norm with the statistics of each picture, as the authors run it; ``running``: with those
        that were gathered in training.
    """

    def __init__(self, statistics: str = "picture") -> None:
        if statistics not in STATISTICS:
            raise ConfigError(f"statistics is {statistics!r}; choose one of {', '.join(STATISTICS)}.")
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, _WIDTH, 7, bias=False)]
        layers += [_Norm(_WIDTH), nn.ReLU(True)]
        for width in (_WIDTH, 2 * _WIDTH):
            layers += [nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False)]
            layers += [_Norm(2 * width), nn.ReLU(True)]
        layers += [_Block(4 * _WIDTH) for _ in range(_BLOCKS)]  # [N, 256, H/4, W/4]
        for width in (4 * _WIDTH, 2 * _WIDTH):
            layers += [nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1, bias=False)]
            layers += [_Norm(width // 2), nn.ReLU(True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(_WIDTH, 1, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)
        for layer in self.modules():
            if isinstance(layer, _Norm):
                layer.running = statistics == "running"

    def forward(self, pictures: Tensor) -> Tensor:
        contours: Tensor = self.model(pictures)
        return contours


class PhotoSketch:
    """Draws contours of photos: ``PhotoSketch.load("latest_net_G.pth")(image_u8)``.

    Parameters
    ----------
    network
        The generator with its weights.
    size_px
        Side at which it draws: 256 as published; half of it takes a quarter of the time and makes coarser lines.
    """

    def __init__(self, network: PhotoSketchNet, size_px: int = SIZE_PX) -> None:
        if size_px % 4 or not 32 <= size_px <= 1024:
            raise ConfigError(f"size_px is {size_px}; give a multiple of 4 from 32 to 1024, 256 as published.")
        self.size_px = size_px
        self.network = network.eval().requires_grad_(False)

    @classmethod
    def load(cls, path: Path | str, statistics: str = "picture", size_px: int = SIZE_PX) -> PhotoSketch:
        """Read the authors' published weights; only tensors are unpickled, never code.

        Raises
        ------
        ModelError
            The file is missing, damaged, holds more than tensors, or another network's weights.
        """
        network = PhotoSketchNet(statistics)
        weights = _read_weights(Path(path))
        _check_fit(Path(path), network.state_dict(), weights)
        network.load_state_dict(weights, strict=False)  # files of torch before 0.4.1 have no num_batches_tracked
        return cls(network, size_px)

    def contours(self, images_u8: U8) -> F32:
        """The network's own output for pictures uint8 [N, S, S, 3]: float32 [N, S, S] in [-1, 1]."""
        pictures = torch.from_numpy(np.ascontiguousarray(images_u8.transpose(0, 3, 1, 2)))
        with torch.inference_mode():
            drawn = self.network(to_unit(pictures))[:, 0]
        return np.asarray(drawn.numpy(), np.float32)

    def __call__(self, image_u8: U8) -> U8:
        """Draw one photo as the authors' test program does: bicubic to 256x256, drawn, and bicubic back.

        Parameters
        ----------
        image_u8
            Colour picture, uint8 [H, W, 3].

        Returns
        -------
        uint8 [H, W], 255 is paper.

        Raises
        ------
        DataError
            The array is no such picture.
        """
        check_picture(image_u8)
        height, width = image_u8.shape[:2]
        small = Image.fromarray(image_u8).resize((self.size_px, self.size_px), Image.Resampling.BICUBIC)
        contour = self.contours(np.asarray(small)[None])[0]
        drawn_u8 = ((contour + 1) / 2 * 255).astype(np.uint8)  # cut off, not rounded, as in the original
        return np.asarray(Image.fromarray(drawn_u8).resize((width, height), Image.Resampling.BICUBIC))


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} does not exist; fetch latest_net_G.pth from the page of PhotoSketch's authors."
        ) from error
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path} is damaged or holds more than weights, and nothing in it was run; "
            "fetch latest_net_G.pth from the page of PhotoSketch's authors."
        ) from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ModelError(f"{path} cannot be read as weights ({type(error).__name__}); fetch the file anew.") from error
    if not isinstance(stored, Mapping) or not all(isinstance(value, Tensor) for value in stored.values()):
        raise ModelError(f"{path} holds no weights by name; fetch latest_net_G.pth of PhotoSketch's authors.")
    return {str(name).removeprefix("module."): value for name, value in stored.items()}


def _check_fit(path: Path, needed: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    for name, tensor in needed.items():
        if name not in found and not name.endswith("num_batches_tracked"):
            raise ModelError(f"{path} has no {name}; these are not the weights of PhotoSketch's generator.")
        if name in found and found[name].shape != tensor.shape:
            raise ModelError(
                f"{name} in {path} is {list(found[name].shape)}, PhotoSketch's generator has {list(tensor.shape)}; "
                "give its latest_net_G.pth."
            )
    foreign = sorted(set(found) - set(needed))
    if foreign:
        raise ModelError(f"{path} has {foreign[0]}, which PhotoSketch's generator has not; give its latest_net_G.pth.")
