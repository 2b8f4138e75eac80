"""Choosing the model to start from: a shipped one, a run, or a typed path."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ModelError
from edgegan_widget.networks.config import ModelConfig
from edgegan_widget.networks.find import find_model, packaged, read_config
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import guard, show
from edgegan_widget.training.runs import find_runs

__all__ = ["ModelChoice"]

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

    def __init__(
        self,
        root: Path,
        on_change: Callable[[], None],
        say: Callable[[Exception | None], None],
        label: str = "Start from",
    ) -> None:
        self._root, self._on_change = root, on_change
        self._config: ModelConfig | None = None
        options = _shipped() or [TYPED]
        self._list = widgets.Dropdown(options=[*dict.fromkeys([*options, TYPED])], description=label)
        self._list.add_class("eg-start-from")
        self._path = widgets.Text(placeholder="model or run folder, or .safetensors", continuous_update=False)
        self._path.description = "Path"
        self._path.add_class("eg-start-path")
        self._about = hint("")
        for control in (self._list, self._path):
            control.observe(guard(self._chosen, say), "value")
        super().__init__([self._list, self._path, self._about])
        self.add_class("eg-field")
        self.list_runs()
        self._chosen()

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
        runs = [(f"run {run.name}", str(run.folder)) for run in find_runs(self._root) if run.checkpoints()]
        options = [*((name, name) for name in _shipped()), *runs, (TYPED, TYPED)]
        if tuple(self._list.options) == tuple(options):
            return
        chosen = self._list.value
        with self._list.hold_sync(), self._list.hold_trait_notifications():
            self._list.options = options
            self._list.value = chosen if chosen in [value for _, value in options] else options[0][1]

    def _read(self) -> ModelConfig:
        if not self.name:
            raise ModelError("no model is named; choose one from the list, or type the path of its folder.")
        return read_config(find_model(Path(self.name).expanduser()))

    def _chosen(self) -> None:
        typed = self._list.value == TYPED
        show(self._path, typed)
        self._config = None
        self._about.value = ""
        if typed and not self._path.value.strip():
            self._about.value = html.escape("A model folder, a run folder, or a checkpoint file.")
            self._on_change()
            return
        try:
            self._config = self._read()
            self._about.value = html.escape(_about(self._config))
        finally:
            self._on_change()


def _shipped() -> list[str]:
    return sorted({entry.parent.name for root in packaged("models") for entry in root.glob("*/config.json")})


def _about(config: ModelConfig) -> str:
    return f"{config.architecture}, {config.size_px} px; draws {_named(config.classes)}."


def _named(classes: Sequence[str]) -> str:
    spoken = [name.replace("_", " ") for name in classes[:MOST_NAMED]]
    more = f" and {len(classes) - MOST_NAMED} more" if len(classes) > MOST_NAMED else ""
    return ", ".join(spoken) + more
