"""Loss curves on the page: a small picture for each network, which two runs can share, drawn when something is new."""

from __future__ import annotations

import html
import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt
from PIL import Image

from edgegan_widget.base.words import spoken
from edgegan_widget.panels.widgets import classed, row, show
from edgegan_widget.training.kinds import FALLS, Loss

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CurvePlot", "CurveView", "History", "group_of"]

Floats = npt.NDArray[np.float64]

SCORE = Loss("Score", FALLS, "how far pictures are from real ones, over photos it is not trained on; the best is kept")
UNTOLD = Loss("Generators", "losses", "")  # of a recipe that is gone
NETWORKS = ("Generators", "Discriminators", "Encoder", "Classifier", "Score")
INCHES = (3.9, 2.6)
DPI = 200  # of 100 points an inch on screen: twice as fine, for high-density screens
MOST_LETTERS = 16  # of a run's name above its curves
MOST_POINTS = 600  # more cannot be told apart at this width
INK = "#8a8a8a"  # can be read on white and on black paper
DRAW_EVERY_SECONDS = 2.0
DRAWING_SHARE = 100  # and no sooner than so many times as long as the last drawing took
EARLY_SHARE, EARLY_POINTS = 10, 60  # of a run that has begun just now, whose every point is news
FEW_POINTS = 25  # they are marked: a line between them would not be seen
COLOURS = (
    "#1e88e5", "#e53935", "#43a047", "#fb8c00", "#8e24aa", "#00acc1", "#6d4c41", "#d81b60", "#7cb342", "#5c6bc0",
)  # fmt: skip


def group_of(loss: str, losses: Mapping[str, Loss]) -> str:
    """The heading under which a loss is drawn: its network, and what should become of it."""
    about = _about(loss, losses)
    return f"{about.network}: {about.goes}"


def notes_html(names: Sequence[str], losses: Mapping[str, Loss]) -> str:
    """What each curve says, beside a dot of its colour."""
    lines = (
        f'<li><i style="background: {COLOURS[place % len(COLOURS)]}"></i><b>{html.escape(_label(name))}</b> '
        f"{html.escape(_about(name, losses).meaning)}</li>"
        for place, name in enumerate(sorted(names))
    )
    return f'<ul class="eg-losses">{"".join(lines)}</ul>'


def _about(loss: str, losses: Mapping[str, Loss]) -> Loss:
    return SCORE if loss == "score" else losses.get(loss, UNTOLD)


@dataclass
class History:
    """Curves of one run: for each name its steps and values, steps ascending."""

    curves: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)
    losses: Mapping[str, Loss] = field(default_factory=dict)  # what the recipe tells of them

    def add(self, reports: Sequence[Mapping[str, Any]]) -> None:
        """Take in lines of ``metrics.jsonl``; a run that went back to a saved state overwrites what came after it."""
        for report in reports:
            try:
                step = int(report["step"])
                values = {str(name): float(value) for name, value in dict(report.get("losses") or {}).items()}
                if report.get("score") is not None:
                    values["score"] = float(report["score"])
            except (KeyError, TypeError, ValueError):
                continue
            self._forget_from(step)
            for name, value in values.items():
                steps, known = self.curves.setdefault(name, ([], []))
                steps.append(step)
                known.append(value)

    def groups(self) -> list[str]:
        """Headings of the curves that are there, in the order in which they are shown."""
        found = sorted({group_of(name, self.losses) for name in self.curves})  # of a network, what falls comes first
        return sorted(found, key=lambda group: NETWORKS.index(group.partition(":")[0]))

    def names(self, group: str) -> list[str]:
        """The losses under a heading."""
        return sorted(name for name in self.curves if group_of(name, self.losses) == group)

    @property
    def is_early(self) -> bool:
        """Whether so little is there that every point is news."""
        return max((len(steps) for steps, _ in self.curves.values()), default=0) < EARLY_POINTS

    def _forget_from(self, step: int) -> None:
        for steps, values in self.curves.values():
            while steps and steps[-1] >= step:
                steps.pop()
                values.pop()


class CurvePlot:
    """Draws curves with one figure that is used again and again; not to be shared by threads."""

    def __init__(self) -> None:
        self._figure: Figure | None = None

    def png(self, group: str, runs: Mapping[str, History], log_axis: bool, smoothing: float) -> bytes:
        """The curves of one group as a PNG with transparent paper.

        Parameters
        ----------
        group
            One of :meth:`History.groups`.
        runs
            Histories by the run's name, the second one dashed.
        log_axis
            Logarithmic where all values are above zero, symmetric around zero else.
        smoothing
            From 0, as they are, to below 1: weight of what came before.
        """
        figure = self.blank()
        axes = figure.axes[0]
        shown: list[Floats] = [np.empty(0)]
        names = names_of(group, runs)
        for dashes, history in zip(("-", (0, (3, 2))), runs.values()):
            for name in history.names(group):
                steps, values = _thinned(*history.curves[name])
                values = values if name == "score" else smoothed(values, smoothing)
                shown.append(values[np.isfinite(values)])
                marker = "o" if len(values) < FEW_POINTS else ""
                colour = COLOURS[names.index(name) % len(COLOURS)]
                axes.plot(steps, values, linestyle=dashes, color=colour, marker=marker, linewidth=1.3, ms=2.5)
        _scale(axes, np.concatenate(shown), log_axis)
        _label_axes(axes, group, list(runs) if len(runs) > 1 else [])
        return _small_png(figure)

    def blank(self) -> Figure:
        """The figure with nothing on its axes."""
        if self._figure is None:
            from matplotlib.figure import Figure  # half a second, so only once there is something to draw

            self._figure = Figure(figsize=INCHES, dpi=DPI)
            self._figure.subplots_adjust(0.15, 0.16, 0.97, 0.9)  # a layout engine would draw everything twice
            self._figure.add_subplot()
        self._figure.axes[0].clear()
        return self._figure


class CurveView(widgets.VBox):  # type: ignore[misc]
    """Curves of one run or two; ``on_change`` is called when axis or smoothing changed and :meth:`show` is due.

    Not to be shared by threads: its user holds a lock.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._plot = CurvePlot()
        self._parts: dict[str, _Curve] = {}
        self._next_draw = 0.0
        self._drawn: tuple[object, object] | None = None  # what was drawn: how, and how much of it
        self._log = widgets.Checkbox(True, description="Log axis", indent=False)
        self._smoothing = widgets.FloatSlider(
            0.6, min=0, max=0.95, step=0.05, description="Smoothing", continuous_update=False,
            style={"description_width": "72px"}, layout={"width": "250px"},
        )  # fmt: skip
        for control in (self._log, self._smoothing):
            control.observe(lambda _: on_change(), "value")
        self._grid = classed(widgets.Box([]), "eg-curves")
        super().__init__([self._grid, row([self._log, self._smoothing])])
        self.add_class("eg-hidden")

    def show(self, runs: Mapping[str, History]) -> None:
        """Draw what changed; where only data is new, for a small share of the time, so call again and again."""
        look = (self._log.value, self._smoothing.value, tuple(runs))
        state = (look, tuple(_size(history) for history in runs.values()))
        same_look = self._drawn is not None and self._drawn[0] == look
        if state == self._drawn or (same_look and time.monotonic() < self._next_draw):
            return
        self._plot.blank()  # what it loads the first time is no measure of a drawing
        began = time.monotonic()
        self._draw(runs)
        ended = time.monotonic()
        share = EARLY_SHARE if any(history.is_early for history in runs.values()) else DRAWING_SHARE
        self._drawn, self._next_draw = state, ended + max(DRAW_EVERY_SECONDS, share * (ended - began))

    def _draw(self, runs: Mapping[str, History]) -> None:
        groups = list(dict.fromkeys(group for history in runs.values() for group in history.groups()))
        for group in groups:
            png = self._plot.png(group, runs, self._log.value, self._smoothing.value)
            losses = {name: about for history in runs.values() for name, about in history.losses.items()}
            self._parts.setdefault(group, _Curve()).show(png, notes_html(names_of(group, runs), losses))
        shown = tuple(self._parts[group] for group in groups)
        if shown != self._grid.children:
            self._grid.children = shown
        show(self, groups)


class _Curve(widgets.VBox):  # type: ignore[misc]
    """The curves of one heading, and below them what each says."""

    def __init__(self) -> None:
        self._picture, self._notes = widgets.Image(format="png"), widgets.HTML()
        super().__init__([self._picture, self._notes])
        self.add_class("eg-curve")

    def show(self, png: bytes, notes: str) -> None:
        self._picture.value, self._notes.value = png, notes


def names_of(group: str, runs: Mapping[str, History]) -> list[str]:
    """The losses under a heading, of all runs."""
    return sorted({name for history in runs.values() for name in history.names(group)})


def _size(history: History) -> tuple[int, int]:
    return len(history.curves), sum(steps[-1] + len(steps) for steps, _ in history.curves.values() if steps)


def _label_axes(axes: Axes, group: str, runs: list[str]) -> None:
    axes.set_title(group, fontsize=8, color=INK, loc="left", fontweight="bold")
    if runs:
        solid, dashed = (name if len(name) <= MOST_LETTERS else f"{name[:MOST_LETTERS]}…" for name in runs)
        axes.set_title(f"— {solid}   - - {dashed}", fontsize=6.5, color=INK, loc="right")
    axes.tick_params(colors=INK, labelsize=7, which="both", length=2)
    axes.grid(color=INK, alpha=0.25, linewidth=0.5)
    axes.margins(x=0.03, y=0.08)
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    axes.set_xlabel("step", fontsize=7, color=INK, labelpad=2)
    axes.set_ylabel("score" if group.startswith(SCORE.network) else "loss", fontsize=7, color=INK, labelpad=2)


def _small_png(figure: Figure) -> bytes:
    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", transparent=True)
    Image.open(raw).quantize(128).save(small, "PNG")  # a third of the bytes
    return small.getvalue()


def smoothed(values: Floats, weight: float) -> Floats:
    """Running mean whose beginning is not drawn towards zero."""
    if not weight:
        return values
    result, mean, total = np.empty_like(values), 0.0, 0.0
    for index, value in enumerate(values):
        if math.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            total = weight * total + (1 - weight)
        result[index] = mean / total if total else value
    return result


def _thinned(steps: Sequence[int], values: Sequence[float]) -> tuple[npt.NDArray[np.int64], Floats]:
    """At most :data:`MOST_POINTS` points, each the mean of its neighbourhood; the last step stays the last."""
    all_steps, all_values = np.asarray(steps, np.int64), np.asarray(values, np.float64)
    if len(all_steps) <= MOST_POINTS:
        return all_steps, all_values
    parts = np.array_split(np.arange(len(all_steps)), MOST_POINTS)
    return (
        np.array([all_steps[part[-1]] for part in parts]),
        np.array([all_values[part].mean() for part in parts]),
    )


def _label(name: str) -> str:
    first, _, rest = name.partition("_")
    return spoken(rest if rest and first in ("discriminator", "generator", "classifier") else name)


def _scale(axes: Axes, values: Floats, log_axis: bool) -> None:
    """Logarithmic where asked for, with plain numbers: powers set as formulas take half of the time."""
    from matplotlib.ticker import MaxNLocator, NullFormatter

    if log_axis and len(values):
        axes.set_yscale("log") if values.min() > 0 else axes.set_yscale("symlog", linthresh=0.1)
        if values.min() > 0 and values.max() < 20 * values.min():  # too little for powers of ten alone
            axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(NullFormatter())
