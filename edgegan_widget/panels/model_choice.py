"""Choosing the model to start from: a shipped one, a run, or a typed path."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ModelError
from edgegan_widget.base.words import listed, spoken
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, packaged, read_config
from edgegan_widget.panels.folders import browsable
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import Say, Silence, classed, guard, offer, show
from edgegan_widget.training.runs.jobs import Run, find_runs

__all__ = ["TYPED", "ModelChoice", "offered_models"]

TYPED = "another: type its path"
MOST_NAMED = 16  # classes told by name


class ModelChoice(widgets.VBox):  # type: ignore[misc]
    """A list of models with the classes of the chosen one below.

    Parameters
    ----------
    root
        Folder whose runs can be started from.
    on_change
        Called when another model was chosen.
    say
        Called with an exception to show, or None.
    label
        What the list is called.
    """

    def __init__(self, root: Path, on_change: Callable[[], None], say: Say, label: str = "Start from") -> None:
        self._root, self._on_change = root, on_change
        self._config: ModelConfig | None = None
        self._silent = Silence()
        self._list = classed(widgets.Dropdown(description=label), "eg-start-from")
        where = "model or run folder, or .safetensors"
        self._path = widgets.Text(description="Path", placeholder=where, continuous_update=False)
        self._path.add_class("eg-start-path")
        self._about = hint("")
        for control in (self._list, self._path):
            control.observe(guard(self._chosen, say), "value")
        self._typing = browsable(self._path, say, (".safetensors",))
        super().__init__([self._list, self._typing, self._about])
        self.add_class("eg-field")
        self._offer()
        self._look()

    @property
    def name(self) -> str:
        """Name or path of the chosen model."""
        return str(self._path.value.strip() if self._list.value == TYPED else self._list.value)

    @property
    def config(self) -> ModelConfig:
        """Settings of the chosen model.

        Raises
        ------
        ModelError
            It cannot be used.
        """
        if self._config is None:
            self._config = self._read()
        return self._config

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the chosen model; none where it cannot be read."""
        return () if self._config is None else self._config.classes

    def list_runs(self) -> None:
        """Bring the list up to date with the runs that have a model."""
        before = self._list.value
        self._offer()
        if self._list.value != before:
            self._chosen()

    def _offer(self) -> None:
        options = offered_models(find_runs(self._root))
        if tuple(self._list.options) != tuple(options):  # a choice that is made meanwhile must be heard
            with self._silent:
                offer(self._list, options)

    def _read(self) -> ModelConfig:
        if not self.name:
            raise ModelError("no model is named; choose one from the list, or type the path of its folder.")
        return read_config(find_model(Path(self.name).expanduser()))

    def _chosen(self) -> None:
        if self._silent:
            return
        try:
            self._look()
        finally:
            self._on_change()

    def _look(self) -> None:
        """Read the chosen model's settings, and tell what it draws."""
        typed = self._list.value == TYPED
        show(self._typing, typed)
        self._config, self._about.value = None, ""
        if typed and not self.name:
            self._about.value = "A model folder, a run folder, or a checkpoint file."
            return
        self._config = self._read()
        self._about.value = html.escape(_about(self._config))


def offered_models(runs: Iterable[Run], served: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Shipped models, or a server's, those of these runs that have one, and the way to any other: name and value."""
    trained = [(f"run {run.name}", str(run.folder)) for run in runs if run.checkpoints()]
    return [*((name, name) for name in served or _shipped()), *trained, (TYPED, TYPED)]


def _shipped() -> list[str]:
    return sorted({entry.parent.name for root in packaged("models") for entry in root.glob("*/config.json")})


def _about(config: ModelConfig) -> str:
    return f"{config.architecture}, {config.size_px} px; draws {listed([*map(spoken, config.classes)], MOST_NAMED)}."
