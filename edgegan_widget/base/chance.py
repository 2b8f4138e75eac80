"""Random numbers that depend on what they are for, never on what was drawn before: an exact resume needs no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["stream"]


def stream(seed: int, index: int, purpose: str) -> torch.Generator:
    """CPU random numbers that depend on these three and on nothing else."""
    import torch

    words = np.random.SeedSequence([seed, index, *purpose.encode()]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(words[0]) << 31 ^ int(words[1]))
