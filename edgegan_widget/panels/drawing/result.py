"""The result on screen: the picture, the network's own edge map, and the variations."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as widgets
import numpy as np

from edgegan_widget.base.units import U8
from edgegan_widget.panels.widgets import Say, button, error_html, guard, heading, picture_png, refill, show, toggle

__all__ = ["ResultView"]


class ResultView(widgets.VBox):  # type: ignore[misc]
    """Pictures with what belongs to them; it shows what it is given and tells which one was chosen.

    Parameters
    ----------
    on_choose
        Called with the number of the variation that is to be the main picture.
    on_star
        Called with the number of a variation that is to be kept.
    controls
        What stands beside the edge map.
    say
        Called with an exception to show, or None.
    """

    def __init__(
        self,
        on_choose: Callable[[int], None],
        on_star: Callable[[int], None],
        controls: list[widgets.Widget],
        say: Say,
    ) -> None:
        self._on_choose, self._on_star, self._say = on_choose, on_star, say
        super().__init__(self._build(controls))
        self.add_class("eg-column")

    def show_live(self, image: U8) -> None:
        """Show one picture [H, W, 3] and nothing else, as fast as it goes, while the pen is down."""
        self._picture.value = picture_png(image)
        self._frame.remove_class("eg-empty")

    def show(self, images: U8, edges: U8) -> None:
        """Show pictures [V, H, W, 3] and edge maps [V, h, w], the first of each large."""
        self.show_live(images[0])
        self._edge.value = picture_png(edges[0])
        several = len(images) > 1
        refill(self._others, [self._tile(number, image) for number, image in enumerate(images)] if several else ())
        show(self._others, several)
        self.mark(0)

    def choose(self, number: int, image: U8, edge: U8) -> None:
        """Make one of the variations the large picture."""
        self.show_live(image)
        self._edge.value = picture_png(edge)
        self.mark(number)

    def mark(self, number: int) -> None:
        """Show which variation is the large picture."""
        for place, tile in enumerate(self._others.children):
            toggle(tile, "eg-on", place == number)

    def show_nothing(self) -> None:
        """White paper, for an empty pad."""
        paper = np.full((1, 64, 64), 255, np.uint8)
        self.show(np.repeat(paper[..., None], 3, axis=3), paper)
        self._frame.add_class("eg-empty")

    def report(self, text: str) -> None:
        """A line about device and speed."""
        self._status.value = f'<span role="status">{html.escape(text)}</span>'

    def complain(self, error: Exception | None) -> None:
        """Show an error above the line, or take it away."""
        self._error.value = "" if error is None else error_html(error)

    # Widgets ---------------------------------------------------------------------------------------------------

    def _build(self, controls: list[widgets.Widget]) -> list[widgets.Widget]:
        self._picture = widgets.Image(format="png")
        self._edge = widgets.Image(format="png")
        self._status, self._error = widgets.HTML(), widgets.HTML()
        self._status.add_class("eg-status")
        self._status.add_class("eg-line")
        self._error.add_class("eg-status")
        self._others = widgets.Box([])
        self._others.add_class("eg-small-pictures")
        self._others.add_class("eg-variations")
        self._frame, edge = _framed(self._picture, "eg-main"), _framed(self._edge, "eg-edge")
        beside_it = widgets.VBox([self._status, *controls])
        beside_it.add_class("eg-controls")
        beside = widgets.HBox([widgets.VBox([edge, heading("its own edges")]), beside_it])
        beside.add_class("eg-beside")
        self.show_nothing()
        return [self._frame, self._error, self._others, beside]

    def _tile(self, number: int, image: U8) -> widgets.Widget:
        choose = button(
            "", guard(lambda: self._on_choose(number), self._say), f"Make variation {number + 1} the picture"
        )
        star = button("☆", guard(lambda: self._on_star(number), self._say), f"Keep variation {number + 1}", "eg-star")
        tile = widgets.Box([widgets.Image(value=picture_png(image), format="png"), choose, star])
        tile.add_class("eg-thumb")
        return tile


def _framed(picture: widgets.Image, css_class: str) -> widgets.Widget:
    frame = widgets.Box([picture])
    frame.add_class("eg-picture")
    frame.add_class(css_class)
    return frame
