"""What a machine may lack: PyTorch, which drawing on a CPU does without, a GPU, and Ray. Asking does not load them.

The package's base installation draws; training, evaluation, a GPU and a few of the pad's finer things need the extra
``train``. Where PyTorch is asked for and is not there, one sentence says how to get it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import sys
from collections.abc import Iterator

from edgegan_widget.base.errors import ConfigError, DependencyError

__all__ = [
    "INSTALL_RAY",
    "INSTALL_TORCH",
    "check_ray",
    "check_torch",
    "device_of",
    "has_torch",
    "needing_torch",
    "without_torch",
]

INSTALL_TORCH = "pip install 'edgegan_widget[train]'"
INSTALL_RAY = "pip install 'edgegan_widget[serve]'"
_DRIVERS = ("nvcuda.dll",) if os.name == "nt" else ("libcuda.so.1",)


def has_torch() -> bool:
    """Whether PyTorch is installed."""
    try:
        return importlib.util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def check_ray(what: str) -> None:
    """Refuse what cannot be done without Ray Serve where it is not installed.

    Raises
    ------
    DependencyError
        It is not there; ``what`` begins the sentence.
    """
    try:
        there = all(importlib.util.find_spec(name) is not None for name in ("ray", "fastapi"))
    except (ImportError, ValueError):
        there = False
    if not there:
        raise DependencyError(f"{what} needs Ray Serve, which is not installed here; run: {INSTALL_RAY}")


def check_torch(what: str) -> None:
    """Refuse what cannot be done without PyTorch where it is not installed.

    Raises
    ------
    DependencyError
        It is not there; ``what`` begins the sentence.
    """
    if not has_torch():
        raise DependencyError(_sentence(what))


@contextlib.contextmanager
def needing_torch(what: str) -> Iterator[None]:
    """In this block PyTorch is loaded; where it is not installed that is a :class:`DependencyError` about ``what``."""
    try:
        yield
    except ModuleNotFoundError as error:
        if without_torch(error) is None:
            raise
        raise DependencyError(_sentence(what)) from error


def without_torch(error: BaseException) -> str | None:
    """The sentence for an error that says no more than that PyTorch is not installed; None for any other error."""
    is_torch = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "torch"
    return _sentence("this") if is_torch else None


def device_of(name: str = "auto") -> str:
    """``cpu`` or ``cuda``: with ``auto`` CUDA where there is such a GPU and a PyTorch that can use it.

    PyTorch is loaded only where it is asked for CUDA, or the machine has NVIDIA's driver.

    Raises
    ------
    ConfigError
        The name is unknown, or CUDA is asked for where this build or machine has none.
    DependencyError
        CUDA is asked for and PyTorch is not installed.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device is {name!r}; allowed are 'auto', 'cpu' and 'cuda'.")
    if name == "cpu" or (name == "auto" and not _may_have_cuda()):
        return "cpu"
    with needing_torch("drawing on a GPU"):
        import torch
    if torch.cuda.is_available():
        return "cuda"
    if name == "cuda":
        raise ConfigError(
            "device is 'cuda', but PyTorch finds no CUDA GPU here; choose 'auto' or 'cpu', or install a CUDA build."
        )
    return "cpu"


def _may_have_cuda() -> bool:
    if not has_torch():
        return False
    if "torch" in sys.modules:
        return True  # asking it costs nothing then
    for driver in _DRIVERS:
        with contextlib.suppress(OSError):
            ctypes.CDLL(driver)
            return True
    return False


def _sentence(what: str) -> str:
    return f"{what} needs PyTorch, which is not installed here; run: {INSTALL_TORCH}"
