"""The answer on screen: its pictures, which of them is chosen, and the look that they followed from."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from edgegan_widget.base.result import Result, variation_seed
from edgegan_widget.base.units import U8
from edgegan_widget.panels.drawing.asking.requests import Request
from edgegan_widget.panels.drawing.keeping import Keeper
from edgegan_widget.panels.drawing.looks.look import Look
from edgegan_widget.panels.drawing.result import ResultView
from edgegan_widget.sketch.strokes import Drawing

__all__ = ["Answer"]

TELL_EVERY_SECONDS = 1.0  # edge map and figures while the pen is down; the picture itself is shown at once


class Answer:
    """The last answer, as it is shown and as it enters the history.

    Parameters
    ----------
    view
        Where it is shown.
    keeper
        Told of each finished picture.

    Attributes
    ----------
    result
        All of it; None as long as nothing is drawn.
    chosen
        Which of its variations is the main picture.
    changing
        Held while it changes: a picture that arrives late must not overwrite a cleared pad or another model's.
    """

    def __init__(self, view: ResultView, keeper: Keeper) -> None:
        self._view, self._keeper = view, keeper
        self.result: Result | None = None
        self.chosen = 0
        self.changing = threading.RLock()
        self._look = Look(Drawing(), "")  # what was asked
        self._blank = True  # there is no ink
        self._told = 0.0

    @property
    def image(self) -> U8 | None:
        """The main picture, uint8 [H, W, 3]; None as long as nothing is drawn."""
        return None if self.result is None else self.result.images[self.chosen]

    def clear(self) -> None:
        """There is no ink, so that there is no picture, and none is waited for."""
        with self.changing:
            self._blank, self.result = True, None
            self._view.show_nothing()

    def expect(self) -> None:
        """There is ink: what comes is to be shown."""
        self._blank = False

    def show(self, request: Request, result: Result) -> bool:
        """Show pictures as long as there is ink; whether all was shown, and not one picture for a moment."""
        with self.changing:
            if self._blank:
                return False
            self.result, self.chosen, self._look = result, 0, request.look
            self._view.show_live(result.image)
            if not request.finished and time.monotonic() - self._told < TELL_EVERY_SECONDS:
                return False
            self._told = time.monotonic()
            self._view.show(result.images, result.edges)
            if request.finished:
                self._keeper.show(request.look, result.image, request.asked)
            return True

    def choose(self, variation: int) -> Look | None:
        """Make a variation the main picture, and tell its look; the others stay where they are."""
        with self.changing:
            result = self.result
            if result is None or variation >= len(result.images):
                return None
            look, self.chosen = self._look_of(variation), variation
            self._view.choose(variation, result.images[variation], result.edges[variation])
            self._keeper.show(look, result.images[variation])
            return look

    def star(self, variation: int) -> None:
        """Keep a variation with a star."""
        if self.result is not None:
            self._keeper.favour(self._look_of(variation), self.result.images[variation])

    def _look_of(self, variation: int) -> Look:
        """The look that a variation has by itself."""
        return replace(self._look, seed=variation_seed(self._look.seed, variation))
