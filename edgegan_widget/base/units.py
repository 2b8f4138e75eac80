"""Types of arrays and records that all rooms share; pictures as networks take them, and as files hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["F32", "U8", "Json", "to_u8", "to_unit"]

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
Json = dict[str, Any]


def to_unit(values_u8: Tensor) -> Tensor:
    """uint8 0..255 -> float32 in [-1, 1], as the original does: u / 127.5 - 1."""
    return values_u8.float() / 127.5 - 1


def to_u8(values: Tensor) -> Tensor:
    """Float in [-1, 1] -> uint8, rounded to the nearest."""
    return ((values.float() + 1) * 127.5).round().clamp(0, 255).byte()
