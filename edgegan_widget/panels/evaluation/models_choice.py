"""Choosing several models, each with a short name that no other has."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, read_config
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.model_choice import ModelChoice
from edgegan_widget.panels.widgets import Say, button, classed, guard, refill, row, show

__all__ = ["Chosen", "ModelsChoice", "short_name"]


@dataclass(frozen=True)
class Chosen:
    """A model that was chosen: what it is called, where it lies, and its settings."""

    name: str
    place: str
    config: ModelConfig


class ModelsChoice(widgets.VBox):  # type: ignore[misc]
    """A list to choose from, and below it the chosen ones, each with a button to remove it.

    Parameters
    ----------
    root
        Folder whose runs can be chosen.
    on_change
        Called when a model was added or removed.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, root: Path, on_change: Callable[[], None], say: Say) -> None:
        self._on_change, self._say = on_change, say
        self._chosen: dict[str, Chosen] = {}  # by the file or folder that is loaded
        self._choice = ModelChoice(root, lambda: say(None), say, "Model")
        add = button("Add", guard(self._add, say), "Measure this model too", "eg-add-model")
        self._list = classed(widgets.VBox([]), "eg-models")
        self._none = hint("No model yet: choose one and press Add; two or more are compared.")
        super().__init__([self._choice, row([add]), self._none, self._list])
        self.add_class("eg-form")

    @property
    def chosen(self) -> tuple[Chosen, ...]:
        """What was chosen, in that order."""
        return tuple(self._chosen.values())

    def add(self, place: str) -> None:
        """Choose a model: the name of a shipped one, a model or run folder, or a checkpoint file.

        Raises
        ------
        ModelError
            It cannot be used, or is chosen already.
        """
        found = find_model(Path(place).expanduser()).resolve()
        if str(found) in self._chosen:
            raise ModelError(f"the model {self._chosen[str(found)].name} is chosen already; add another.")
        taken = [model.name for model in self._chosen.values()]
        self._chosen[str(found)] = Chosen(short_name(found, taken), str(found), read_config(found))
        self._show()

    def remove(self, place: str) -> None:
        """Take a model off the list."""
        self._chosen.pop(place, None)
        self._show()

    def list_runs(self) -> None:
        """Bring the list to choose from up to date with the runs that have a model."""
        self._choice.list_runs()

    def _add(self) -> None:
        self._choice.config  # noqa: B018 - raises where it cannot be used
        self.add(self._choice.name)
        self._say(None)

    def _show(self) -> None:
        refill(self._list, [self._line(model) for model in self.chosen])
        show(self._none, not self._chosen)
        self._on_change()

    def _line(self, model: Chosen) -> widgets.Widget:
        count = len(model.config.classes)
        about = f"{model.config.size_px} px, {count} class{'' if count == 1 else 'es'}"
        text = widgets.HTML(f"<b>{html.escape(model.name)}</b> <span>{about}</span>")
        remove = guard(lambda: self.remove(model.place), self._say)
        away = button("Remove", remove, f"Do without {model.name}", "eg-remove")
        return classed(widgets.Box([text, away]), "eg-model")


def short_name(place: Path, taken: Sequence[str]) -> str:
    """The folder's name, or the run's with its checkpoint; with folders above it where others are called so too."""
    name = place.name
    if place.is_file():  # <run>/checkpoints/best.safetensors
        run = place.parent.parent if place.parent.name == "checkpoints" else place.parent
        name, place = f"{run.name} ({place.stem})", run
    while name in taken and place.parent != place:
        place = place.parent
        name = f"{place.name}/{name}"
    return name
