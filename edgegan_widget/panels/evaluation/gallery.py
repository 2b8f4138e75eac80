"""The pictures behind a number of the table; all of a gallery are one picture on the page, whatever their number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np

from edgegan_widget.evaluation.folder import Pictures
from edgegan_widget.evaluation.metrics import Metric, at, question_of
from edgegan_widget.evaluation.report.pictures import caption, groups, macro, picture_url, planes, strip
from edgegan_widget.evaluation.report.table import cell
from edgegan_widget.panels.widgets import button, guard

__all__ = ["Gallery"]

Json = dict[str, Any]

MOST_SIDE_PX = 96  # of a plane: it is not shown larger
NOT_HERE = "The pictures are not in a saved report: its page, the .html beside it, has them."
_RESTS_ON = ("drawings", "generated", "real", "train", "subsets", "extractor", "resize")


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
