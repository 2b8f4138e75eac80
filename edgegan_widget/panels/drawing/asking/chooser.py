"""Which model draws: shipped ones, runs, and any folder; one click goes back to the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.panels.model_choice import TYPED, offered_models
from edgegan_widget.panels.widgets import Say, Silence, button, classed, guard, offer, row, show
from edgegan_widget.training.runs.jobs import Run, find_runs

__all__ = ["ModelChooser"]


class ModelChooser(widgets.Box):  # type: ignore[misc]
    """A list of models, a line for the path of another, and a button back.

    Parameters
    ----------
    root
        Folder of the runs that are offered.
    use
        Called with the name or folder of the model that is to draw; raises where it cannot.
    say
        Called with an exception to show, or None.
    served
        Names of the models of the server that draws, where one does: they stand in the place of the shipped ones.
    """

    def __init__(self, root: Path, use: Callable[[str], None], say: Say, served: Sequence[str] = ()) -> None:
        self._root, self._use, self._served = root, use, served
        self._shown = self._before = ""  # values of the list
        self._silent = Silence()
        self._list = classed(widgets.Dropdown(description="Model", layout={"width": "240px"}), "eg-drawing-model")
        self._list.style.description_width = "46px"
        self._list.observe(guard(self._chosen, say), "value")
        where = "model or run folder, or .safetensors"
        self._path = classed(widgets.Text(placeholder=where, continuous_update=False), "eg-drawing-model-path")
        self._path.observe(guard(self._typed, say), "value")
        self._back = button("", guard(self._go_back, say), "Draw with the model before again", "eg-drawing-model-back")
        super().__init__([row([self._list, self._path, self._back])])
        show(self._path, False)
        show(self._back, False)

    def show_model(self, name: str, title: str) -> None:
        """Say which model draws now, by what finds it again and what it is called."""
        if self._shown and self._shown != name:
            self._before = self._shown
            self._back.description = f"Back to {Path(self._before).name}"
        show(self._back, self._before and self._before != name)
        show(self._path, False)
        self._shown = name
        self.list_models(title)
        with self._silent:
            self._list.value = name

    def list_models(self, title: str = "", runs: Iterable[Run] | None = None) -> None:
        """Bring the list up to date with these runs, or those that are found; the model that draws is always on it."""
        offered = offered_models(find_runs(self._root) if runs is None else runs, self._served)
        if self._shown not in dict(offered).values():
            offered = [(title or Path(self._shown).name or "as given", self._shown), *offered]
        with self._silent:
            offer(self._list, offered)

    def _chosen(self) -> None:
        value = self._list.value
        if self._silent or value == self._shown:
            return
        show(self._path, value == TYPED)
        if value != TYPED:
            self._take(str(value))

    def _typed(self) -> None:
        if self._path.value.strip():
            self._take(self._path.value.strip())

    def _go_back(self) -> None:
        self._take(self._before)

    def _take(self, name: str) -> None:
        """Have another model draw; where it cannot, the list says again which one does."""
        try:
            self._use(name)
        finally:
            with self._silent:
                self._list.value = self._shown
