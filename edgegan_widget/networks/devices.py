"""Where the networks run: chosen once, by name."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import nn

from edgegan_widget.base.needs import device_of

Module = TypeVar("Module", bound=nn.Module)

__all__ = ["autocast", "channels_last", "choose_device", "describe_device", "threads"]


def choose_device(name: str = "auto") -> torch.device:
    """``auto`` is the first CUDA device where there is one, else the CPU.

    Raises
    ------
    ConfigError
        The name is unknown, or CUDA is asked for where this build or machine has none.
    """
    return torch.device(device_of(name))


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """The block's networks run on ``count`` threads; the process's own setting is as it was afterwards."""
    before = torch.get_num_threads()
    if before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def describe_device(device: torch.device) -> str:
    """The device in words a person knows, such as ``NVIDIA H200`` or ``CPU``."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def autocast(precision: str, device: torch.device) -> Callable[[], torch.autocast]:
    """Makes the context in which networks run at this precision; weights stay float32.

    ``auto`` is bfloat16 where the hardware has it. On CUDA ``float32`` and ``tf32`` differ in whether matrix products
    and convolutions may round their inputs to 10 bits, which is set for the whole process.
    """
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()
        precision = "bfloat16" if fast else "float32"
    enabled = precision == "bfloat16"
    # Without the cache of rounded weights, which a captured CUDA graph must not read from outside.
    return functools.partial(
        torch.autocast, device.type, torch.bfloat16, enabled=enabled, cache_enabled=device.type != "cuda"
    )


def channels_last(module: Module) -> Module:
    """The module with its convolutions laid out channels last, which is twice as fast on CPU and faster on CUDA."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
