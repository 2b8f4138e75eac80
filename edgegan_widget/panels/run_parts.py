"""What the panels that start runs share: two columns, Start, and a name for the run that is still free."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.panels.widgets import classed

__all__ = ["RunName", "columns", "free_name", "start_row"]


class RunName(widgets.Text):  # type: ignore[misc]
    """Name of the run to start, proposed until the person types another."""

    def __init__(self, root: Path, stem: str) -> None:
        self._root = root
        super().__init__(description="Name", value=free_name(root, stem))
        self._proposed = self._typed
        self.add_class("eg-name")

    def propose(self, stem: str) -> None:
        """Propose a free name, unless one that is free was typed."""
        is_own = self._typed != self._proposed
        if is_own and self._typed and not (self._root / self._typed).exists():
            return
        self._proposed = free_name(self._root, stem)
        self.value = self._proposed

    @property
    def _typed(self) -> str:
        return str(self.get_interact_value()).strip()

    @property
    def folder(self) -> Path:
        """Where the run goes.

        Raises
        ------
        ConfigError
            The name is empty, or no plain name of a folder.
        """
        name = self._typed
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise ConfigError(f"the run's name is {name!r}; give a plain name for a new folder, such as 'first'.")
        return self._root / name


def columns(form: widgets.Widget, live: widgets.Widget) -> widgets.Widget:
    """Form and live view side by side, one below the other on a narrow page."""
    return classed(widgets.Box([classed(form, "eg-setup"), classed(live, "eg-live")]), "eg-work")


def start_row(error: widgets.Widget, start: widgets.Widget) -> widgets.Widget:
    """The button that starts, with what went wrong above it."""
    return classed(widgets.VBox([error, start]), "eg-go")


def free_name(root: Path, stem: str) -> str:
    """``stem-1``, or the first number that is free."""
    number = 1
    while (root / f"{stem}-{number}").exists():
        number += 1
    return f"{stem}-{number}"
