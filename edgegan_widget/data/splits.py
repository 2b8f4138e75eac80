"""Which split a source picture is in: by the hash of its content, so that no picture is ever in two."""

from __future__ import annotations

import hashlib

from edgegan_widget.base.errors import ConfigError

__all__ = ["split_of"]


def split_of(source_sha256: str, val_share: float) -> str:
    """``train`` or ``val``, a pure function of the source picture's content."""
    if not 0 <= val_share < 1:
        raise ConfigError(f"val-share is {val_share}; it must be from 0 to below 1.")
    drawn = int(hashlib.sha256(f"split {source_sha256}".encode()).hexdigest()[:12], 16) / 16**12
    return "val" if drawn < val_share else "train"
