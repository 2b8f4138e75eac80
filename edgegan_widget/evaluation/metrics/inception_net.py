"""Inception v3 as TensorFlow's classifier of 5 December 2015 had it, the network behind every published FID.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016. It departs from the paper in
three places, which mseitzer/pytorch-fid documents and which change the number: mean pooling leaves the padding out, the
last block pools by maximum, and there are 1,008 classes, which are left out here. Names of modules are those of the
weights file.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["SIDE_PX", "Inception"]

SIDE_PX = 299


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
