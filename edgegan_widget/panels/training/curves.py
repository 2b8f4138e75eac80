"""Loss curves as small pictures, one a network; two runs can share the axes."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CurvePlot", "History", "group_of"]

Floats = npt.NDArray[np.float64]

GROUPS = {  # by the first word of a loss's name; the rest belongs to the generators
    "discriminator": "Discriminators",
    "classifier": "Classifier",
    "encoder": "Encoder",
    "latent": "Encoder",
    "kl": "Encoder",
    "score": "Score (lower is better)",
}
ORDER = ("Generators", "Discriminators", "Encoder", "Classifier", "Score (lower is better)")
INCHES = (3.9, 2.35)
DPI = 200  # of 100 points an inch on screen: twice as fine, for high-density screens
MOST_LETTERS = 16  # of a run's name above its curves
MOST_POINTS = 600  # more cannot be told apart at this width
INK = "#8a8a8a"  # can be read on white and on black paper
COLOURS = ("#1e88e5", "#e53935", "#43a047", "#fb8c00", "#8e24aa", "#00acc1", "#6d4c41", "#d81b60")


def group_of(loss: str) -> str:
    """The network that a loss belongs to, as the heading above its curve."""
    return GROUPS.get(loss.partition("_")[0], "Generators")


@dataclass
class History:
    """Curves of one run: for each name its steps and values, steps ascending."""

    curves: dict[str, tuple[list[int], list[float]]] = field(default_factory=dict)

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
        found = {group_of(name) for name in self.curves}
        return [group for group in ORDER if group in found]

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
        figure = self._blank()
        axes = figure.axes[0]
        shown: list[Floats] = [np.empty(0)]
        colours: dict[str, str] = {}
        for dashes, history in zip(("-", (0, (3, 2))), runs.values()):
            for name in sorted(name for name in history.curves if group_of(name) == group):
                steps, values = _thinned(*history.curves[name])
                values = values if name == "score" else smoothed(values, smoothing)
                shown.append(values[np.isfinite(values)])
                marker = "o" if len(values) < 25 and (name == "score" or len(values) < 3) else ""
                label = _label(name) if name not in colours else None
                colour = colours.setdefault(name, COLOURS[len(colours) % len(COLOURS)])
                axes.plot(
                    steps, values, linestyle=dashes, color=colour, label=label, marker=marker, linewidth=1.3, ms=3
                )
        _scale(axes, np.concatenate(shown), log_axis)
        _label_axes(axes, group, list(runs) if len(runs) > 1 else [])
        return _small_png(figure)

    def _blank(self) -> Figure:
        """The figure with nothing on its axes."""
        if self._figure is None:
            from matplotlib.figure import Figure  # half a second, so only once there is something to draw

            self._figure = Figure(figsize=INCHES, dpi=DPI)
            self._figure.subplots_adjust(0.115, 0.1, 0.97, 0.9)  # a layout engine would draw everything twice
            self._figure.add_subplot()
        self._figure.axes[0].clear()
        return self._figure


def _label_axes(axes: Axes, group: str, runs: list[str]) -> None:
    axes.set_title(group, fontsize=8, color=INK, loc="left", fontweight="bold")
    if runs:
        solid, dashed = (name if len(name) <= MOST_LETTERS else f"{name[:MOST_LETTERS]}…" for name in runs)
        axes.set_title(f"— {solid}   - - {dashed}", fontsize=6.5, color=INK, loc="right")
    axes.tick_params(colors=INK, labelsize=7, which="both", length=2)
    axes.grid(color=INK, alpha=0.25, linewidth=0.5)
    axes.margins(x=0.01)
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
    if axes.lines:
        axes.legend(fontsize=6.5, labelcolor=INK, frameon=False, loc="upper right", handlelength=1.6)


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
    return (rest if rest and first in ("discriminator", "generator", "classifier") else name).replace("_", " ")


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
