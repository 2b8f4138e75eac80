"""One place of a contact sheet: a picture, its edges, the same as a hand draws them, and what is thought of it."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt

from edgegan_widget.base.words import spoken
from edgegan_widget.data.audit.rules import REASONS
from edgegan_widget.data.catalog import Picture
from edgegan_widget.panels.widgets import button, picture_png, show, toggle

__all__ = ["Tile", "verdict"]

U8 = npt.NDArray[np.uint8]


class Tile(widgets.Box):  # type: ignore[misc]
    """Made once and filled anew for each page.

    Parameters
    ----------
    on_click
        Called when the picture is clicked.
    on_tick
        Called when its tick is clicked.

    Attributes
    ----------
    picture, lines, caption, button, tick
        The picture, its edges beside those of a hand, what is said of it, and what is clicked.
    """

    def __init__(self, on_click: Callable[..., None], on_tick: Callable[..., None]) -> None:
        self.picture, self.lines = widgets.Image(format="png"), widgets.Image(format="png")
        self.caption = widgets.HTML()
        self.caption.add_class("eg-caption")
        self.button = button("", on_click, "")
        self.tick = button("✓", on_tick, "Choose this picture (Space)", "eg-tick")
        strip = widgets.Box([self.picture, self.lines, self.button, self.tick])
        strip.add_class("eg-strip")
        super().__init__([strip, self.caption])
        self.add_class("eg-contact")

    def show(self, picture: Picture | None, focused: bool = False, chosen: bool = False) -> None:
        """Say what is known of a picture, or hide where there is none."""
        show(self, picture is not None)
        if picture is None:
            return
        on = {"eg-focus": focused, "eg-chosen": chosen, "eg-refused": picture.refused, "eg-kept": picture.kept}
        for name, holds in on.items():
            toggle(self, name, holds)
        state, why = verdict(picture)
        title = html.escape(f"{spoken(picture.label)} · {picture.split}")
        self.caption.value = (
            f'<span class="eg-what">{title}</span> <span class="eg-verdict">{state}</span>'
            f'<div class="eg-why">{html.escape(why)}</div>'
        )
        self.button.tooltip = f"{spoken(picture.label)}, {state}{f': {why}' if why else ''}"

    def show_picture(self, picture_u8: U8) -> None:
        """Show the picture, uint8 [S, S, 3]."""
        self.picture.value = picture_png(picture_u8)

    def show_lines(self, edge_u8: U8, hand_u8: U8) -> None:
        """Show its edges and the same by hand, uint8 [S, S] each."""
        self.lines.value = picture_png(np.concatenate([edge_u8, hand_u8], axis=1))


def verdict(picture: Picture) -> tuple[str, str]:
    """What becomes of a picture, and why, in words."""
    by_hand = " by you" if picture.decision else ""
    state = f"refused{by_hand}" if picture.refused else f"accepted{by_hand}" if by_hand else ""
    if picture.kept:
        state = "refused, but kept"
    why = (
        f"{REASONS.get(name, name)} ({score:.4g}, limit {picture.limits[name]:g})"
        for name, score in picture.reasons.items()
    )
    return state, ", ".join(why)
