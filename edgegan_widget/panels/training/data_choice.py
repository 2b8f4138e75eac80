"""Choosing data: a folder (or packed file), and which of its classes to train on."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import ConfigError
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.folders import browsable
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import Say, button, classed, guard, refill, row, show
from edgegan_widget.training.data_folder import class_counts

__all__ = ["DataChoice"]

NO_DATA = "A folder with train/<class>/*.png and val/<class>/*.png, or a packed .npz file."


class DataChoice(widgets.VBox):  # type: ignore[misc]
    """A path with the classes found there, each with its number of pictures; all are chosen at first.

    Parameters
    ----------
    say
        Called with an exception to show, or None.
    remark
        A word to stand behind a class's name, such as "new".
    on_change
        Called when other classes are there or ticked.
    """

    def __init__(
        self,
        say: Say,
        remark: Callable[[str], str] = lambda _name: "",
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._say, self._remark, self._on_change = say, remark, on_change
        self._looked_at = ""
        self._counts: dict[str, int] = {}
        self._boxes: dict[str, widgets.Checkbox] = {}
        self._path = widgets.Text(description="Data", placeholder="folder or packed file", continuous_update=False)
        self._path.add_class("eg-data")
        self._path.observe(guard(self._look_anew, say), "value")
        self._sum = hint(NO_DATA)
        self._classes = classed(widgets.Box([]), "eg-classes")
        every = button("All", guard(lambda: self._tick(True), say), "Train on all classes", "eg-all")
        none = button("None", guard(lambda: self._tick(False), say), "Clear the choice", "eg-none")
        self._pick = classed(row([every, none]), "eg-hidden")
        super().__init__([browsable(self._path, say, (".npz",)), self._sum, self._classes, self._pick])
        self.add_class("eg-form")

    @property
    def data(self) -> str:
        """The path as training needs it; looked at if that was not done yet.

        Raises
        ------
        DataError
            There is no data at this path.
        """
        self.look()
        return str(Path(self._path.value.strip()).expanduser())

    @data.setter
    def data(self, path: str) -> None:
        self._path.value = path

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the ticked classes; empty where all are, as training reads it.

        Raises
        ------
        ConfigError
            None is ticked.
        """
        names = self.ticked
        if self._boxes and not names:
            raise ConfigError("no class is ticked; tick at least one to train on.")
        return () if len(names) == len(self._boxes) else names

    @property
    def ticked(self) -> tuple[str, ...]:
        """Names of the ticked classes."""
        return tuple(name for name, box in self._boxes.items() if box.value)

    def look(self) -> None:
        """Read which classes are at the path, unless that is known."""
        path = self._path.value.strip()
        if path == self._looked_at and self._counts:
            return
        self._counts, self._boxes, self._looked_at = {}, {}, path
        try:
            self._counts = class_counts(path)
        finally:
            self._show()

    def mark_again(self) -> None:
        """Write the remarks behind the classes anew."""
        for name, box in self._boxes.items():
            box.description = self._words(name)

    def _look_anew(self) -> None:
        self._counts = {}
        if self._path.value.strip():
            self.look()
        else:
            self._boxes, self._looked_at = {}, ""
            self._show()
        self._say(None)

    def _show(self) -> None:
        self._boxes = {
            name: widgets.Checkbox(True, description=self._words(name), indent=False) for name in self._counts
        }
        refill(self._classes, list(self._boxes.values()))
        for box in self._boxes.values():
            box.observe(guard(self._on_change, self._say), "value")
        self._sum.value = html.escape(_sum_line(self._counts))
        show(self._pick, len(self._boxes) > 1)
        self._on_change()

    def _words(self, name: str) -> str:
        remark = self._remark(name)
        return f"{spoken(name)} ({self._counts[name]})" + (f" · {remark}" if remark else "")

    def _tick(self, ticked: bool) -> None:
        for box in self._boxes.values():
            box.value = ticked


def _sum_line(counts: dict[str, int]) -> str:
    if not counts:
        return NO_DATA
    total = sum(counts.values())
    return f"{total:,} pictures to train on, of {len(counts)} class{'es' if len(counts) > 1 else ''}."
