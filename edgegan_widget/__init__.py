"""Draw a few lines and see the object appear: an open EdgeGAN to draw with, train and serve.

Importing the package loads neither torch nor widgets; each public name loads what it needs when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgegan_widget.app import SketchPad
    from edgegan_widget.config import PRESETS, ModelConfig, TrainConfig
    from edgegan_widget.engine import EdgeGAN, Result
    from edgegan_widget.raster import Rasterizer, rasterize
    from edgegan_widget.strokes import Drawing, Stroke
    from edgegan_widget.training import Progress, train

__version__ = "0.1.0"

_HOMES = {
    "Drawing": "strokes",
    "EdgeGAN": "engine",
    "ModelConfig": "config",
    "PRESETS": "config",
    "Progress": "training",
    "Rasterizer": "raster",
    "Result": "engine",
    "SketchPad": "app",
    "Stroke": "strokes",
    "TrainConfig": "config",
    "rasterize": "raster",
    "train": "training",
}

__all__ = [
    "PRESETS",
    "Drawing",
    "EdgeGAN",
    "ModelConfig",
    "Progress",
    "Rasterizer",
    "Result",
    "SketchPad",
    "Stroke",
    "TrainConfig",
    "rasterize",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
