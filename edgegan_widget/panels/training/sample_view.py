"""Grids of samples with a slider back through time; two runs stand side by side."""

from __future__ import annotations

import contextlib
import html
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ipywidgets as widgets
from PIL import Image

from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import Silence, classed, heading, row, show
from edgegan_widget.training.runs.jobs import SAMPLE_KINDS, Run, SampleKind

__all__ = ["SampleView"]


class SampleView(widgets.VBox):  # type: ignore[misc]
    """Samples of a run, and of a second one beside them.

    The slider follows the newest samples as long as it stands at its end.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._steps: list[int] = []
        self._silent, self._on_change = Silence(), on_change
        wide = {"description_width": "80px"}
        self._slider = widgets.IntSlider(0, 0, 0, description="Samples at", readout=False, style=wide)
        self._slider.add_class("eg-scrub")
        self._slider.observe(self._moved, "value")
        self._at = classed(widgets.HTML(), "eg-at")
        self._sides = _Side(), _Side()
        super().__init__([row([self._slider, self._at]), classed(widgets.Box(self._sides), "eg-sides")])
        self.add_class("eg-hidden")

    def show(self, runs: Sequence[Run]) -> None:
        """Show samples of the first run at the chosen step, and of the second at its step nearest to it."""
        found = [{kind: run.samples(kind) for kind in SAMPLE_KINDS} for run in runs]
        steps = sorted(set().union(*found[0].values())) if found else []
        show(self, steps)
        if not steps:
            self._steps = []
            return
        self._follow(steps)
        step = self._steps[self._slider.value]
        self._at.value = f"step {step:,}" + (" (newest)" if step == steps[-1] else "")
        show(self._sides[1], len(runs) > 1)
        for side, run, samples in zip(self._sides, runs, found):
            side.show(run.name, samples, step, named=len(runs) > 1)

    def _follow(self, steps: list[int]) -> None:
        if steps == self._steps:
            return
        at_end = not self._steps or self._slider.value == len(self._steps) - 1
        wanted = steps[-1] if at_end else self._steps[self._slider.value]
        nearest = min(range(len(steps)), key=lambda index: abs(steps[index] - wanted))
        with self._silent:
            self._slider.max = len(steps) - 1  # before the value, and told before it: the browser would cut it off
            self._slider.value = nearest
        self._steps = steps
        self._slider.disabled = len(steps) == 1

    def _moved(self, change: object) -> None:
        if not self._silent:
            self._on_change()


class _Side(widgets.VBox):  # type: ignore[misc]
    """One run's samples."""

    def __init__(self) -> None:
        self._name = widgets.HTML()
        self._grids = {kind: _Grid(about) for kind, about in SAMPLE_KINDS.items()}
        super().__init__([self._name, *self._grids.values()])
        self.add_class("eg-side")

    def show(self, name: str, samples: Mapping[str, Mapping[int, Path]], step: int, named: bool) -> None:
        """Show those nearest to a step; of a kind that there is not, nothing."""
        shown_step = None
        for kind, by_step in samples.items():
            nearest = min(by_step, key=lambda each: abs(each - step), default=None)
            show(self._grids[kind], by_step)
            if nearest is not None:
                shown_step = nearest
                with contextlib.suppress(OSError):  # older samples give way when the folder is full
                    self._grids[kind].show(by_step[nearest].read_bytes())
        show(self._name, named)
        text = name if shown_step is None else f"{name}, step {shown_step:,}"
        self._name.value = f'<div class="eg-heading">{html.escape(text)}</div>'


class _Grid(widgets.VBox):  # type: ignore[misc]
    """A grid of samples with what it shows above, a heading over each column, and a note below."""

    def __init__(self, about: SampleKind) -> None:
        self._about = about
        self._heads = widgets.HTML()
        self._picture = classed(widgets.Image(format="png"), "eg-grid")
        framed = classed(widgets.VBox([self._heads, self._picture]), "eg-framed")
        super().__init__([heading(about.title), framed, hint(about.note)])
        self.add_class("eg-samples")

    def show(self, png: bytes) -> None:
        """Show this picture."""
        if self._picture.value != png:
            self._picture.value = png
            with Image.open(io.BytesIO(png)) as picture:
                self._heads.value = _heads_html(self._about, picture.width)


def _heads_html(about: SampleKind, width_px: int) -> str:
    """The columns' names, again for each block of the grid."""
    columns = about.columns * about.blocks(width_px)
    cells = "".join(f"<span>{name}</span>" for name in columns)
    crowded = " eg-crowded" if len(columns) > len(about.columns) else ""
    return f'<div class="eg-heads{crowded}" style="grid-template-columns: repeat({len(columns)}, 1fr)">{cells}</div>'
