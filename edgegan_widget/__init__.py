"""Draw a few lines and see the object appear: an open EdgeGAN to draw with, train and serve.

Importing the package loads neither torch nor widgets; each public name loads what it needs when first used. Drawing
on a CPU needs no torch at all; training, evaluation and a GPU do, which the extra ``train`` brings.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edgegan_widget._version import __version__ as __version__

if TYPE_CHECKING:
    from edgegan_widget.app.launching import launch
    from edgegan_widget.app.workbench import Workbench
    from edgegan_widget.base.result import Asked, Result
    from edgegan_widget.evaluation.config import EvaluationConfig
    from edgegan_widget.evaluation.evaluate import evaluate
    from edgegan_widget.networks.config import ModelConfig
    from edgegan_widget.networks.engine import EdgeGAN
    from edgegan_widget.panels.data.panel import DataPanel
    from edgegan_widget.panels.drawing.sketchpad import SketchPad
    from edgegan_widget.panels.evaluation.evaluate import EvaluatePanel
    from edgegan_widget.panels.photo.photopad import PhotoPad
    from edgegan_widget.panels.training.finetune import FinetunePanel
    from edgegan_widget.panels.training.train import TrainPanel
    from edgegan_widget.sketch.raster import Rasterizer, rasterize
    from edgegan_widget.sketch.strokes import Drawing, Stroke
    from edgegan_widget.training.config import PRESETS, TrainConfig
    from edgegan_widget.training.loop import Progress, train
    from edgegan_widget.training.runs.jobs import Run, find_runs

_HOMES = {
    "Asked": "base.result",
    "DataPanel": "panels.data.panel",
    "Drawing": "sketch.strokes",
    "EdgeGAN": "networks.engine",
    "EvaluatePanel": "panels.evaluation.evaluate",
    "EvaluationConfig": "evaluation.config",
    "FinetunePanel": "panels.training.finetune",
    "ModelConfig": "networks.config",
    "PRESETS": "training.config",
    "PhotoPad": "panels.photo.photopad",
    "Progress": "training.loop",
    "Rasterizer": "sketch.raster",
    "Result": "base.result",
    "Run": "training.runs.jobs",
    "SketchPad": "panels.drawing.sketchpad",
    "Stroke": "sketch.strokes",
    "TrainConfig": "training.config",
    "TrainPanel": "panels.training.train",
    "Workbench": "app.workbench",
    "evaluate": "evaluation.evaluate",
    "find_runs": "training.runs.jobs",
    "launch": "app.launching",
    "rasterize": "sketch.raster",
    "train": "training.loop",
}

__all__ = [
    "PRESETS",
    "Asked",
    "DataPanel",
    "Drawing",
    "EdgeGAN",
    "EvaluatePanel",
    "EvaluationConfig",
    "FinetunePanel",
    "ModelConfig",
    "PhotoPad",
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
    from edgegan_widget.base.needs import needing_torch

    with needing_torch(f"edgegan_widget.{name}"):
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
