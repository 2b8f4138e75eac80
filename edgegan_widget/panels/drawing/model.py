"""A model to draw with: known by its settings at once, loaded when the first picture is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgegan_widget.base.result import Engine
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.networks.runners import AUTO

if TYPE_CHECKING:
    from edgegan_widget.networks.config import ModelConfig

__all__ = ["DrawingModel"]


class DrawingModel:
    """A model to draw with: what is known of it before its weights are there, and the engine once they are."""

    def __init__(self, model: str | os.PathLike[str] | Engine) -> None:
        self.engine: Engine | None = None
        self.title = ""
        known: ModelConfig | Engine
        if isinstance(model, (str, os.PathLike)):
            self.place = find_model(model)
            self.title = _title(self.place)
            known = read_config(self.place)
        else:
            self.engine = known = model
        self.classes, self.sketch_px, self.alpha = known.classes, known.sketch_px, known.alpha

    def load(self, device: str, runner: str = AUTO) -> Engine:
        """The engine, loaded the first time."""
        if self.engine is None:
            from edgegan_widget.networks.engine import EdgeGAN  # loads torch, beside the page that is already there

            self.engine = EdgeGAN.shared(self.place, device, runner)
        return self.engine


def _title(place: Path) -> str:
    """What to call a model that is not the usual one."""
    if place.is_file():
        return f"{place.parent.parent.name} ({place.stem})"  # <run>/checkpoints/best.safetensors
    return "" if place.name == "default" else place.name
