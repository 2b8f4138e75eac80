"""Several processes that train one model: ``torchrun --nproc-per-node=N -m edgegan_widget train ...``.

Each process takes its share of every batch; gradients and batch statistics are averaged over all, so the same settings
give the same run on any number of processes. torch's DistributedDataParallel hooks on one backward pass of one module;
the recipes here take gradients of several losses with respect to chosen networks, so the mean is taken where they do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed import nn as dist_nn

__all__ = ["SyncedBatchNorm", "any_process", "batch_statistics", "mean_over_processes", "process_group", "world"]


def world() -> tuple[int, int]:
    """Rank of this process and the number of all; (0, 1) where it is alone."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


@contextlib.contextmanager
def process_group() -> Iterator[None]:
    """Join the processes that ``torchrun`` started, if it did; leave them at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or dist.is_initialized():
        yield
        return
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


@torch.no_grad()
def mean_over_processes(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the processes, in one message."""
    _, count = world()
    if count == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    dist.all_reduce(flat)
    flat /= count
    start = 0
    for tensor in tensors:
        tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def any_process(flag: bool, device: torch.device) -> bool:
    """Whether any process says yes; all get the same answer, so that all stop at the same step."""
    if world()[1] == 1:
        return flag
    answer = torch.tensor(float(flag), device=device)
    dist.all_reduce(answer, op=dist.ReduceOp.MAX)
    return bool(answer)


def batch_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance by channel of [N, C, H, W] over the batch of all processes; with gradient."""
    mean = _mean_of_all(x.mean(dim=(0, 2, 3)))
    variance = _mean_of_all((x - mean[:, None, None]).square().mean(dim=(0, 2, 3)))
    return mean, variance


def _mean_of_all(part: Tensor) -> Tensor:
    total: Tensor = dist_nn.functional.all_reduce(part)
    return total / world()[1]


class SyncedBatchNorm(nn.BatchNorm2d):
    """Batch norm (Ioffe and Szegedy 2015) over the batch of all processes; torch's own does so on CUDA only."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or world()[1] == 1:
            return super().forward(x)
        mean, variance = batch_statistics(x.float())
        count = x.numel() / x.shape[1] * world()[1]
        with torch.no_grad():
            momentum = self.momentum if self.momentum is not None else 0.1
            self.running_mean.lerp_(mean, momentum)  # type: ignore[union-attr]
            self.running_var.lerp_(variance * count / (count - 1), momentum)  # type: ignore[union-attr]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        normed: Tensor = (x - mean[:, None, None]) * (variance + self.eps).rsqrt()[:, None, None]
        return normed * self.weight[:, None, None] + self.bias[:, None, None] if self.affine else normed
