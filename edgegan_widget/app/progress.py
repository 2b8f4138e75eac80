"""The bar that a long command shows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["bar"]

LOG_EVERY_SECONDS = 30.0  # into a file, where each look at the bar stays


def bar(**options: Any) -> tqdm[Any]:
    """A tqdm bar with these options that a terminal shows live, and a log file is told of now and then."""
    from tqdm import tqdm

    if sys.stderr.isatty():
        return tqdm(dynamic_ncols=True, **options)
    return tqdm(ncols=100, mininterval=LOG_EVERY_SECONDS, maxinterval=LOG_EVERY_SECONDS, **options)
