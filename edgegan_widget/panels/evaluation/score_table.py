"""The table that fills while models are measured: each number is a button that opens the pictures behind it.

All of a gallery are one picture on the page, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np

from edgegan_widget.base.units import Json
from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.metrics import Metric, at, compared, question_of
from edgegan_widget.evaluation.report.pictures import caption, groups, macro, picture_url, planes, strip
from edgegan_widget.evaluation.report.table import Grid, cell, differences, grids, raised_flags, with_ends
from edgegan_widget.panels.widgets import Say, button, classed, free, guard, toggle

__all__ = ["Gallery", "Place", "ScoreTable"]

Place = tuple[int, int, Metric]  # model and set by their places in the report, and the number

MOST_SIDE_PX = 96  # of a plane: it is not shown larger
NOT_HERE = "The pictures of this report are not on this machine; its page, the .html beside it, has them."
_RESTS_ON = ("drawings", "generated", "real", "train", "subsets", "extractor", "resize")


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

    def __init__(self, gallery: widgets.Widget, on_cell: Callable[[Place], None], say: Say) -> None:
        self._gallery, self._on_cell, self._say = gallery, on_cell, say
        self._pressed: Place | None = None
        self._blocks: list[list[widgets.Widget]] = []
        self._parts: dict[object, widgets.Widget] = {}  # made once: what is in a cell does not change
        self._foot = classed(widgets.HTML(), "eg-foot")
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

    def close(self) -> None:
        """Take it off the page, with the gallery and the foot, which stand in it at times only."""
        super().close()
        for part in (self._gallery, self._foot, *self._parts.values()):
            free(part)

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
        grid = self._made(("grid", place), lambda: classed(widgets.GridBox([]), "eg-score-grid"))
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
        look = "eg-score eg-unreliable" if one.unreliable else "eg-score"
        return button("\n".join(filter(None, lines)), guard(lambda: self._on_cell(place), self._say), tip, look)

    def _made(self, key: object, make: Callable[..., widgets.Widget], *given: object) -> widgets.Widget:
        if key not in self._parts:
            self._parts[key] = make(*given)
        return self._parts[key]


def _html(css_class: str, name: str, *given: object) -> widgets.HTML:
    """A part of the table; it is called as its macro is."""
    return classed(widgets.HTML(macro("screen.html", name, *given)), *css_class.split())


def _foot(report: Json) -> str:
    """What the marks mean, the flags in full, and where models differ."""
    pairs = [(pair, differences(pair)) for pair in report["differences"]]
    columns = [metric for metric in compared() if any(metric.difference in pair for pair, _ in pairs)]
    return macro("screen.html", "foot", list(raised_flags(report)), pairs, columns, with_ends)


class Gallery(widgets.VBox):  # type: ignore[misc]
    """A number's meaning, what it rests on, and its best, middle and worst pictures.

    Parameters
    ----------
    on_close
        Called when it was closed.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, on_close: Callable[[], None], say: Say) -> None:
        self._on_close = on_close
        self._shown = widgets.HTML()
        self._close = button("Close", guard(self.clear, say), "Close these pictures", "eg-close")
        super().__init__([self._close, self._shown])
        self.add_class("eg-gallery")

    def show(self, report: Json, model: int, place: int, metric: Metric, pictures: Pictures | None) -> None:
        """Show what stands behind a number; without pictures what it means and rests on."""
        row = report["models"][model]
        found = row["sets"][place]
        parts = [_about(row["name"], found, metric)]
        asked = found.get(metric.path[0], {})
        if "confusion" in asked:
            parts.append(macro("screen.html", "matrix", asked["classes"], asked["confusion"]))
        parts.append(_tiles(report["classes"], found, metric, pictures) if pictures else f"<p>{NOT_HERE}</p>")
        self._shown.value = "".join(parts)

    def clear(self) -> None:
        """Close it and free its pictures."""
        self._shown.value = ""
        self._on_close()


def _about(name: str, found: Json, metric: Metric) -> str:
    number = at(found, metric.path) or {}
    rests = [f"{key.replace('_', ' ')} {value}" for key, value in number.items() if key in _RESTS_ON]
    unreliable = number.get("unreliable")
    lines = [metric.meaning, f"Rests on: {', '.join(rests)}." if rests else ""]
    lines.append(f"Unreliable: {unreliable}." if unreliable else "")
    title = f"{name}, {metric.title}: {cell(found, metric).text}"
    return macro("screen.html", "about", title, found["name"], lines)


def _tiles(classes: list[str], found: Json, metric: Metric, pictures: Pictures) -> str:
    question = question_of(metric)
    beside, what = question.beside
    order = f"Drawing | picture | {what}" if beside else "Drawing | the model's own edge map | picture"
    told: list[tuple[str, list[str], int]] = []
    strips: list[Any] = []
    for group in groups(pictures, found, metric, classes):
        captions = [" · ".join(caption(pictures, number, metric, classes)[:2]) for number in group.pictures]
        told.append((group.title, captions, len(strips)))
        strips += [strip(planes(pictures, number, beside), MOST_SIDE_PX) for number in group.pictures]
    sprite = picture_url(np.concatenate(strips), compress_level=1) if strips else ""
    return macro("screen.html", "tiles", f"{question.behind} {order}.", told, len(strips), sprite)
