"""A model to draw with: known by its settings at once, loaded when the first picture is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgegan_widget.base.result import Engine
from edgegan_widget.networks.find import find_model, packaged, read_config
from edgegan_widget.networks.runners import AUTO

if TYPE_CHECKING:
    from edgegan_widget.networks.config import ModelConfig

__all__ = ["DrawingModel"]


class DrawingModel:
    """A model to draw with: what is known of it before its weights are there, and the engine once they are."""

    def __init__(self, model: str | os.PathLike[str] | Engine) -> None:
        self.engine: Engine | None = None
        self.title = self.name = ""  # how it is spoken of where it is not the usual one; what finds it again
        known: ModelConfig | Engine
        if isinstance(model, (str, os.PathLike)):
            self.place = find_model(model)
            self.title = _title(self.place)
            shipped = self.place.parent in packaged("models")
            self.name = self.place.name if shipped else str(self.place.resolve())
            known = read_config(self.place)
        else:
            self.engine = known = model
            if getattr(model, "url", ""):  # on a server, where a name finds it again
                self.name = str(getattr(model, "name", ""))
                self.title = "" if self.name == "default" else self.name
        self.classes, self.sketch_px, self.alpha = known.classes, known.sketch_px, known.alpha

    @property
    def served(self) -> tuple[str, ...]:
        """Names of the models of the server on which it draws; none where it draws here."""
        return tuple(getattr(self.engine, "models", ())) if getattr(self.engine, "url", "") else ()

    def another(self, model: str | os.PathLike[str]) -> DrawingModel:
        """The model of that name: the server's where this one draws on a server that has it, else one that is here.

        Raises
        ------
        ModelError
            There is none.
        ServerError
            The server is gone.
        """
        if str(model) in self.served:
            other: Any = self.engine
            return DrawingModel(other.other(str(model)))
        return DrawingModel(model)

    @property
    def spoken(self) -> str:
        """Its title with a space before it, for a sentence."""
        return f" {self.title}" if self.title else ""

    def ready_line(self, *more: str) -> str:
        """That it is ready, where, and more that is to be told; nothing as long as it is not loaded."""
        if self.engine is None:
            return ""
        advice = "" if any(more) else getattr(self.engine, "advice", "")  # told until the first picture
        parts = [f"Ready on {self.engine.device_name}", *more, self.title and f"model {self.title}", advice]
        return " · ".join(filter(None, parts))

    def load(self, device: str, runner: str = AUTO) -> Engine:
        """The engine, loaded the first time."""
        if self.engine is None:
            from edgegan_widget.networks.engine import EdgeGAN  # loads what draws, beside the page that is there

            self.engine = EdgeGAN.shared(self.place, device, runner)
        return self.engine


def _title(place: Path) -> str:
    """What to call a model that is not the usual one."""
    if place.is_file():
        return f"{place.parent.parent.name} ({place.stem})"  # <run>/checkpoints/best.safetensors
    return "" if place.name == "default" else place.name
