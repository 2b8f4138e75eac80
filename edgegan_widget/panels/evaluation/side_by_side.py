"""What several models make of one drawing, side by side, and two of them over each other under a slider."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt

from edgegan_widget.panels.widgets import picture_png, row, show, toggle

__all__ = ["Answer", "SideBySide", "offer"]

U8 = npt.NDArray[np.uint8]

# The slider lies over the pictures, so that a pointer moves the edge where it is; its value goes into the style by
# itself, without the kernel, so that it follows a finger.
_SLIDER = (
    '<input type="range" min="0" max="100" value="50" aria-label="Slide from the first model to the second" '
    "oninput=\"this.closest('.eg-wipe').style.setProperty('--eg-at', this.value)\">"
)


@dataclass(frozen=True, eq=False)
class Answer:
    """A model's picture of the drawing, uint8 [H, W, 3], and a word on it; without a picture why there is none."""

    picture: U8 | None
    about: str


class SideBySide(widgets.VBox):  # type: ignore[misc]
    """A drawing and every model's picture of it."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._tiles = widgets.Box([])
        self._tiles.add_class("eg-answers")
        self._first, self._second = _list("Left"), _list("Right")
        for choice in (self._first, self._second):
            choice.observe(lambda _: self._show_two(), "value")
        self._blend = widgets.Checkbox(False, description="Blend", indent=False)
        self._blend.observe(lambda _: self._show_blend(), "value")
        self._left, self._right = widgets.Image(format="png"), widgets.Image(format="png")
        self._wipe = widgets.Box([self._right, self._left, widgets.HTML(_SLIDER)])  # the left one above, cut off
        self._wipe.add_class("eg-wipe")
        self._two = widgets.VBox([row([self._first, self._second, self._blend]), self._wipe])
        self._two.add_class("eg-two")
        super().__init__([self._tiles, self._two])
        self.add_class("eg-side-by-side")
        self.show(None, {})

    def show(self, sketch: U8 | None, answers: Mapping[str, Answer]) -> None:
        """Show a drawing uint8 [S, S] with what each model made of it; without one, nothing."""
        self._answers = dict(answers)
        old = self._tiles.children
        shown = {"drawing": Answer(sketch, ""), **answers} if sketch is not None else {}
        self._tiles.children = [_tile(name, answer) for name, answer in shown.items()]
        for tile in old:
            for part in tile.children:
                part.close()
            tile.close()
        drawn = [name for name, answer in answers.items() if answer.picture is not None]
        self._offer(drawn)
        show(self._two, len(drawn) > 1)
        self._show_two()

    def _offer(self, names: Sequence[str]) -> None:
        """The models to choose two from; the choice stays where it can."""
        for place, choice in enumerate((self._first, self._second)):
            offer(choice, [(name, name) for name in names], place)

    def _show_two(self) -> None:
        for choice, image in ((self._first, self._left), (self._second, self._right)):
            answer = self._answers.get(choice.value)
            if answer is not None and answer.picture is not None:
                image.value = picture_png(answer.picture)

    def _show_blend(self) -> None:
        toggle(self._wipe, "eg-blend", self._blend.value)


def offer(choice: widgets.Dropdown, options: Sequence[tuple[str, Any]], place: int = 0) -> None:
    """New options in a list, only if they differ: what is chosen stays where it can, else the one at ``place`` is."""
    if tuple(choice.options) == tuple(options):
        return
    values = [value for _, value in options]
    chosen = choice.value if choice.value in values else (values[min(place, len(values) - 1)] if values else None)
    with choice.hold_sync():
        choice.options = tuple(options)
        choice.value = chosen


def _tile(name: str, answer: Answer) -> widgets.Widget:
    caption = widgets.HTML(f"<b>{html.escape(name)}</b> {html.escape(answer.about)}")
    caption.add_class("eg-hint")
    picture = (
        widgets.Image(format="png") if answer.picture is None else widgets.Image(value=picture_png(answer.picture))
    )
    made = widgets.VBox([*([] if answer.picture is None else [picture]), caption])
    made.add_class("eg-answer")
    return made


def _list(label: str) -> widgets.Dropdown:
    made = widgets.Dropdown(options=(), description=label)
    made.add_class(f"eg-{label.lower()}")
    return made
