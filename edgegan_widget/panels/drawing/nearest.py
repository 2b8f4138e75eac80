"""Real pictures that look like what is drawn: to look at, to lay under the pad, or to begin from with their lines."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from edgegan_widget.base.background import NewestWins
from edgegan_widget.base.pictures import open_picture
from edgegan_widget.base.units import U8
from edgegan_widget.base.words import spoken
from edgegan_widget.panels.drawing.browser import BrowserSide
from edgegan_widget.panels.drawing.pad import Pad
from edgegan_widget.panels.forms import hint
from edgegan_widget.panels.widgets import button, classed, error_html, folded, guard, refill, row, thumb
from edgegan_widget.sketch.edges import draw, squared
from edgegan_widget.sketch.trace import trace

if TYPE_CHECKING:
    from edgegan_widget.retrieval.index import Found, Index

__all__ = ["NearestView"]

SHOWN = 12
THUMB_PX, LAID_PX = 128, 512
TRACED_PX = 256  # side at which a picture's lines are sought
LINES = "contour"  # of the edge maps the one most like strokes
REMEMBERED = "nearest"
FIRST_WORDS = "Make one in a terminal: edgegan-widget index DATA. Then draw, and its nearest pictures appear here."


@dataclass(frozen=True)
class _Asked:
    """What is to be looked up, where: without a sketch whether there is an index, without a class among all."""

    folder: str
    sketch: U8 | None
    label: str | None


@dataclass(frozen=True)
class _Answer:
    """Pictures with their files, uint8 [side, side, 3] each, and a line about them."""

    pictures: list[tuple[Found, U8]]
    words: str


class NearestView(widgets.VBox):  # type: ignore[misc]
    """A strip of the pictures of an index that are nearest to the drawing; nothing is looked up while it is folded.

    Parameters
    ----------
    pad
        Where a picture is laid under, and where its lines go.
    browser
        Remembers the folder of the index.
    """

    def __init__(self, pad: Pad, browser: BrowserSide) -> None:
        self._pad, self._browser = pad, browser
        self._last: tuple[U8, str] | None = None  # sketch and class
        self._worker: NewestWins[_Asked, _Answer] = NewestWins(self._look_up, self._show, self._found_none)
        self._fold = folded("Real pictures like this", self._build())
        self._fold.observe(guard(self._ask, self._complain), "selected_index")
        super().__init__([self._fold])
        self.add_class("eg-nearest")
        browser.on_remembered(REMEMBERED, self._remembered)

    def show_nearest(self, sketch: U8, label: str) -> None:
        """What is drawn now, uint8 [side, side]: look it up as soon as somebody looks here."""
        before, self._last = self._last, (sketch, label)
        if before is None or before[1] != label or not np.array_equal(before[0], sketch):
            self._ask()

    def wait(self, timeout_seconds: float = 60.0) -> bool:
        """Wait until the pictures of the last drawing are there; False where that took longer."""
        return self._worker.wait_idle(timeout_seconds)

    def close(self) -> None:
        """End the worker and take the strip off the page."""
        self._worker.close()
        super().close()

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build(self) -> widgets.Widget:
        self._folder = classed(
            widgets.Text(description="Index", placeholder="folder of an index, or data with one",
                         continuous_update=False), "eg-nearest-folder",
        )  # fmt: skip
        self._folder.style.description_width = "46px"
        self._folder.observe(guard(self._typed, self._complain), "value")
        self._any = widgets.Checkbox(False, description="Any class", indent=False, tooltip="Not only the chosen class")
        self._any.observe(guard(self._ask, self._complain), "value")
        self._words, self._error = hint(FIRST_WORDS), classed(widgets.HTML(), "eg-status")
        self._strip = classed(widgets.Box([]), "eg-small-pictures", "eg-nearest-pictures")
        return widgets.VBox([row([self._folder, self._any]), self._error, self._words, self._strip])

    def _tile(self, found: Found, picture: U8) -> widgets.Widget:
        name = f"{spoken(found.label)}, {found.path.name}{', mirrored' if found.mirrored else ''}"
        tile = thumb(picture, f"Lay it under the pad ({name})", guard(lambda: self._lay(found), self._complain))
        take = guard(lambda: self._take(found), self._complain)
        tile.children = (*tile.children, button("✎", take, f"Draw with its lines ({name})", "eg-star eg-take"))
        return tile

    # What a person does ----------------------------------------------------------------------------------------

    def _typed(self) -> None:
        self._browser.remember(REMEMBERED, self._folder.value.strip())
        self._ask()

    def _remembered(self, folder: object) -> None:
        """A page brings the folder that was used before; one that was typed meanwhile stays."""
        if isinstance(folder, str) and folder and not self._folder.value:
            self._folder.value = folder

    def _lay(self, found: Found) -> None:
        self._pad.lay(_picture(found, LAID_PX))
        self._complain(None)

    def _take(self, found: Found) -> None:
        self._pad.drawing = trace(draw(_picture(found, TRACED_PX), LINES))
        self._complain(None)

    def _ask(self) -> None:
        folder = self._folder.value.strip()
        if self._fold.selected_index is None:
            return
        if folder:
            sketch, label = self._last or (None, "")
            self._worker.submit(_Asked(folder, sketch, None if self._any.value else label))
        else:
            self._worker.cancel()
            self._show(_Answer([], FIRST_WORDS))

    # In the worker ---------------------------------------------------------------------------------------------

    def _look_up(self, asked: _Asked) -> _Answer:
        from edgegan_widget.retrieval.index import Index  # a page is there sooner without it

        index = Index.open(asked.folder)  # a millisecond; one that was made anew meanwhile counts at once
        if asked.sketch is None:
            return _Answer([], f"{_size(index)}; draw, and the nearest appear here.")
        label = asked.label if asked.label in index.classes else None
        found = [(one, _picture(one, THUMB_PX)) for one in index.nearest(asked.sketch, label, SHOWN)]
        words = _about(index, asked, label)
        if not found and asked.sketch.min() < 128:
            words = f"None of the pictures is in {index.root} any more."
        return _Answer(found, words)

    def _show(self, answer: _Answer) -> None:
        refill(self._strip, [self._tile(found, picture) for found, picture in answer.pictures])
        self._words.value = html.escape(answer.words)
        self._error.value = ""

    def _complain(self, error: Exception | None) -> None:
        self._error.value = "" if error is None else error_html(error)

    def _found_none(self, error: Exception) -> None:
        self._show(_Answer([], FIRST_WORDS))
        self._complain(error)


def _picture(found: Found, side_px: int) -> U8:
    """As it is nearest to the drawing, uint8 [side_px, side_px, 3]."""
    picture = squared(open_picture(found.path), side_px)
    return np.ascontiguousarray(picture[:, ::-1]) if found.mirrored else picture


def _about(index: Index, asked: _Asked, label: str | None) -> str:
    among = _size(index) if label is None else f"those of {spoken(label)} among {_size(index)}"
    unknown = "" if label == asked.label else f" The index does not have the class {spoken(asked.label)}."
    return f"The nearest of {among}; a click lays one under the pad, ✎ draws with its lines.{unknown}"


def _size(index: Index) -> str:
    return f"{len(index):,} pictures"
