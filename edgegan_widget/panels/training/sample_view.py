"""Grids of samples with a slider back through time; two runs stand side by side."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ipywidgets as widgets

from edgegan_widget.panels.widgets import row, show
from edgegan_widget.training.runs import Run

__all__ = ["SampleView"]

TITLES = {
    "sketches": "Fixed validation sketches: photo, its edge map, drawn edge map, picture",
    "people": "People's drawings kept for testing: drawing, drawn edge map, picture",
    "styles": "The first of each class in several styles",
    "latents": "Fixed random latents",
}


class SampleView(widgets.VBox):  # type: ignore[misc]
    """Samples of a run, and of a second one beside them.

    The slider follows the newest samples as long as it stands at its end.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._steps: list[int] = []
        self._silent = False
        self._on_change = on_change
        self._slider = widgets.IntSlider(
            0, 0, 0, description="Samples at", readout=False, style={"description_width": "80px"}
        )
        self._slider.add_class("eg-scrub")
        self._slider.observe(self._moved, "value")
        self._at = widgets.HTML()
        self._at.add_class("eg-at")
        self._pictures = {(side, kind): widgets.Image(format="png") for side in (0, 1) for kind in TITLES}
        self._names = [widgets.HTML(), widgets.HTML()]
        self._columns = [self._column(0), self._column(1)]
        columns = widgets.Box(self._columns)
        columns.add_class("eg-sides")
        super().__init__([row([self._slider, self._at]), columns])
        self.add_class("eg-hidden")

    def _column(self, side: int) -> widgets.Widget:
        parts = [self._names[side]]
        for kind, title in TITLES.items():
            self._pictures[side, kind].add_class("eg-grid")
            parts.append(widgets.VBox([self._pictures[side, kind], _caption(title)]))
        made = widgets.VBox(parts)
        made.add_class("eg-side")
        return made

    def show(self, runs: Sequence[Run]) -> None:
        """Show samples of the first run at the chosen step, and of the second at its step nearest to it."""
        found = [{kind: run.samples(kind) for kind in TITLES} for run in runs]
        steps = sorted(set().union(*found[0].values())) if found else []
        show(self, steps)
        if not steps:
            self._steps = []
            return
        self._follow(steps)
        step = self._steps[self._slider.value]
        self._at.value = f"step {step:,}" + (" (newest)" if step == steps[-1] else "")
        two = len(runs) > 1
        for side in (0, 1):
            show(self._columns[side], side < len(runs))
            show(self._names[side], two)
        for side, (run, samples) in enumerate(zip(runs, found)):
            self._show_side(side, run, samples, step)

    def _show_side(self, side: int, run: Run, samples: Mapping[str, Mapping[int, Path]], step: int) -> None:
        shown_step = None
        for kind in TITLES:
            picture, by_step = self._pictures[side, kind], samples[kind]
            nearest = min(by_step, key=lambda each: abs(each - step), default=None)
            block = self._columns[side].children[1 + list(TITLES).index(kind)]
            show(block, nearest is not None)
            if nearest is None:
                continue
            shown_step = nearest
            try:
                picture.value = by_step[nearest].read_bytes()
            except OSError:  # older samples give way when the folder is full
                continue
        text = run.name if shown_step is None else f"{run.name}, step {shown_step:,}"
        self._names[side].value = f'<div class="eg-heading">{html.escape(text)}</div>'

    def _follow(self, steps: list[int]) -> None:
        if steps == self._steps:
            return
        at_end = not self._steps or self._slider.value == len(self._steps) - 1
        wanted = steps[-1] if at_end else self._steps[self._slider.value]
        nearest = min(range(len(steps)), key=lambda index: abs(steps[index] - wanted))
        self._silent = True
        try:
            self._slider.max = len(steps) - 1  # before the value, and told before it: the browser would cut it off
            self._slider.value = nearest
        finally:
            self._silent = False
        self._steps = steps
        self._slider.disabled = len(steps) == 1

    def _moved(self, change: object) -> None:
        if not self._silent:
            self._on_change()


def _caption(text: str) -> widgets.HTML:
    made = widgets.HTML(text)
    made.add_class("eg-hint")
    return made
