"""The loss curves on the page: a picture for each network, drawn again only when there is something new."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import ipywidgets as widgets

from edgegan_widget.panels.training.curves import CurvePlot, History
from edgegan_widget.panels.widgets import row, show

__all__ = ["CurveView"]

DRAW_EVERY_SECONDS = 2.0
DRAWING_SHARE = 100  # and no sooner than so many times as long as the last drawing took


class CurveView(widgets.VBox):  # type: ignore[misc]
    """Curves of one run or two; ``on_change`` is called when axis or smoothing changed and :meth:`show` is due.

    Not to be shared by threads: its user holds a lock.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._plot = CurvePlot()
        self._pictures: dict[str, widgets.Image] = {}
        self._next_draw = 0.0
        self._drawn: tuple[object, object] | None = None  # what was drawn: how, and how much of it
        self._log = widgets.Checkbox(True, description="Log axis", indent=False)
        self._smoothing = widgets.FloatSlider(
            0.6, min=0, max=0.95, step=0.05, description="Smoothing", continuous_update=False,
            style={"description_width": "72px"}, layout={"width": "250px"},
        )  # fmt: skip
        for control in (self._log, self._smoothing):
            control.observe(lambda _: on_change(), "value")
        self._grid = widgets.Box([])
        self._grid.add_class("eg-curves")
        super().__init__([self._grid, row([self._log, self._smoothing])])
        self.add_class("eg-hidden")

    def show(self, runs: Mapping[str, History]) -> None:
        """Draw what changed; where only data is new, for at most a hundredth of the time, so call again and again."""
        look = (self._log.value, self._smoothing.value, tuple(runs))
        state = (look, tuple(_size(history) for history in runs.values()))
        same_look = self._drawn is not None and self._drawn[0] == look
        if state == self._drawn or (same_look and time.monotonic() < self._next_draw):
            return
        began = time.monotonic()
        self._draw(runs)
        ended = time.monotonic()
        self._drawn, self._next_draw = state, ended + max(DRAW_EVERY_SECONDS, DRAWING_SHARE * (ended - began))

    def _draw(self, runs: Mapping[str, History]) -> None:
        groups = list(dict.fromkeys(group for history in runs.values() for group in history.groups()))
        for group in groups:
            picture = self._pictures.setdefault(group, widgets.Image(format="png"))
            picture.value = self._plot.png(group, runs, self._log.value, self._smoothing.value)
        shown = tuple(self._pictures[group] for group in groups)
        if shown != self._grid.children:
            self._grid.children = shown
        show(self, groups)


def _size(history: History) -> tuple[int, int]:
    return len(history.curves), sum(steps[-1] + len(steps) for steps, _ in history.curves.values() if steps)
