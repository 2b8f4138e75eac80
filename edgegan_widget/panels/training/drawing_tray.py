"""A tray of one's own drawings: collected from the pad, thrown out with a click, saved when training starts."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.base.errors import DataError
from edgegan_widget.base.files import write_bytes
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import Say, button, classed, guard, refill, thumb
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["DrawingTray"]

THUMB_PX = 128


class DrawingTray(widgets.VBox):  # type: ignore[misc]
    """Drawings with their classes.

    Parameters
    ----------
    take
        Returns the drawing on the pad and its class; None where there is no pad.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, take: Callable[[], tuple[Drawing, str]] | None, say: Say) -> None:
        self._take, self._say = take, say
        self._drawings: list[tuple[Drawing, str]] = []
        self._shown = classed(widgets.Box([]), "eg-small-pictures")
        self._count = hint("")
        add = button("Add the drawing on the pad", guard(self._add, say), "Collect what is drawn now", "eg-add-drawing")
        add.disabled = take is None
        super().__init__([add, self._count, self._shown])
        self.add_class("eg-form")
        self._show()

    @property
    def drawings(self) -> tuple[tuple[Drawing, str], ...]:
        """What was collected, with classes."""
        return tuple(self._drawings)

    def add(self, drawing: Drawing, label: str) -> None:
        """Collect a drawing.

        Raises
        ------
        DataError
            Nothing is drawn, it is collected already, or the class is no plain name.
        """
        if not drawing:
            raise DataError("the pad is empty; draw something there first, then add it.")
        if any(known.strokes == drawing.strokes and name == label for known, name in self._drawings):
            raise DataError("this drawing is collected already; draw another one.")
        if Path(label).name != label or label.startswith("."):
            raise DataError(f"the class is {label!r}, which cannot name a folder; rename it.")
        self._drawings.append((drawing, label))
        self._show()

    def save(self, folder: Path) -> None:
        """Write ``<folder>/<class>/N.json``.

        Raises
        ------
        DataError
            Nothing was collected.
        """
        if not self._drawings:
            raise DataError("no drawing is collected yet; draw on the pad and add it, a handful of each class.")
        for number, (drawing, label) in enumerate(self._drawings, 1):
            write_bytes(folder / label / f"{number}.json", drawing.to_json())

    def _add(self) -> None:
        if self._take is not None:
            self.add(*self._take())
            self._say(None)

    def _remove(self, number: int) -> None:
        del self._drawings[number]
        self._show()

    def _show(self) -> None:
        refill(self._shown, [self._card(number) for number in range(len(self._drawings))])
        classes = sorted({label for _, label in self._drawings})
        if self._drawings:
            text = f"{len(self._drawings)} of {', '.join(map(spoken, classes))}."
        elif self._take is None:
            text = "There is no pad here; open the page (edgegan-widget dashboard) to collect drawings."
        else:
            text = "None yet. Draw on the pad, come back and add it; 3 to 10 drawings of a class do."
        self._count.value = html.escape(text)

    def _card(self, number: int) -> widgets.Widget:
        """One drawing, its class and a button to throw it out."""
        drawing, label = self._drawings[number]
        words = spoken(label)
        picture = thumb(rasterize(drawing, THUMB_PX, fit=True), words)
        away = guard(lambda: self._remove(number), self._say)
        parts = [picture, hint(words), button("Remove", away, f"Throw this {words} out", "eg-remove")]
        return classed(widgets.VBox(parts), "eg-card")
