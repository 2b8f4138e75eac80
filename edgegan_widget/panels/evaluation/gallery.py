"""The pictures behind a number of the table."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.table import Column, at, written
from edgegan_widget.panels.evaluation.gallery_choice import groups
from edgegan_widget.panels.evaluation.score_words import KINDS, MEANINGS
from edgegan_widget.panels.evaluation.sprite import sprite_url, strip, tile_html
from edgegan_widget.panels.widgets import button, guard

__all__ = ["Gallery"]

Json = dict[str, Any]

NOT_HERE = "The pictures are not in a saved report: its page, the .html beside it, has them."


class Gallery(widgets.VBox):  # type: ignore[misc]
    """A number's meaning, what it rests on, and its best, middle and worst pictures.

    Parameters
    ----------
    on_close
        Called when it was closed.
    say
        Called with an exception to show, or None.
    """

    def __init__(self, on_close: Callable[[], None], say: Callable[[Exception | None], None]) -> None:
        self._on_close = on_close
        self._shown = widgets.HTML()
        self._close = button("Close", guard(self.clear, say), "Close these pictures", "eg-close")
        super().__init__([self._close, self._shown])
        self.add_class("eg-gallery")

    def show(self, report: Json, model: int, place: int, column: Column, pictures: Pictures | None) -> None:
        """Show what stands behind a number; without pictures what it means and rests on."""
        row = report["models"][model]
        found = row["sets"][place]
        parts = [_about(row["name"], found, column)]
        if column[2][0] == "right_class":
            parts.append(_matrix(found["right_class"]))
        parts.append(_tiles(report, found, column, pictures) if pictures is not None else f"<p>{NOT_HERE}</p>")
        self._shown.value = "".join(parts)

    def clear(self) -> None:
        """Close it and free its pictures."""
        self._shown.value = ""
        self._on_close()


def _about(name: str, found: Json, column: Column) -> str:
    heading, way, path = column
    number = at(found, path) or {}
    rests = [f"{key.replace('_', ' ')} {value}" for key, value in number.items() if key in _RESTS_ON]
    unreliable = number.get("unreliable")
    lines = [MEANINGS[path], f"Rests on: {', '.join(rests)}." if rests else ""]
    lines.append(f"Unreliable: {unreliable}." if unreliable else "")
    told = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
    title = f"{name}, {heading}: {written(found, way, path)}"
    return f'<div class="eg-gallery-title">{html.escape(title)}</div><p>{html.escape(found["name"])}</p>{told}'


_RESTS_ON = ("drawings", "generated", "real", "train", "subsets", "extractor", "resize")


def _matrix(found: Json) -> str:
    """Rows are asked for, columns are seen; darker is a larger share of the row."""
    names = [html.escape(str(name).replace("_", " ")) for name in found["classes"]]
    heads = "".join(f'<th scope="col"><span>{name}</span></th>' for name in names)
    lines = []
    for place, (name, counts) in enumerate(zip(names, found["confusion"])):
        total = max(1, sum(counts))
        cells = "".join(_matrix_cell(count, count / total, other == place) for other, count in enumerate(counts))
        lines.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    return (
        '<div class="eg-scroll"><table class="eg-matrix"><caption>Rows: the class asked for. Columns: the class seen.'
        f"</caption><tr><td></td>{heads}</tr>{''.join(lines)}</table></div>"
    )


def _matrix_cell(count: int, share: float, right: bool) -> str:
    return f'<td class="{"eg-right-class" if right else ""}" style="--eg-share:{share:.2f}">{count or ""}</td>'


def _tiles(report: Json, found: Json, column: Column, pictures: Pictures) -> str:
    classes = report["classes"]
    chosen = groups(pictures, found, column, classes)
    copies = column[2][0] == "memorisation"
    numbers = [number for group in chosen for number in group.pictures]
    strips = [_strip(pictures, number, copies) for number in numbers]
    order = "Drawing | picture | nearest training picture" if copies else "Drawing | the model's own edge map | picture"
    tiles, place = [], 0
    for group in chosen:
        figures = []
        for number in group.pictures:
            figures.append(tile_html(place, len(numbers), 3, _caption(pictures, number, column, classes)))
            place += 1
        title = f'<div class="eg-heading">{html.escape(group.title)}</div>' if group.title else ""
        tiles.append(f'{title}<div class="eg-tiles">{"".join(figures)}</div>')
    said = f"<p>{KINDS[column[2][0]]} {order}.</p>"
    return f'{said}<div style="--eg-sprite:url({sprite_url(strips)})">{"".join(tiles)}</div>' if strips else said


def _strip(pictures: Pictures, number: int, copies: bool) -> Any:
    sketch, picture = pictures.sketches[number // pictures.variations], pictures.pictures[number]
    parts = [sketch, picture, pictures.nearest[number]] if copies else [sketch, pictures.edges[number], picture]
    return strip([np.asarray(part) for part in parts])


def _caption(pictures: Pictures, number: int, column: Column, classes: Sequence[str]) -> str:
    asked, seen = (classes[int(found[number])].replace("_", " ") for found in (pictures.labels, pictures.seen))
    verdict = asked if asked == seen else f"{asked}, seen as {seen}"
    values = {
        "chamfer": f"chamfer {pictures.chamfer[number]:.4f}",
        "copied_share": f"{pictures.relative[number]:.2f} of a held-out one's distance",
    }
    return f"{verdict} · {values.get(column[2][-1], f'F {pictures.f_score[number]:.2f}')}"
