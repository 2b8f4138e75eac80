"""Features on disk, named after what they were made from, so that they can be wrong only if the file is broken."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from edgegan_widget.base.files import write_atomic, write_bytes
from edgegan_widget.base.frechet import F64

__all__ = ["FeatureCache", "content_digest", "default_folder"]

LIMIT_MB = 2000


def default_folder() -> Path:
    """``edgegan-widget`` in the user's cache folder, or where EDGEGAN_WIDGET_CACHE says."""
    chosen = os.environ.get("EDGEGAN_WIDGET_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(chosen) if chosen else Path(base) / "edgegan-widget"


def content_digest(*parts: npt.NDArray[np.generic] | str) -> str:
    """SHA-256 of words and arrays, their types and shapes included; 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f"word {len(part)} {part}\n".encode())
        else:
            digest.update(f"array {part.dtype.str} {part.shape}\n".encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


class FeatureCache:
    """A folder of ``<digest>.npy``; the files used longest ago give way when it grows beyond ``limit_mb``."""

    def __init__(self, folder: Path | str | None = None, limit_mb: int = LIMIT_MB) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()
        self._limit_bytes = limit_mb * 10**6

    def get(self, digest: str, make: Callable[[], F64]) -> F64:
        """The features of this digest: read, or made and written. A cache that cannot be used is no error."""
        path = self.folder / f"{digest}.npy"
        with contextlib.suppress(OSError, ValueError, EOFError):
            found = np.load(path, allow_pickle=False)
            if found.dtype == np.float64:
                os.utime(path)
                return np.asarray(found)
        made = make()
        with contextlib.suppress(OSError):
            with write_atomic(path) as stream:
                np.save(stream, made, allow_pickle=False)
            self._shrink(path)
        return made

    def network(self, digest: str, blank: nn.Sequential, make: Callable[[], nn.Sequential]) -> nn.Sequential:
        """A trained network: its weights read into ``blank``, or trained and written."""
        path = self.folder / f"{digest}.safetensors"
        with contextlib.suppress(OSError, SafetensorError, RuntimeError):
            blank.load_state_dict(load(path.read_bytes()))
            return blank.eval()
        made = make()
        with contextlib.suppress(OSError):
            write_bytes(path, save(made.state_dict()))
        return made

    def _shrink(self, newest: Path) -> None:
        every = sorted(self.folder.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in every:
            total += path.stat().st_size
            if total > self._limit_bytes and path != newest:
                path.unlink(missing_ok=True)
