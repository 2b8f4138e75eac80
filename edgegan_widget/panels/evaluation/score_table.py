"""The table that fills while models are measured: each number is a button that opens its pictures."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from edgegan_widget.evaluation.table import COLUMNS, Column, at, best_rows, written
from edgegan_widget.panels.evaluation.score_words import MEANINGS
from edgegan_widget.panels.widgets import button, guard, toggle

__all__ = ["Cell", "ScoreTable"]

Json = dict[str, Any]
Cell = tuple[int, int, Column]  # model and set by their places in the report, and the number


class ScoreTable(widgets.VBox):  # type: ignore[misc]
    """One grid a set: models as rows, numbers as columns.

    Parameters
    ----------
    gallery
        What shows the pictures behind a number; it stands below the grid of that number.
    on_cell
        Called with a :data:`Cell` that was clicked.
    say
        Called with an exception to show, or None.
    """

    def __init__(
        self, gallery: widgets.Widget, on_cell: Callable[[Cell], None], say: Callable[[Exception | None], None]
    ) -> None:
        self._gallery, self._on_cell, self._say = gallery, on_cell, say
        self._pressed: Cell | None = None
        self._blocks: list[list[widgets.Widget]] = []
        self._parts: dict[object, widgets.Widget] = {}  # made once: what is in a cell does not change
        self._foot = widgets.HTML()
        self._foot.add_class("eg-foot")
        super().__init__([])
        self.add_class("eg-scores")

    def show(self, report: Json | None) -> None:
        """Show a report as far as it is; rows of the same report that are there stay as they are."""
        self._blocks = [] if report is None else [self._block(report, place) for place in range(len(report["sets"]))]
        self._foot.value = "" if report is None else _foot(report)
        self._arrange()

    def clear(self) -> None:
        """Forget the report, to show another."""
        self._pressed, self._blocks, self.children = None, [], ()
        for part in self._parts.values():
            part.close()
        self._parts.clear()

    def press(self, cell: Cell | None) -> None:
        """Mark the cell whose pictures are shown, and put them below its grid."""
        self._pressed = cell
        for key, part in self._parts.items():
            if isinstance(part, widgets.Button):
                toggle(part, "eg-on", key == cell)

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

    def _block(self, report: Json, place: int) -> list[widgets.Widget]:
        """Heading and grid of a set; nothing as long as no model was measured on it."""
        rows = [(model, row) for model, row in enumerate(report["models"]) if len(row["sets"]) > place]
        if not rows:
            return []
        sets = [row["sets"][place] for _, row in rows]
        shown = [column for column in COLUMNS if any(at(found, column[2]) for found in sets)]
        best = {column: best_rows(column, sets) for column in shown}
        parts = [self._made(("head", place, ""), _head, "model", "")]
        parts += [self._made(("head", place, column), _head, column[0], MEANINGS[column[2]]) for column in shown]
        for line, (model, row) in enumerate(rows):
            name, found = row["name"], row["sets"][place]
            parts.append(self._made(("name", place, model), _name, name, found, report["flags"]))
            for column in shown:
                cell = self._made((model, place, column), self._cell, (model, place, column), name, found)
                toggle(cell, "eg-best", line in best[column])
                parts.append(cell)
        return [self._made(("title", place), _title, report["sets"][place]), self._grid(place, len(shown), parts)]

    def _grid(self, place: int, columns: int, parts: list[widgets.Widget]) -> widgets.Widget:
        grid = self._made(("grid", place), _grid_box)
        grid.layout.grid_template_columns = f"minmax(110px, max-content) repeat({columns}, minmax(74px, 1fr))"
        if grid.children != tuple(parts):
            grid.children = tuple(parts)
        return grid

    def _cell(self, cell: Cell, name: str, found: Json) -> widgets.Widget:
        heading, way, path = cell[2]
        value, _, interval = written(found, way, path).partition(" ")
        unreliable = (at(found, path) or {}).get("unreliable")
        text = "\n".join(filter(None, [value, interval.strip("[]"), "unreliable" if unreliable else ""]))
        about = f" Unreliable: {unreliable}." if unreliable else ""
        tip = f"{name}, {heading}: {value}.{about} Click for its pictures."
        made = button(text, guard(lambda: self._on_cell(cell), self._say), tip, "eg-score")
        if unreliable:
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


def _title(given: Json) -> widgets.HTML:
    name = str(given["name"])
    return widgets.HTML(
        f'<div class="eg-heading">{html.escape(name[:1].upper() + name[1:])}: {given["drawings"]:,} drawings</div>'
    )


def _head(heading: str, meaning: str) -> widgets.HTML:
    made = widgets.HTML(f'<div class="eg-head" title="{html.escape(meaning)}">{html.escape(heading)}</div>')
    made.add_class("eg-heads")
    return made


def _name(name: str, found: Json, flags: Json) -> widgets.HTML:
    """A model with its faults on this set as words."""
    marks = "".join(
        f'<span class="eg-flag" title="{html.escape(str(flags.get(flag, "")))}">{html.escape(flag)}</span>'
        for flag in found["flags"]
    )
    made = widgets.HTML(
        f'<div class="eg-name-cell"><b title="{html.escape(name)}">{html.escape(name)}</b>{marks}</div>'
    )
    made.add_class("eg-names")
    return made


def _foot(report: Json) -> str:
    """What the marks mean, the flags in full, and where models differ."""
    lines = ["Bold: best of the column. Small: 95 % interval. A click shows the pictures behind a number."]
    lines += [f"{row['name']}: {line}" for row in report["models"] for line in _flag_lines(row, report["flags"])]
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines) + _differences(report["differences"])


def _flag_lines(row: Json, flags: Json) -> list[str]:
    raised = {flag: [found["name"] for found in row["sets"] if flag in found["flags"]] for flag in flags}
    return [f"{flag}: {flags[flag]} ({'; '.join(where)})." for flag, where in raised.items() if where]


DIFFERENCES = (
    ("right class", "right", "+.1%"),
    ("F-score of lines", "f_score", "+.3f"),
    ("chamfer", "chamfer", "+.4f"),
)


def _differences(pairs: list[Json]) -> str:
    """The first model minus each other one on the same drawings; what is sure to differ stands out."""
    if not pairs:
        return ""
    heads = "".join(f'<th scope="col">{heading}</th>' for heading, _, _ in DIFFERENCES)
    lines = []
    for pair in pairs:
        name = html.escape(f"{pair['first']} minus {pair['second']}, {pair['set']}")
        cells = "".join(_difference(pair[key], way) for _, key, way in DIFFERENCES)
        lines.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    caption = "Difference on the same drawings, with its 95 % interval; bold where it leaves out zero"
    return (
        f'<div class="eg-scroll"><table class="eg-differences"><caption>{caption}</caption>'
        f"<tr><td></td>{heads}</tr>{''.join(lines)}</table></div>"
    )


def _difference(number: Json, way: str) -> str:
    ends = f"[{number['low']:{way}}, {number['high']:{way}}]"
    value = f"{number['value']:{way}}"
    return f"<td>{f'<b>{value}</b>' if number['differs'] else value} {ends}</td>"
