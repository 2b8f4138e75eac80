"""Draw a few lines and see the object appear: an open EdgeGAN to draw with, train and serve.

Importing the package loads neither torch nor widgets; each public name loads what it needs when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edgegan_widget._version import __version__ as __version__

if TYPE_CHECKING:
    from edgegan_widget.app import SketchPad
    from edgegan_widget.config import PRESETS, EvaluationConfig, ModelConfig, TrainConfig
    from edgegan_widget.engine import EdgeGAN, Result
    from edgegan_widget.evaluation import evaluate
    from edgegan_widget.launching import launch
    from edgegan_widget.panels.data import DataPanel
    from edgegan_widget.panels.evaluate import EvaluatePanel
    from edgegan_widget.panels.finetune import FinetunePanel
    from edgegan_widget.panels.train import TrainPanel
    from edgegan_widget.raster import Rasterizer, rasterize
    from edgegan_widget.runs import Run, find_runs
    from edgegan_widget.strokes import Drawing, Stroke
    from edgegan_widget.training import Progress, train
    from edgegan_widget.workbench import Workbench

_HOMES = {
    "DataPanel": "panels.data",
    "Drawing": "strokes",
    "EdgeGAN": "engine",
    "EvaluatePanel": "panels.evaluate",
    "EvaluationConfig": "config",
    "FinetunePanel": "panels.finetune",
    "ModelConfig": "config",
    "PRESETS": "config",
    "Progress": "training",
    "Rasterizer": "raster",
    "Result": "engine",
    "Run": "runs",
    "SketchPad": "app",
    "Stroke": "strokes",
    "TrainConfig": "config",
    "TrainPanel": "panels.train",
    "Workbench": "workbench",
    "evaluate": "evaluation",
    "find_runs": "runs",
    "launch": "launching",
    "rasterize": "raster",
    "train": "training",
}

__all__ = [
    "PRESETS",
    "DataPanel",
    "Drawing",
    "EdgeGAN",
    "EvaluatePanel",
    "EvaluationConfig",
    "FinetunePanel",
    "ModelConfig",
    "Progress",
    "Rasterizer",
    "Result",
    "Run",
    "SketchPad",
    "Stroke",
    "TrainConfig",
    "TrainPanel",
    "Workbench",
    "evaluate",
    "find_runs",
    "launch",
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
