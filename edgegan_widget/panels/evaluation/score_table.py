"""The table that fills while models are measured: each number is a button that opens its pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from edgegan_widget.evaluation.metrics import Metric, compared
from edgegan_widget.evaluation.report.pictures import macro
from edgegan_widget.evaluation.report.table import Grid, cell, differences, grids, raised_flags, with_ends
from edgegan_widget.panels.widgets import button, guard, toggle

__all__ = ["Place", "ScoreTable"]

Json = dict[str, Any]
Place = tuple[int, int, Metric]  # model and set by their places in the report, and the number


class ScoreTable(widgets.VBox):  # type: ignore[misc]
    """One grid a set: models as rows, numbers as columns.

    Parameters
    ----------
    gallery
        What shows the pictures behind a number; it stands below the grid of that number.
    on_cell
        Called with a :data:`Place` that was clicked.
    say
        Called with an exception to show, or None.
    """

    def __init__(
        self, gallery: widgets.Widget, on_cell: Callable[[Place], None], say: Callable[[Exception | None], None]
    ) -> None:
        self._gallery, self._on_cell, self._say = gallery, on_cell, say
        self._pressed: Place | None = None
        self._blocks: list[list[widgets.Widget]] = []
        self._parts: dict[object, widgets.Widget] = {}  # made once: what is in a cell does not change
        self._foot = widgets.HTML()
        self._foot.add_class("eg-foot")
        super().__init__([])
        self.add_class("eg-scores")

    def show(self, report: Json | None) -> None:
        """Show a report as far as it is; rows of the same report that are there stay as they are."""
        self._blocks = [] if report is None else [self._block(report, *each) for each in enumerate(grids(report))]
        self._foot.value = "" if report is None else _foot(report)
        self._arrange()

    def clear(self) -> None:
        """Forget the report, to show another."""
        self._pressed, self._blocks, self.children = None, [], ()
        for part in self._parts.values():
            part.close()
        self._parts.clear()

    def press(self, place: Place | None) -> None:
        """Mark the cell whose pictures are shown, and put them below its grid."""
        self._pressed = place
        for key, part in self._parts.items():
            if isinstance(part, widgets.Button):
                toggle(part, "eg-on", key == place)

        self._arrange()

    def _arrange(self) -> None:
        parts = []
        for place, block in enumerate(self._blocks):
            parts += block
            if self._pressed is not None and self._pressed[1] == place:
                parts.append(self._gallery)
        children = (*parts, self._foot) if parts else ()
        if self.children != children:
            self.children = children

    def _block(self, report: Json, place: int, grid: Grid) -> list[widgets.Widget]:
        """Heading and grid of a set; nothing as long as no model was measured on it."""
        if not grid.rows:
            return []
        parts = [self._made(("head", place, ""), _html, "eg-heads", "head", "model", "")]
        parts += [
            self._made(("head", place, metric), _html, "eg-heads", "head", metric.title, metric.meaning)
            for metric in grid.columns
        ]
        for line, (model, name, found) in enumerate(grid.rows):
            given = "eg-names", "model", name, found["flags"], report["flags"]
            parts.append(self._made(("name", place, model), _html, *given))
            for metric in grid.columns:
                made = self._made((model, place, metric), self._cell, (model, place, metric), name, found)
                toggle(made, "eg-best", line in grid.best[metric])
                parts.append(made)
        title = self._made(("title", place), _html, "", "set_title", grid.given)
        return [title, self._grid(place, len(grid.columns), parts)]

    def _grid(self, place: int, columns: int, parts: list[widgets.Widget]) -> widgets.Widget:
        grid = self._made(("grid", place), _grid_box)
        grid.layout.grid_template_columns = f"minmax(110px, max-content) repeat({columns}, minmax(74px, 1fr))"
        if grid.children != tuple(parts):
            grid.children = tuple(parts)
        return grid

    def _cell(self, place: Place, name: str, found: Json) -> widgets.Widget:
        metric = place[2]
        one = cell(found, metric)
        lines = [one.value, one.interval, f"({one.of_class})" * bool(one.of_class), "unreliable" * bool(one.unreliable)]
        about = f" Unreliable: {one.unreliable}." if one.unreliable else ""
        tip = f"{name}, {metric.title}: {one.value}.{about} Click for its pictures."
        made = button("\n".join(filter(None, lines)), guard(lambda: self._on_cell(place), self._say), tip, "eg-score")
        if one.unreliable:
            made.add_class("eg-unreliable")
        return made

    def _made(self, key: object, make: Callable[..., widgets.Widget], *given: object) -> widgets.Widget:
        if key not in self._parts:
            self._parts[key] = make(*given)
        return self._parts[key]


def _grid_box() -> widgets.GridBox:
    made = widgets.GridBox([])
    made.add_class("eg-score-grid")
    return made


def _html(css_class: str, name: str, *given: object) -> widgets.HTML:
    """A part of the table; it is called as its macro is."""
    made = widgets.HTML(macro("screen.html", name, *given))
    if css_class:
        made.add_class(css_class)
    return made


def _foot(report: Json) -> str:
    """What the marks mean, the flags in full, and where models differ."""
    pairs = [(pair, differences(pair)) for pair in report["differences"]]
    columns = [metric for metric in compared() if any(metric.difference in pair for pair, _ in pairs)]
    return macro("screen.html", "foot", list(raised_flags(report)), pairs, columns, with_ends)
