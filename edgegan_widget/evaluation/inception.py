"""FID's own features, from the user's own copy of the Inception weights.

Heusel et al. 2017 measured with TensorFlow's classifier of 5 December 2015; mseitzer/pytorch-fid carried its weights
over to PyTorch, and its numbers are what people compare with. Pictures are brought to 299 x 299 bilinearly without
anti-aliasing, as there; features are the 2,048 means of the last block.

Inception v3: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016. The network
departs from the paper in three places, which mseitzer/pytorch-fid documents and which change the number: mean pooling
leaves the padding out, the last block pools by maximum, and there are 1,008 classes, which are left out here. Names of
modules are those of the weights file.
"""

from __future__ import annotations

import hashlib
import pickle
import urllib.request
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.files import telling, write_bytes
from edgegan_widget.evaluation.features import content_digest, in_chunks

__all__ = ["Inception", "InceptionFeatures", "download_weights", "find_weights"]

WEIGHTS_NAME = "pt_inception-2015-12-05-6726825d.pth"
WEIGHTS_URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{WEIGHTS_NAME}"
WEIGHTS_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
SIDE_PX = 299
_CHUNK = 4  # pictures of 299 x 299 at once
# torch-fidelity publishes the same file under another name.
_NAMES = (WEIGHTS_NAME, "weights-inception-2015-12-05-6726825d.pth")


class InceptionFeatures:
    """FID's own features: with these weights the Frechet distance is the FID of pytorch-fid.

    Parameters
    ----------
    weights
        ``pt_inception-2015-12-05-6726825d.pth``.
    checked
        False takes any weights of the right names and shapes; then the features are not FID's, and the name says so.

    Raises
    ------
    ModelError
        The file is missing, is not that file, or does not fit.
    """

    dimension = 2048
    is_inception = True
    resize = f"bilinear to {SIDE_PX} x {SIDE_PX}, not anti-aliased (as pytorch-fid)"

    def __init__(self, weights: Path | str, checked: bool = True) -> None:
        path = Path(weights)
        found = _sha256(path)
        if checked and found != WEIGHTS_SHA256:
            raise ModelError(
                f"{path} has SHA-256 {found[:12]}..., {WEIGHTS_SHA256[:12]}... is needed; fetch {WEIGHTS_URL} anew."
            )
        self.name = "Inception, TensorFlow 2015-12-05" if checked else f"Inception with unknown weights ({path.name})"
        self.digest = content_digest("inception", found)
        self._network = Inception()
        self._network.load_state_dict(_read(path))
        self._network.eval().requires_grad_(False)

    def __call__(self, pictures_u8: Tensor) -> Tensor:
        return in_chunks(self._network, pictures_u8.float() / 255, _CHUNK)


def find_weights(folders: tuple[Path, ...] | None = None) -> Path | None:
    """The weights file in torch's cache (or in ``folders``), or None."""
    places = (Path(torch.hub.get_dir()) / "checkpoints",) if folders is None else folders
    return next((place / name for place in places for name in _NAMES if (place / name).is_file()), None)


def download_weights(folder: Path | None = None) -> Path:
    """Fetch the weights (91 MB) into torch's cache; what does not have the right checksum is not kept.

    Raises
    ------
    ModelError
        They cannot be had, or are not the right ones.
    """
    target = (folder or Path(torch.hub.get_dir()) / "checkpoints") / WEIGHTS_NAME
    by_hand = f"fetch {WEIGHTS_URL} by hand and name the file with --inception"
    try:
        with urllib.request.urlopen(WEIGHTS_URL, timeout=60.0) as answer:
            content = answer.read()
    except (URLError, OSError) as error:
        raise ModelError(f"the Inception weights cannot be downloaded ({error}); {by_hand}.") from error
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise ModelError(f"what came as Inception weights has another checksum; {by_hand}.")
    write_bytes(target, content)
    return target


def _sha256(path: Path) -> str:
    with telling(path, "read", f"name the weights file {WEIGHTS_NAME}", ModelError):
        return hashlib.sha256(path.read_bytes()).hexdigest()


def _read(path: Path) -> dict[str, Tensor]:
    """The convolutions' weights; the classes' verdict (fc) is not needed."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        kept = {name: tensor for name, tensor in state.items() if not name.startswith(("fc.", "AuxLogits."))}
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError) as error:
        raise ModelError(f"{path} holds no weights ({error}); name the weights file {WEIGHTS_NAME}.") from error
    wanted = Inception().state_dict()
    # Batch counters came into PyTorch after the file was made; nothing here reads them.
    for name in wanted:
        if name.endswith("num_batches_tracked"):
            kept.setdefault(name, wanted[name])
    if kept.keys() != wanted.keys() or any(kept[name].shape != tensor.shape for name, tensor in wanted.items()):
        raise ModelError(f"{path} holds the weights of another network; name the weights file {WEIGHTS_NAME}.")
    return kept


class _Conv(nn.Module):
    """Convolution without bias, batch norm (epsilon 1e-3), relu."""

    def __init__(
        self, channels: int, out: int, size: int | tuple[int, int], stride: int = 1, padding: int | tuple[int, int] = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.bn(self.conv(x))
        return F.relu(normed)


def _mean_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _tall(channels: int, out: int, reach: int = 7) -> _Conv:
    return _Conv(channels, out, (reach, 1), padding=(reach // 2, 0))


def _wide(channels: int, out: int, reach: int = 7) -> _Conv:
    return _Conv(channels, out, (1, reach), padding=(0, reach // 2))


class _Mixed35(nn.Module):
    """Figure 5 of the paper, on 35 x 35."""

    def __init__(self, channels: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(channels, 64, 1)
        self.branch5x5_1 = _Conv(channels, 48, 1)
        self.branch5x5_2 = _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(channels, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        fives = self.branch5x5_2(self.branch5x5_1(x))
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), fives, threes, self.branch_pool(_mean_pool(x))], 1)


class _Reduce17(nn.Module):
    """Figure 10: 35 x 35 -> 17 x 17."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = _Conv(288, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(288, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), threes, F.max_pool2d(x, 3, 2)], 1)


class _Mixed17(nn.Module):
    """Figure 6, on 17 x 17."""

    def __init__(self, middle: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(768, 192, 1)
        self.branch7x7_1 = _Conv(768, middle, 1)
        self.branch7x7_2 = _wide(middle, middle)
        self.branch7x7_3 = _tall(middle, 192)
        self.branch7x7dbl_1 = _Conv(768, middle, 1)
        self.branch7x7dbl_2 = _tall(middle, middle)
        self.branch7x7dbl_3 = _wide(middle, middle)
        self.branch7x7dbl_4 = _tall(middle, middle)
        self.branch7x7dbl_5 = _wide(middle, 192)
        self.branch_pool = _Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(_mean_pool(x))], 1)


class _Reduce8(nn.Module):
    """17 x 17 -> 8 x 8."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = _Conv(768, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(768, 192, 1)
        self.branch7x7x3_2 = _wide(192, 192)
        self.branch7x7x3_3 = _tall(192, 192)
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        sevens = self.branch7x7x3_2(self.branch7x7x3_1(x))
        sevens = self.branch7x7x3_4(self.branch7x7x3_3(sevens))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), sevens, F.max_pool2d(x, 3, 2)], 1)


class _Mixed8(nn.Module):
    """Figure 7, on 8 x 8."""

    def __init__(self, channels: int, pools_by_maximum: bool) -> None:
        super().__init__()
        self._pools_by_maximum = pools_by_maximum
        self.branch1x1 = _Conv(channels, 320, 1)
        self.branch3x3_1 = _Conv(channels, 384, 1)
        self.branch3x3_2a = _wide(384, 384, 3)
        self.branch3x3_2b = _tall(384, 384, 3)
        self.branch3x3dbl_1 = _Conv(channels, 448, 1)
        self.branch3x3dbl_2 = _Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _wide(384, 384, 3)
        self.branch3x3dbl_3b = _tall(384, 384, 3)
        self.branch_pool = _Conv(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = F.max_pool2d(x, 3, 1, 1) if self._pools_by_maximum else _mean_pool(x)
        threes = [self.branch3x3_2a(once), self.branch3x3_2b(once)]
        doubles = [self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice)]
        return torch.cat([self.branch1x1(x), *threes, *doubles, self.branch_pool(pooled)], 1)


class Inception(nn.Module):
    """Pictures float [N, 3, H, W] in [0, 1] -> features [N, 2048]."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.Mixed_5b = _Mixed35(192, 32)
        self.Mixed_5c = _Mixed35(256, 64)
        self.Mixed_5d = _Mixed35(288, 64)
        self.Mixed_6a = _Reduce17()
        self.Mixed_6b = _Mixed17(128)
        self.Mixed_6c = _Mixed17(160)
        self.Mixed_6d = _Mixed17(160)
        self.Mixed_6e = _Mixed17(192)
        self.Mixed_7a = _Reduce8()
        self.Mixed_7b = _Mixed8(1280, pools_by_maximum=False)
        self.Mixed_7c = _Mixed8(2048, pools_by_maximum=True)

    def forward(self, pictures: Tensor) -> Tensor:
        x = F.interpolate(pictures, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False) * 2 - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))  # [N, 192, 71, 71]
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(F.max_pool2d(x, 3, 2))))  # [N, 288, 35, 35]
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))  # [N, 768, 17, 17]
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  # [N, 2048, 8, 8]
        pooled: Tensor = x.mean(dim=(2, 3))
        return pooled
