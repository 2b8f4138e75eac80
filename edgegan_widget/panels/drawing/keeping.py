"""Nothing is lost: the history of looks, and what the browser stores and gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.looks.look import History, Kept, Look
from edgegan_widget.sketch.raster import rasterize
from edgegan_widget.sketch.strokes import Drawing, strokes_from

__all__ = ["Keeper"]


WAITING_PX = 128  # side of the drawing that stands in for a picture that never came


class Keeper:
    """Keeps a look when it is left for another one, and hands all to the browser to store.

    A look enters the history once: when what is drawn is left for something else, when it was asked for, or when it is
    given a star. Strokes that follow each other, undo and redo do not fill it; what was undone stroke by stroke until
    nothing was left enters it, as it was with all its strokes, once something else is drawn.

    Parameters
    ----------
    browser
        Where the history is shown and stored.
    recall
        Called with a look that is wanted back, and the number of variations or None.
    now
        Called for the look of now and its choices, ``(look, variations)``.
    forget
        Called when all is to be forgotten.
    """

    def __init__(
        self,
        browser: BrowserSide,
        recall: Callable[[Look, int | None], None],
        now: Callable[[], tuple[Look, int]],
        forget: Callable[[], None],
    ) -> None:
        self.history = History()
        self._browser, self._recall, self._now, self._forget = browser, recall, now, forget
        self._current: tuple[Look, U8] | None = None  # what is shown, once it is finished
        self._fullest: tuple[Look, U8] | None = None  # the same drawing before strokes of it were undone
        self._told: dict[str, Any] = {}
        for name, action in (
            ("hello", self._greet), ("open", self._open), ("star", self._star), ("forget", self._forget_all)
        ):  # fmt: skip
            browser.on(name, action)

    def show(self, look: Look, picture: U8, asked: bool = False) -> None:
        """A finished picture is shown; one that was asked for by its look is kept at once."""
        strokes = look.drawing.strokes
        full = () if self._fullest is None else self._fullest[0].drawing.strokes
        if self._fullest is not None and strokes[:1] != full[:1]:
            self._browser.send_look(self.history.keep(*self._fullest))
        if len(strokes) >= len(full) or strokes != full[: len(strokes)]:
            self._fullest = (look, picture)
        self._current = (look, picture)
        if asked:
            self.keep()

    def keep(self) -> None:
        """Keep what is shown, since it is left for something else."""
        if self._current is not None and self._current[0].drawing:
            self._browser.send_look(self.history.keep(*self._current))

    def leave(self) -> None:
        """What is drawn is kept, also where its picture is not there yet, and is no longer shown."""
        look, _ = self._now()
        if look.drawing:
            waiting = np.repeat(rasterize(look.drawing, WAITING_PX)[..., None], 3, axis=2)
            picture = waiting if self._current is None else self._current[1]
            self._browser.send_look(self.history.keep(look, picture))
        self._current = self._fullest = None

    def favour(self, look: Look, picture: U8) -> None:
        """Keep a look with a star."""
        self._browser.send_look(self.history.keep(look, picture, starred=True))

    def tell_choices(self) -> None:
        """Have the browser store what is chosen now, where it changed."""
        choices = self._choices()
        if choices != self._told:
            self._told = choices
            self._browser.send_choices(choices)

    @property
    def favourites(self) -> list[Kept]:
        """The looks with a star, oldest first."""
        return [kept for kept in self.history if kept.starred]

    # From the browser ------------------------------------------------------------------------------------------

    def _greet(self, record: Mapping[str, Any] | None) -> None:
        """A page shows the pad: what it stored comes back, unless something newer is here."""
        if record is not None:
            self._restore(record)
        look, _ = self._now()
        self._told = self._choices()
        self._browser.send_all(look.drawing.strokes, self._told, self.history)

    def _restore(self, record: Mapping[str, Any]) -> None:
        if not len(self.history):
            self.history.bring_back(record.get("looks", []))
        missed = strokes_from(self._browser.not_taken(record))
        look, _ = self._now()
        choices = record.get("choices", {})
        if not look.drawing and not look.drawing.can_undo and (choices or missed):
            drawing = Drawing((*strokes_from(record.get("strokes", [])), *missed))
            self._recall(Look.noted(drawing, choices), choices.get("variations"))
        elif missed:
            self._recall(replace(look, drawing=Drawing((*look.drawing.strokes, *missed))), None)

    def _open(self, number: int) -> None:
        self._recall(self.history[number].look, None)

    def _star(self, number: int, starred: bool) -> None:
        self._browser.send_look(self.history.star(number, starred))

    def _forget_all(self) -> None:
        self._forget()
        self._current = self._fullest = None
        self.history.forget()
        look, _ = self._now()
        self._browser.send_all(look.drawing.strokes, self._choices(), self.history)

    def _choices(self) -> dict[str, Any]:
        look, variations = self._now()
        return look.note() | {"variations": variations}
